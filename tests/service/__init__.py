"""The composed product: real callbacks in, a simulated platform out, on both databases."""
