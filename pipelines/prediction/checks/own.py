"""What `check` says of a workspace's own indicators, and how it looks at a workspace whose files are not confirmed."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from typing import Any

from pipelines.foundation.own_indicators.own_file import SHORT, read
from pipelines.foundation.workspace.workspace import Workspace


def own_document(workspace: Workspace) -> list[dict[str, Any]]:
    """Per file: file, sha256, confirmed (on this machine), indicators (how many; None where nothing of it may run).

    Where every file is confirmed they are loaded. Raises: SettingsError where one of them is no file of indicators.
    """
    if not workspace.settings.indicators:
        return []
    from pipelines.foundation.own_indicators.trust import confirmed

    sources = [read(workspace.root, name) for name in workspace.settings.indicators]
    hashes = confirmed(workspace.root)
    loaded = all(source.sha256 in hashes for source in sources)
    counts = {
        file.name: sum(len(family.indicators) for family in file.families)
        for file in (workspace.own_files if loaded else ())
    }
    return [
        {
            "file": source.name,
            "sha256": source.sha256,
            "confirmed": source.sha256 in hashes,
            "indicators": counts.get(source.name),
        }
        for source in sources
    ]


def waiting(found: Collection[Mapping[str, Any]]) -> bool:
    """Whether a file of the document waits to be confirmed."""
    return not all(each["confirmed"] for each in found)


def without_own(workspace: Workspace) -> Workspace:
    """The same workspace with the catalog's indicators alone."""
    return replace(workspace, settings=workspace.settings.model_copy(update={"indicators": ()}))


def in_words(found: Mapping[str, Any]) -> str:
    """One file of the document."""
    named = f"{found['file']} (sha256 {found['sha256'][:SHORT]})"
    if not found["confirmed"]:
        return (
            f"own indicators: {named} is code that would run with your rights, and is not confirmed on this machine: "
            "nothing of it has run, and no own indicator is counted"
        )
    if found["indicators"] is None:
        return f"own indicators: {named} is confirmed, and waits for the others"
    count = f"{found['indicators']:,} indicator{'s' * (found['indicators'] != 1)}"
    return f"own indicators: {named}, {count}"
