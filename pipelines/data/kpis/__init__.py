"""Retention figures: customers and revenue kept, lost, won, per period."""
