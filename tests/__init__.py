"""Tests that read as behaviour."""
