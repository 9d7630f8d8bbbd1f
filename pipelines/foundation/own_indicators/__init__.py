"""Indicators of a workspace's own, in Python files: whether they may run, what they must be, how they are loaded."""
