"""A port of this machine, for a page that nobody beyond it can reach."""

from __future__ import annotations

import socket

from features.errors import SettingsError

HOST = "127.0.0.1"


def port_to_use(port: int) -> int:
    """The port itself, if it is free; for 0 any that is. Raises: SettingsError where it is taken."""
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError as error:
            raise SettingsError(
                f"port {port} of {HOST}: {error.strerror}; name another one with --port, or 0 for any that is free"
            ) from None
        return int(probe.getsockname()[1])
