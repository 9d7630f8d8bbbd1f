"""What is watched after scoring: drift, arrival of data, what came of past scores."""
