"""`python -m pipelines.schedule.watched MODULE ...`: the module, as `python -m` runs it, until its starter is gone.

However the starter ends, its end of our standard input closes; then our whole process group ends.
"""

from __future__ import annotations

import os
import runpy
import signal
import sys
import threading


def _end_with_starter() -> None:
    while os.read(sys.stdin.fileno(), 1):
        pass
    os.killpg(os.getpgid(0), signal.SIGTERM)


if __name__ == "__main__":
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # whoever starts us may have ignored it, and we inherit that
    threading.Thread(target=_end_with_starter, daemon=True).start()
    sys.argv = sys.argv[1:]
    runpy.run_module(sys.argv[0], run_name="__main__", alter_sys=True)
