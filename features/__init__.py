"""What was known at a date, and what happened after it: Ibis expressions without clock, files or network."""
