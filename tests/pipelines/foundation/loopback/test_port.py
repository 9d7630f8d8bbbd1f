from __future__ import annotations

import socket

import pytest

from features.errors import SettingsError
from pipelines.foundation.loopback.port import HOST, port_to_use


def test_a_port_that_is_taken_is_told_with_the_remedy() -> None:
    with socket.create_server((HOST, 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"port {port} of 127\.0\.0\.1: Address already in use; name another"):
            port_to_use(port)


def test_a_free_port_is_taken_as_asked_and_for_0_any() -> None:
    free = port_to_use(0)
    assert free > 0
    assert port_to_use(free) == free
