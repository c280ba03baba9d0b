"""What both ends of the wire are held to: the key trees of the API catalogue."""
