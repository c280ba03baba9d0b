"""Old data, new code."""
