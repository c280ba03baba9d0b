"""Behaviour of the scripts a newcomer starts first, and of the questions asked about the repository itself."""
