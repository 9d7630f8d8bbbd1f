"""Whose data may be processed, how they are hidden, and how they are removed."""
