"""The simulator page: who one plays, what one can try, what the platform shows, and the story of what we did."""
