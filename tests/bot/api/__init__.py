"""The typed functions themselves: limits, paging, and what is computed without the platform."""
