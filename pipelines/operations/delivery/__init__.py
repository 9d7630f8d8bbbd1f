"""Scores to where they are read: from the outbox to each destination."""
