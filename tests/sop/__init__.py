"""Tests of plans, broadcasts and to-dos."""
