from __future__ import annotations

import pytest

from pipelines.foundation.settings.addresses import is_confidential, is_loopback


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_this_machine_is_loopback(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize(
    "host", ["", "0.0.0.0", "10.0.0.1", "::", "example.com", "localhost.example.com", "127.0.0.1.nip.io"]
)
def test_every_other_host_is_not(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.parametrize(
    "address",
    [
        "https://example.com", "https://example.com:8443/eu", "HTTPS://example.com", "https://127.0.0.1",
        "http://127.0.0.1:8000", "http://[::1]:8000", "http://localhost/alerts", "http://LOCALHOST",
    ],
)  # fmt: skip
def test_https_and_this_machine_are_confidential(address: str) -> None:
    assert is_confidential(address)


@pytest.mark.parametrize(
    "address",
    [
        "", "example.com", "https://", "https:///path", "http://", "http://example.com", "http://10.0.0.1",
        "http://127.0.0.1@example.com", "http://localhost.example.com", "ftp://127.0.0.1", "file:///etc/hosts",
        "http://[::1", "//example.com",
    ],
)  # fmt: skip
def test_what_others_could_read_or_is_no_web_address_is_not(address: str) -> None:
    assert not is_confidential(address)
