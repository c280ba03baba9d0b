"""`python -m simulator`: start the simulator as a process of its own."""

from simulator.cli import main

main()
