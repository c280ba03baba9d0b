"""The archive library's binding and its process, against the compiled fake."""
