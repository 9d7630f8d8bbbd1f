"""What is recommended for whom, and what it changed."""
