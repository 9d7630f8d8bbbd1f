"""Figures that the project promises, measured on this machine. `make bench`."""
