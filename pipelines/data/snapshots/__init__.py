"""Features, outcomes and training matrices on disk, a file per snapshot."""
