"""Rows and the two engines they live in: SQLite on a laptop, PostgreSQL in a bank."""
