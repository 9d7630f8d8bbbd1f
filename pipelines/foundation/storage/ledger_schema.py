"""Every table of the workspace's SQLite ledger, its version, and the steps that lead to it from each earlier one.

It stands below whoever uses the tables, because `Store` brings a ledger to this version before anybody reads it. A step
that has shipped is never changed: what comes after is a step of its own. Steps are plain SQL and take no names from
other code, which moves on.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import closing
from functools import cache
from pathlib import Path

from features.errors import IntegrityError

# From 0, where releases up to 0.1.0 made each table when it was first needed: whatever is not there yet.
_TABLES = (
    # One row per file below the workspace that counts. detail: what its writer noted about it, as JSON.
    """
    CREATE TABLE IF NOT EXISTS files (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        path TEXT NOT NULL UNIQUE,
        kind TEXT NOT NULL,
        sha256 TEXT NOT NULL,
        bytes INTEGER NOT NULL,
        detail TEXT NOT NULL
    )
    """,
    # One row per file that is being rewritten: what will lie in its place. Empty unless that was broken off.
    """
    CREATE TABLE IF NOT EXISTS rewrites (
        path TEXT NOT NULL PRIMARY KEY, sha256 TEXT NOT NULL, bytes INTEGER NOT NULL, detail TEXT NOT NULL
    )
    """,
    # One row per trained model. verdict: the promotion decision in words; published: whether MLflow has it, 0 or 1.
    """
    CREATE TABLE IF NOT EXISTS versions (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        outcome TEXT NOT NULL,
        version TEXT NOT NULL UNIQUE,
        made_from TEXT NOT NULL UNIQUE,
        trained_at TEXT NOT NULL,
        promoted INTEGER NOT NULL,
        verdict TEXT NOT NULL,
        record TEXT NOT NULL,
        published INTEGER NOT NULL DEFAULT 0
    )
    """,
    # One row per outcome whose rollback was begun and has not ended: the version to go back to.
    "CREATE TABLE IF NOT EXISTS rollbacks (outcome TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL)",
    # One row per outcome: the version trained last.
    "CREATE TABLE IF NOT EXISTS challengers (outcome TEXT NOT NULL PRIMARY KEY, version TEXT NOT NULL)",
    # One row per time that a version became champion. rolled_back_at: null where that holds.
    """
    CREATE TABLE IF NOT EXISTS champions (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        outcome TEXT NOT NULL,
        version TEXT NOT NULL,
        since TEXT NOT NULL,
        why TEXT NOT NULL,
        rolled_back_at TEXT
    )
    """,
    # One row per customer: the current scores.
    """
    CREATE TABLE IF NOT EXISTS scores (
        customer_id TEXT NOT NULL PRIMARY KEY,
        churn_probability REAL NOT NULL,
        churn_risk_band TEXT NOT NULL,
        value_at_risk REAL,
        currency TEXT NOT NULL,
        priority INTEGER NOT NULL,
        reason_1 TEXT NOT NULL,
        reason_1_code TEXT NOT NULL,
        reason_2 TEXT NOT NULL,
        reason_2_code TEXT NOT NULL,
        reason_3 TEXT NOT NULL,
        reason_3_code TEXT NOT NULL,
        horizon_days INTEGER NOT NULL,
        model_version TEXT NOT NULL,
        scored_at TEXT NOT NULL,
        data_as_of TEXT NOT NULL,
        valid_until TEXT NOT NULL,
        run_id TEXT NOT NULL
    )
    """,
    # One row per scoring run. history: its Parquet file; current: whether `scores` are its rows, 0 or 1.
    """
    CREATE TABLE IF NOT EXISTS score_runs (
        sequence INTEGER PRIMARY KEY,
        as_of TEXT NOT NULL,
        run_id TEXT NOT NULL UNIQUE,
        made_from TEXT NOT NULL,
        history TEXT NOT NULL,
        rows INTEGER NOT NULL,
        content_sha256 TEXT NOT NULL,
        detail TEXT NOT NULL,
        current INTEGER NOT NULL
    )
    """,
    # One row per customer and day on which a play was recommended anew. value: null where it is not known.
    """
    CREATE TABLE IF NOT EXISTS recommended (
        customer_id TEXT NOT NULL,
        play TEXT NOT NULL,
        recommended_on TEXT NOT NULL,
        treatment_group TEXT NOT NULL,
        churn_probability REAL NOT NULL,
        value REAL,
        expected_profit REAL NOT NULL,
        run_id TEXT NOT NULL,
        PRIMARY KEY (customer_id, recommended_on)
    )
    """,
    # One row per record that waits for a destination. state: pending; dead, refused by the destination; dropped, by
    # somebody here. attempts: how often it was to be tried later.
    """
    CREATE TABLE IF NOT EXISTS outbox (
        destination TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        content_sha256 TEXT NOT NULL,
        body TEXT NOT NULL,
        withdrawn INTEGER NOT NULL,
        state TEXT NOT NULL,
        attempts INTEGER NOT NULL,
        why TEXT NOT NULL,
        planned_at TEXT NOT NULL,
        PRIMARY KEY (destination, customer_id)
    )
    """,
    # One row per customer of whom a destination holds or may hold something. content_sha256: null where nothing was
    # taken yet. uncertain: a call with a record was begun, and whether it was taken is not known, 0 or 1.
    """
    CREATE TABLE IF NOT EXISTS held (
        destination TEXT NOT NULL,
        customer_id TEXT NOT NULL,
        content_sha256 TEXT,
        valid_until TEXT,
        band TEXT,
        play TEXT,
        taken_at TEXT,
        uncertain INTEGER NOT NULL,
        PRIMARY KEY (destination, customer_id)
    )
    """,
    # One row per delivery to a destination: how it ended, as JSON that names nobody.
    """
    CREATE TABLE IF NOT EXISTS deliveries (
        sequence INTEGER PRIMARY KEY AUTOINCREMENT,
        destination TEXT NOT NULL,
        as_of TEXT NOT NULL,
        run_id TEXT NOT NULL,
        started_at TEXT NOT NULL,
        detail TEXT NOT NULL
    )
    """,
    # One row per document whose alerts were posted.
    "CREATE TABLE IF NOT EXISTS posted (document TEXT NOT NULL PRIMARY KEY)",
    # One row per secret key. mark: what the key makes of its own name, by which another key is told apart.
    "CREATE TABLE IF NOT EXISTS keys (name TEXT NOT NULL PRIMARY KEY, mark TEXT NOT NULL)",
    # One row per erased customer, by keyed hash. receipt: JSON; finished: 0 while the erasure is under way, then 1.
    """
    CREATE TABLE IF NOT EXISTS erasures (
        digest TEXT NOT NULL PRIMARY KEY, receipt TEXT NOT NULL, finished INTEGER NOT NULL
    )
    """,
    # One row at most: the lists of objections, consent and opt-outs, hashed, that were enforced last.
    "CREATE TABLE IF NOT EXISTS enforced (lists TEXT NOT NULL)",
)

_READ_AND_SHOWN = (
    # When a destination was last seen to hold what it took of a customer; null: never since it took that.
    "ALTER TABLE held ADD COLUMN read_at TEXT",
    # One row per customer of the current scores whose risk may be shown: neither held out, nor opted out.
    "CREATE TABLE shown (customer_id TEXT NOT NULL PRIMARY KEY)",
    # For whoever reads the file with SQL. Empty from a scoring on until it is known who may be shown.
    "CREATE VIEW shown_scores AS SELECT scores.* FROM scores JOIN shown ON shown.customer_id = scores.customer_id",
)

# One row at most: what all others sum up to (`ledger_seal`). None while a command is at work, or was killed.
_SEAL = ("CREATE TABLE seal (digest TEXT NOT NULL)",)

STEPS: tuple[tuple[str, ...], ...] = (_TABLES, _READ_AND_SHOWN, _SEAL)  # the nth leads from version n - 1 to n
VERSION = len(STEPS)


def version_of(ledger: sqlite3.Connection, place: Path) -> int:
    """The version of a ledger; 0 for a new one, and for one of a release up to 0.1.0.

    Raises: IntegrityError where it is one that this code does not know.
    """
    found = int(ledger.execute("PRAGMA user_version").fetchone()[0])
    if not 0 <= found <= VERSION:
        raise IntegrityError(
            f"{place} has version {found}, and this attrition knows none after {VERSION}: a newer one has worked in "
            "this workspace; install that one, or restore the ledger from a backup made before"
        )
    return found


def step(ledger: sqlite3.Connection, place: Path) -> None:
    """Bring a ledger one version further, inside the transaction that is open; nothing where it is at the newest.

    Raises: as `version_of`.
    """
    found = version_of(ledger, place)
    if found < VERSION:
        for statement in STEPS[found]:
            ledger.execute(statement)
        ledger.execute(f"PRAGMA user_version = {found + 1}")  # part of the transaction, as any row is


def refuse_foreign(ledger: sqlite3.Connection, place: Path) -> None:
    """Raise IntegrityError where a ledger of the newest version has not the tables that its steps make.

    A trigger would write beside what we write, a view tell what nobody wrote. Tables beside ours harm nobody.
    """
    found, wanted = _shape(ledger), _made_by(STEPS)
    other = sorted(name for name, shape in wanted.items() if found.get(name) != shape)
    other += sorted(name for name, (kind, _) in found.items() if kind == "trigger")
    if other:
        raise IntegrityError(
            f"{place} is not a ledger as attrition makes it (first: {other[0][:80]!r}); restore it from a backup"
        )


def refuse_triggers(ledger: sqlite3.Connection, place: Path) -> None:
    """Raise IntegrityError where statements of somebody else would run within ours."""
    if ledger.execute("SELECT 1 FROM sqlite_master WHERE type = 'trigger'").fetchone():
        raise IntegrityError(f"{place} has triggers, and attrition makes none; restore it from a backup")


@cache
def _made_by(steps: Sequence[Sequence[str]]) -> dict[str, tuple[str, object]]:
    with closing(sqlite3.connect(":memory:")) as made:
        for statement in (each for statements in steps for each in statements):
            made.execute(statement)
        return _shape(made)


def _shape(ledger: sqlite3.Connection) -> dict[str, tuple[str, object]]:
    """By name, what each table, view and trigger is: of tables the columns, each with type and whether it is a key."""
    found = ledger.execute("SELECT name, type, sql FROM sqlite_master WHERE type <> 'index'").fetchall()
    return {
        name: (
            kind,
            [
                tuple(row)[1:4] + tuple(row)[5:]
                for row in ledger.execute("SELECT * FROM pragma_table_xinfo(?)", (name,))
            ],
        )
        if kind == "table"
        else (kind, " ".join(sql.split()))
        for name, kind, sql in map(tuple, found)
        if not name.startswith("sqlite_")
    }
