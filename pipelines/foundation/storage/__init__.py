"""Files of a workspace: written whole, listed with their hashes, read through one engine."""
