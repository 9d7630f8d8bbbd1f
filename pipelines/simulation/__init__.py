"""A simulated company whose true risk is known. Nobody in it exists."""
