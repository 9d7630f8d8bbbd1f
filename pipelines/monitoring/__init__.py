"""What is watched once scores are in use: whether data still are as the champion knew them, and what came of scores."""
