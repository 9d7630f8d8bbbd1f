"""A source that is a database: one SELECT in its own SQL, which can change nothing, and whose rows become a file."""
