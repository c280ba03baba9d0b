"""Measurements. Each prints a readable table and ends with one JSON line; ratios, against a reference in one run."""
