"""What we believe about it: arrays and frames in, arrays and frames out."""
