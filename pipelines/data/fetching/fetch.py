"""The step before landing: what APIs hold now, fetched into files that the queries of the settings read.

The files are deleted once everything has landed, so that nothing is kept twice. What is unchanged is told as of any
other source: by the bytes of the files, which are the same where the API gave the same.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable, Mapping
from contextlib import closing
from datetime import date
from importlib import import_module
from pathlib import Path
from typing import Any

from features.errors import SettingsError
from pipelines.data.fetching.api import Api, RefusedError
from pipelines.data.fetching.calls import Say
from pipelines.data.fetching.fetched_files import FetchedFiles
from pipelines.foundation.settings.fetches import AnyFetch, StripeFetch
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.workspace_paths import FETCHED

_TOLD_EVERY = 1_000  # objects

# One line for each API.
_CONNECTORS: Mapping[type[Any], Callable[[], Any]] = {
    StripeFetch: lambda: import_module("pipelines.data.fetching.stripe"),
}


def fetch(root: Path, settings: Settings, *, today: date, progress: Say) -> dict[str, dict[str, int]]:
    """Fetch what the settings name; of each folder how many objects of each list there are.

    today: a fetch that broke off is gone on with on the day on which it began. One that was finished on it and has not
    landed is taken as it is.

    Raises: SettingsError where a key is missing or refused; DataError where an API does not give what it should.
    """
    found = {}
    for each in settings.fetches:
        with closing(_connected(each, progress)) as api:
            files = FetchedFiles.of(root / FETCHED / each.folder, day=today.isoformat(), identity=api.identity)
            if files.waiting():
                progress(f"{each.folder}: fetched before, and not landed yet")
                continue
            files.begin()
            counts = {name: _list(api, files, name, progress) for name in api.resources}
            files.finish(counts)
            found[each.folder] = counts
    return found


def discard(root: Path) -> None:
    """Remove all that was fetched, finished or not."""
    shutil.rmtree(root / FETCHED, ignore_errors=True)


def _connected(settings: AnyFetch, say: Say) -> Api:
    try:
        import_module("dlt")
    except ModuleNotFoundError:
        raise SettingsError('APIs are read by dlt, which is not installed: pip install "attrition[apis]"') from None
    api: Api = _CONNECTORS[type(settings)]().connected(settings, say)
    return api


def _list(api: Api, files: FetchedFiles, name: str, say: Say) -> int:
    state = files.begin_list(name)
    begun_at = state["after"]
    try:
        state = _rest(api, files, name, state, say)
    except RefusedError:
        if begun_at is None:
            raise
        # The object that the list was to go on behind is gone since.
        state = _rest(api, files, name, files.begin_list(name, anew=True), say)
    return int(state["objects"])


def _rest(api: Api, files: FetchedFiles, name: str, state: dict[str, Any], say: Say) -> dict[str, Any]:
    if state["done"]:
        return state
    say(f"{api.system}: {name}")
    for page in api.pages(name, state["after"], files.unfinished):
        before = state["objects"]
        state = files.add(name, state, page)
        if state["objects"] // _TOLD_EVERY > before // _TOLD_EVERY:
            say(f"{api.system}: {state['objects']:,} {name} so far")
    files.end_list(name, state)
    return state
