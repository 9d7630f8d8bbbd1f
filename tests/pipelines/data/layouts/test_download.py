"""Exports at addresses, served on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from features.errors import AttritionError, SettingsError
from pipelines.data.layouts.from_any import init_from
from pipelines.foundation.settings.settings import load

ORDERS = b"order,customer,date,total\n" + b"".join(
    b"%d,c%d,2025-01-%02d,%d.50\n" % (row, row % 7, 1 + row % 28, row) for row in range(60)
)
TOKEN = "s3cret-token"
MOVED = {"/moved.csv": "http://shop.example.com/orders.csv", "/near.csv": "/orders.csv", "/round.csv": "/round.csv"}


class _Shop(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if path == "/gone.csv":
            self.send_error(404)
        elif path in MOVED:
            self.send_response(302)
            self.send_header("Location", MOVED[path])
            self.end_headers()
        else:
            self.send_response(200)
            self.send_header("Content-Type", "text/html; charset=utf-8" if path == "/login.csv" else "text/csv")
            self.send_header("Content-Length", str(len(ORDERS) + 9 * (path == "/cut.csv")))
            self.end_headers()
            self.wfile.write(ORDERS)

    def log_message(self, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def shop() -> Iterator[str]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Shop)
    thread = Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.mark.parametrize(
    ("path", "name"), [("/my%20orders.csv", "my orders.csv"), ("/near.csv", "near.csv"), ("/%2e%2e%2fx.csv", "x.csv")]
)
def test_an_export_at_an_address_lies_in_the_workspace_as_it_was_served(
    shop: str, path: str, name: str, tmp_path: Path
) -> None:
    init_from(tmp_path / "shop", f"{shop}{path}?token={TOKEN}", [])
    assert (tmp_path / "shop" / name).read_bytes() == ORDERS
    text = (tmp_path / "shop" / "attrition.toml").read_text()
    assert TOKEN not in text
    assert [source.table for source in load(tmp_path / "shop" / "attrition.toml").sources] == ["orders"]


@pytest.mark.parametrize(
    ("path", "said"),
    [
        ("/gone.csv", "answers 404 and no file"),
        ("/login.csv", "a web page, perhaps to log in"),
        ("/cut.csv", r"cut.csv could not be downloaded from 127\.0\.0\.1: what it answers is not whole"),
        ("/moved.csv", "by https alone"),  # it leads elsewhere
        ("/round.csv", "leads in circles"),
    ],
)
def test_what_is_no_file_is_told_without_the_token(shop: str, path: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(AttritionError, match=said) as error:
        init_from(tmp_path / "shop", f"{shop}{path}?token={TOKEN}", [])
    assert TOKEN not in str(error.value)
    assert not (tmp_path / "shop").exists()


@pytest.mark.parametrize(
    ("address", "said"),
    [
        ("http://shop.example.com/orders.csv", "by https alone"),
        ("https://ann:pw@shop.example.com/orders.csv", r"~/\.netrc"),
        ("https://shop.example.com/orders", "does not end in the name of a file"),
        ("https://shop.example.com:99999/orders.csv", "cannot be"),
        ("https://[::1/orders.csv", "cannot be"),
        ("https:///orders.csv", "names no host"),
    ],
)
def test_addresses_that_are_not_asked(address: str, said: str, tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=said):
        init_from(tmp_path / "shop", address, [])
    assert not (tmp_path / "shop").exists()
