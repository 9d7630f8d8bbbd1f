"""Kernels that are forks of one process which has imported the libraries: to import them takes most notebooks' time.

Each notebook still has a process, and names, of its own. That one runs in a kernel as Jupyter starts it is tested in
tests/pipelines/docs/test_notebooks.py.
"""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import forkserver, get_context
from multiprocessing.connection import Connection
from typing import Any

import pytest
from jupyter_client.provisioning import local_provisioner

FORKS = get_context("forkserver")
IMPORTED = ["ipykernel.kernelapp", "matplotlib.pyplot", "shap", "pipelines.explore"]


class ForkedKernel:
    """As much of a `subprocess.Popen` as Jupyter asks of a kernel."""

    stdin = stdout = stderr = None

    def __init__(self, command: Sequence[str], environment: dict[str, str], folder: str) -> None:
        ready, told = FORKS.Pipe(duplex=False)
        self._process = FORKS.Process(target=_kernel, args=(told, command, environment, folder))
        self._process.start()
        told.close()
        ready.recv()  # from now on it is in a group of its own, which Jupyter ends by a signal to the group
        ready.close()

    @property
    def pid(self) -> int | None:
        return self._process.pid

    def poll(self) -> int | None:
        return self._process.exitcode

    def wait(self) -> int | None:
        self._process.join()
        return self._process.exitcode

    def send_signal(self, number: int) -> None:
        if self.pid is not None and self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _kernel(told: Connection, command: Sequence[str], environment: dict[str, str], folder: str) -> None:
    """What the kernel's process does. command: as Jupyter would type it, `python -m ipykernel_launcher ...`."""
    os.setsid()
    told.send("ready")
    told.close()
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    import pandas as pd
    from ipykernel.kernelapp import IPKernelApp

    # As it is imported, pandas asks whether it writes to a terminal, and would leave columns out; a kernel has none.
    pd.set_option("display.max_columns", 20)
    sys.argv = list(command[command.index("ipykernel_launcher") :])
    # So it ends with the process that it was forked from, whatever becomes of the tests.
    IPKernelApp.launch_instance([*sys.argv[1:], f"--IPKernelApp.parent_handle={os.getppid()}"])


@contextmanager
def forked_kernels() -> Iterator[None]:
    """Within it, Jupyter's kernels are forks."""

    def launch(command: Sequence[str], *, env: dict[str, str], cwd: str, **_: Any) -> ForkedKernel:
        return ForkedKernel(command, env, str(cwd))

    server: Any = forkserver._forkserver
    with pytest.MonkeyPatch.context() as patch:
        FORKS.set_forkserver_preload(IMPORTED)
        # Matplotlib asks how to draw as it is imported: as `execute` says it.
        patch.setenv("MPLBACKEND", "module://matplotlib_inline.backend_inline")
        server.ensure_running()
        patch.undo()
        patch.setattr(local_provisioner, "launch_kernel", launch)
        yield
    server._stop()
