"""What is drawn. A theme, a file."""
