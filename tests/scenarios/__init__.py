"""What people write, and what they would see."""
