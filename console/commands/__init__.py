"""The bodies of the commands. `console/cli.py` only names them."""
