"""Which addresses secrets may be sent to."""

from __future__ import annotations

import ipaddress
from urllib.parse import urlsplit

PERHAPS_OPEN = ("disable", "allow", "prefer")  # what sslmode says where a connection need not be encrypted


def is_loopback(host: str) -> bool:
    """Whether a host is this machine: what goes there does not leave it.

    >>> is_loopback("127.0.0.1"), is_loopback("localhost"), is_loopback("example.com")
    (True, True, False)
    """
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def is_confidential(address: str) -> bool:
    """Whether nobody on the way can read what is sent to an address: https, or http to this machine.

    >>> is_confidential("https://example.com"), is_confidential("http://[::1]:8000"), is_confidential("http://example.com")
    (True, True, False)
    """
    try:
        parts = urlsplit(address)
        host = parts.hostname or ""
    except ValueError:
        return False
    return bool(host) and (parts.scheme == "https" or (parts.scheme == "http" and is_loopback(host)))


def stays_here(hosts: str) -> bool:
    """Whether a database's hosts, with commas between them, are all this machine; without any, it is asked locally.

    >>> stays_here("127.0.0.1,/var/run/postgresql"), stays_here(""), stays_here("localhost,db.example.com")
    (True, True, False)
    """
    return all(not host or host[0] in "/@" or is_loopback(host) for host in hosts.split(","))
