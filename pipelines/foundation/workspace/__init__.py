"""A workspace: its settings, its files, the day it looks from, and whom a command tells."""
