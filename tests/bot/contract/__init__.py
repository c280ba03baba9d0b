"""Every request the product can send, held against the catalogue's key trees."""
