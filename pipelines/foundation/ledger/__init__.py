"""What the workspace's SQLite file holds: scores, model versions, recommendations, the outbox."""
