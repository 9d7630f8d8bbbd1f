"""From snapshots to scores: training, scoring, their checks and their pictures."""
