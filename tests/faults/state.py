"""What a workspace holds, as rows that can be compared: files, ledger, MLflow."""

from __future__ import annotations

import hashlib
import sqlite3
from collections import Counter
from contextlib import closing
from pathlib import Path

from pipelines.foundation.storage.workspace_paths import LEDGER

Rows = Counter[tuple[object, ...]]

TRACKING, ARTIFACTS = "mlflow.sqlite", "mlflow_artifacts"
_OURS = {  # what does not depend on how often a command was started
    "files": "SELECT path, kind, sha256, bytes, detail FROM files",
    "versions": "SELECT outcome, version, made_from, trained_at, promoted, verdict, record, published FROM versions",
    "challengers": "SELECT * FROM challengers",
    "champions": "SELECT outcome, version, since, why, rolled_back_at FROM champions",
    "scores": "SELECT * FROM scores",
    "erasures": "SELECT digest, receipt, finished FROM erasures",
    "outbox": "SELECT * FROM outbox",
    "held": "SELECT * FROM held",
    "recommended": "SELECT * FROM recommended",
    "rewrites": "SELECT path, sha256 FROM rewrites",
    "score_runs": "SELECT as_of, run_id, made_from, history, rows, content_sha256, detail, current FROM score_runs",
}
_MLFLOW = {
    "runs": "SELECT name, status FROM runs WHERE lifecycle_stage = 'active'",
    "run_tags": "SELECT key, value FROM tags JOIN runs USING (run_uuid) WHERE lifecycle_stage = 'active' "
    "AND key LIKE 'attrition%'",
    "parameters": "SELECT key, value FROM params JOIN runs USING (run_uuid) WHERE lifecycle_stage = 'active'",
    "metrics": "SELECT key, value, step FROM metrics JOIN runs USING (run_uuid) WHERE lifecycle_stage = 'active'",
    "registered": "SELECT name, version, status FROM model_versions WHERE current_stage <> 'Deleted_Internal'",
    "aliases": "SELECT name, alias, version FROM registered_model_aliases",
}


def state(root: Path) -> Rows:
    """Everything that stands for something: each row once, as often as it is there."""
    found: Rows = Counter()
    found.update(("file", *each) for each in _files(root))
    for kind, database, queries in (("ledger", LEDGER, _OURS), ("mlflow", TRACKING, _MLFLOW)):
        if (root / database).exists():
            found.update((kind, *row) for row in _rows(root / database, queries))
    return found


def scores(root: Path) -> Rows:
    """The current scores and the run that they are of."""
    queries = {"scores": _OURS["scores"], "run": "SELECT run_id FROM score_runs WHERE current = 1"}
    return Counter(_rows(root / LEDGER, queries)) if (root / LEDGER).exists() else Counter()


def broken(root: Path) -> list[str]:
    """What is not whole: a database, or a listed file that is not the one that was listed."""
    found = []
    for database in (LEDGER, TRACKING):
        if (root / database).exists():
            with closing(sqlite3.connect(root / database)) as connection:
                said = connection.execute("PRAGMA integrity_check").fetchone()[0]
            found += [] if said == "ok" else [f"{database}: {said}"]
    if not (root / LEDGER).exists():
        return found
    under_way = {row[1]: row[2] for row in _rows(root / LEDGER, {"rewrites": _OURS["rewrites"]})}
    for row in _rows(root / LEDGER, {"files": _OURS["files"]}):
        place, listed = root / str(row[1]), {row[3], under_way.get(row[1])}
        if place.exists() and hashlib.sha256(place.read_bytes()).hexdigest() not in listed:
            found.append(f"{row[1]}: not the file that is listed")
    return found


def _files(root: Path) -> list[tuple[str, str]]:
    """Path and hash of every file, databases apart; artifacts of MLflow without the name that it made up."""
    found = []
    for place in sorted(root.rglob("*")):
        path = place.relative_to(root).as_posix()
        if place.is_file() and not path.startswith((LEDGER, TRACKING, ".attrition.lock")):
            if path.startswith(ARTIFACTS):
                path = f"{ARTIFACTS}/{path.split('/', 2)[2]}"
            found.append((path, hashlib.sha256(place.read_bytes()).hexdigest()))
    return found


def _rows(database: Path, queries: dict[str, str]) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(database)) as connection:
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
        found = []
        for name, query in queries.items():
            table = query.split(" FROM ")[1].split()[0]
            if table in tables:
                found += [(name, *row) for row in connection.execute(query)]
    return found
