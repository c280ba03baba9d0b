"""Tests of customers: pure matching and rendering, and the copy of the platform on both engines."""
