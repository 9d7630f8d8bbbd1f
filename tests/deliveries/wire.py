"""A bad line to a real server on this machine: it counts what is said on it, and breaks where it should."""

from __future__ import annotations

import random
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from enum import Enum

_BYTES = 1 << 16


class Broken(Enum):
    """Before the server heard it, or once it had: what it answered never comes."""

    UNHEARD = "unheard"
    UNANSWERED = "unanswered"


@dataclass
class Wire:
    """port: of this end, on loopback. said: what clients sent so far, in pieces. broken: how many of them broke it."""

    port: int
    said: int = 0
    broken: int = 0
    _share: float = 0.0
    _chance: random.Random = field(default_factory=random.Random)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def disturb(self, share: float, seed: int) -> None:
        """From now on a share of what is said breaks the line."""
        self._share, self._chance = share, random.Random(seed)

    def fault(self) -> Broken | None:
        """What becomes of what was said just now."""
        with self._lock:
            self.said += 1
            if self._chance.random() >= self._share:
                return None
            self.broken += 1
            return self._chance.choice(list(Broken))


@contextmanager
def wire_to(server: int) -> Iterator[Wire]:
    """A line to a port on loopback."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        wire = Wire(listening.getsockname()[1])
        threading.Thread(target=_accept, args=(listening, server, wire), daemon=True).start()
        try:
            yield wire
        finally:
            with suppress(OSError):  # wakes who waits for the next client
                listening.shutdown(socket.SHUT_RDWR)


def _accept(listening: socket.socket, server: int, wire: Wire) -> None:
    with suppress(OSError):
        while True:
            client, _ = listening.accept()
            there = socket.create_connection(("127.0.0.1", server))
            threading.Thread(target=_to_server, args=(client, there, wire), daemon=True).start()
            threading.Thread(target=_to_client, args=(there, client), daemon=True).start()


def _to_server(client: socket.socket, there: socket.socket, wire: Wire) -> None:
    with suppress(OSError):
        while piece := client.recv(_BYTES):
            fault = wire.fault()
            if fault is Broken.UNANSWERED:
                _end(client)  # first, so that no answer passes
            if fault is not Broken.UNHEARD:
                there.sendall(piece)
            if fault is not None:
                break
    _end(client)
    with suppress(OSError):
        there.shutdown(socket.SHUT_WR)  # what was heard is still acted on


def _to_client(there: socket.socket, client: socket.socket) -> None:
    with suppress(OSError):
        while piece := there.recv(_BYTES):
            client.sendall(piece)
    _end(client)
    _end(there)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()
