"""An export that lies at an address: downloaded once, to start a workspace from."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from urllib.parse import SplitResult, unquote, urljoin, urlsplit

import requests

from features.errors import DataError, SettingsError
from pipelines.data.sources.query.tables import ENDINGS

_LOOPBACK = ("localhost", "127.0.0.1", "::1")
_WAIT_SECONDS = (10, 60)  # for a connection, and for each part of the answer
_PART_BYTES = 1 << 20
_MOST_STEPS = 10
_WHY: dict[type[Exception], str] = {
    requests.TooManyRedirects: "the address leads in circles",
    requests.exceptions.SSLError: "its certificate is not trusted by this machine",
    requests.Timeout: "it does not answer in time",
    requests.ConnectionError: "it is not reached, or the connection broke off",
    requests.RequestException: "what it answers is not whole",
}
_FOUND = 200


def downloaded(address: str, folder: Path) -> Path:
    """The file at an https address, under its own name in `folder`.

    Raises: SettingsError where the address is none that is asked, DataError where it gives no export.
    """
    asked = _split(address)
    _refuse_unsafe(asked)
    name = Path(unquote(asked.path)).name
    if not name.lower().endswith(ENDINGS) or "\0" in name:
        raise SettingsError(
            f"the address at {asked.hostname} does not end in the name of a file of {', '.join(ENDINGS)}; download "
            "what it holds and name the file"
        )
    place = folder / name
    try:
        with closing(_answer(address)) as answer, place.open("wb") as target:
            _refuse_other(answer, asked)
            for part in answer.iter_content(_PART_BYTES):
                target.write(part)
    except requests.RequestException as error:
        # What a library says of it may hold the whole address, and with it a token.
        why = next(words for kind, words in _WHY.items() if isinstance(error, kind))
        raise DataError(
            f"{name} could not be downloaded from {asked.hostname}: {why}; download it by other means and name the file"
        ) from None
    return place


def _answer(address: str) -> requests.Response:
    """What an address gives, wherever it leads to, each step looked at before it is taken."""
    for _ in range(_MOST_STEPS):
        # As it is stored: what a server packs on the way would not be what the name says.
        packed = {"Accept-Encoding": "identity"}
        answer = requests.get(address, stream=True, timeout=_WAIT_SECONDS, headers=packed, allow_redirects=False)
        if not answer.is_redirect:
            return answer
        answer.close()
        address = urljoin(address, answer.headers["Location"])
        _refuse_unsafe(_split(address))
    raise requests.TooManyRedirects


def _split(address: str) -> SplitResult:
    try:
        asked = urlsplit(address)
        asked.port  # noqa: B018 - said to be wrong only when it is asked for
    except ValueError:
        raise SettingsError("the host or the port of the address cannot be; write https://host/export.csv") from None
    return asked


def _refuse_unsafe(address: SplitResult) -> None:
    if address.username or address.password:
        raise SettingsError("the address holds a user or a password, which others would read; put them into ~/.netrc")
    if not address.hostname:
        raise SettingsError("the address names no host; write it as https://host/export.csv")
    if address.scheme == "https" or (address.scheme == "http" and address.hostname in _LOOPBACK):
        return
    raise SettingsError(
        f"{address.scheme}://{address.hostname} is not asked: customers' data travel by https alone; download what it "
        "holds and name the file"
    )


def _refuse_other(answer: requests.Response, asked: SplitResult) -> None:
    if answer.status_code != _FOUND:
        raise DataError(f"{asked.hostname} answers {answer.status_code} and no file; open the address in a browser")
    if answer.headers.get("Content-Type", "").startswith("text/html"):
        raise DataError(
            f"{asked.hostname} answers with a web page, perhaps to log in, and no file; download the export in a "
            "browser and name the file"
        )
