"""What customers are called in our files, and who may not be in them."""
