"""What people run or look at: the command line, the pages, and the wiring."""
