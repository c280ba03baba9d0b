"""Tests of the conversation, part by part."""
