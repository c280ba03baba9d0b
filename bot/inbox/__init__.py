"""Durable rows of what came in, and those who work on them."""
