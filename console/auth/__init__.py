"""Accounts of the console, and the sessions of those who are logged in."""
