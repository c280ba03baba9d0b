"""The server APIs under /cgi-bin, one module per family; `dispatch` holds the table and the common checks."""
