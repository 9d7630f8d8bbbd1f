"""Sentences, numbers and dates in two languages."""
