"""Scores, their reasons, and what is expected of all customers together."""
