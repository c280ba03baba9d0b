"""What administrators must know and mend: kept until it is, shown on the health page, and told to them."""
