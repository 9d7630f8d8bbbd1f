"""Whether columns tell more than could be known: looked at before a model is promoted, and by the audit."""
