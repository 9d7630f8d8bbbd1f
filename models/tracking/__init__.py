"""MLflow: what is kept of a model there, and how it comes back."""
