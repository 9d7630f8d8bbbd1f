"""What we believe about it: arrays and frames in, arrays and frames out."""

import os

# Threads that wait for each other by spinning stall for minutes when another process wants the same cores (60 rounds of
# boosting beside two busy processes: over a minute, against 4 s asleep). It must be said before OpenMP is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
