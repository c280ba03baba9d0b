"""A small fake of the native session-archive SDK (06-session-archive.md, 6.2): C source, and what compiles it."""
