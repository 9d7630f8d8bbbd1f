"""Where scores go. One destination, one file."""
