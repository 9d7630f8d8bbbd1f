"""What systems' APIs hold now, as files of the workspace that queries read."""
