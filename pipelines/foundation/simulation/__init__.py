"""A company that does not exist, and whose customers' true risk is known."""
