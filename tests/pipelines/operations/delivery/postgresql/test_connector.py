from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import count
from typing import Any

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from pipelines.foundation.settings.delivered_fields import FIELDS
from pipelines.foundation.settings.destinations import Sql
from pipelines.operations.delivery.connector import TAKEN, DestinationError, Outcome, Record, UnavailableError, Value
from pipelines.operations.delivery.postgresql.connector import connect
from pipelines.operations.delivery.postgresql.session import encryption
from pipelines.operations.delivery.values import normal
from tests.postgres_server import postgres_server

# The user `guarded` needs a password, everybody else is let in.
ACCESS = "local all all trust\nhost all guarded 127.0.0.1/32 scram-sha-256\nhost all all 127.0.0.1/32 trust\n"

HIGH: dict[str, Value] = {
    "churn_probability": 0.75,
    "churn_risk_band": "high",
    "horizon_days": 60,
    "suppressed": False,
    "data_as_of": "2026-04-01",
    "scored_at": "2026-04-01T02:00:00+02:00",
    "reason_1": "Achète moins — « beaucoup » moins",
}
EMPTY: dict[str, Value] = dict.fromkeys(FIELDS)

_numbers = count()


@dataclass(frozen=True)
class Database:
    """A connection beside the connector's, which sees and may do everything."""

    connection: psycopg.Connection[Any]
    address: str

    def plan(self, **settings: Any) -> Sql:
        return Sql(**{"kind": "sql", "name": "warehouse", "address": self.address, "table": "scores"} | settings)

    def run(self, statement: str, *parameters: object) -> list[tuple[Any, ...]]:
        cursor = self.connection.execute(statement, parameters or None)
        return cursor.fetchall() if cursor.description else []

    def waits(self) -> int:
        """The process of the connector's connection, once it waits for a lock."""
        for _ in range(500):
            found = self.run(
                "SELECT pid FROM pg_stat_activity WHERE application_name = 'attrition' AND wait_event_type = 'Lock'"
            )
            if found:
                return int(found[0][0])
            time.sleep(0.01)
        raise AssertionError("nothing waits for a lock")


@pytest.fixture(scope="module")
def port(tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    with postgres_server(tmp_path_factory.mktemp("postgres"), access=ACCESS) as port:
        yield port


@pytest.fixture
def database(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """A database of the test's own."""
    for variable in ("PGPASSWORD", "PGPASSFILE", "PGHOST", "PGDATABASE", "PGSERVICE"):
        monkeypatch.delenv(variable, raising=False)
    monkeypatch.setenv("PGUSER", "tests")
    name = f"crm{next(_numbers)}"
    root = f"postgresql://127.0.0.1:{port}"
    with psycopg.connect(f"{root}/postgres", autocommit=True) as outside:
        outside.execute(f"CREATE DATABASE {name}")
    with psycopg.connect(f"{root}/{name}", autocommit=True) as connection:
        yield Database(connection, f"{root}/{name}")


class Sending(threading.Thread):
    """A `send` beside the test; `failed` is what it raised."""

    def __init__(self, plan: Sql, records: list[Record]) -> None:
        super().__init__()
        self.plan, self.records = plan, records
        self.failed: Exception | None = None
        self.start()

    def run(self) -> None:
        try:
            connect(self.plan, language="en").send(self.records)
        except (UnavailableError, DestinationError) as error:
            self.failed = error


def many(amount: int, **values: Value) -> list[Record]:
    return [Record(f"A-{number}", values) for number in range(amount)]


def test_a_table_is_made_once_with_labels_in_the_language(database: Database) -> None:
    database.run("CREATE SCHEMA sales")
    connector = connect(database.plan(table="sales.scores", names={"run_id": "job"}), language="fr")
    made = connector.setup()
    assert made[:2] == ["external_id", "attrition_churn_probability"]
    assert len(made) == 1 + len(FIELDS)
    assert connector.setup() == []
    connector.check()
    types = database.run(
        "SELECT column_name, data_type, col_description('sales.scores'::regclass, ordinal_position) "
        "FROM information_schema.columns WHERE table_name = 'scores'"
    )
    assert ("attrition_churn_probability", "double precision", "Probabilité d'attrition (0 à 1)") in types
    assert ("job", "text", "Exécution") in types
    assert ("attrition_scored_at", "timestamp with time zone", "Calculé le") in types
    assert ("attrition_suppressed", "boolean", "Mis à l'écart") in types
    assert ("attrition_data_as_of", "date", "Données jusqu'au") in types
    assert ("attrition_horizon_days", "integer", "Jours d'anticipation") in types


def test_missing_columns_are_added_and_what_is_there_stays(database: Database) -> None:
    database.run("CREATE TABLE scores (external_id varchar(40) PRIMARY KEY, city text, attrition_currency varchar(3))")
    database.run("COMMENT ON COLUMN scores.attrition_currency IS 'theirs'")
    database.run("INSERT INTO scores VALUES ('A-1', 'Lyon', 'EUR')")
    connector = connect(database.plan(), language="en")
    with pytest.raises(DestinationError, match=r"has no column attrition_churn_probability, .*setup"):
        connector.check()
    assert len(connector.setup()) == len(FIELDS) - 1
    connector.check()
    assert connector.send([Record("A-1", HIGH)]) == [TAKEN]
    assert database.run("SELECT city, attrition_currency, attrition_horizon_days FROM scores") == [("Lyon", "EUR", 60)]
    assert database.run("SELECT col_description('scores'::regclass, 3)") == [("theirs",)]


@pytest.mark.parametrize(
    ("table", "said"),
    [
        ("external_id text PRIMARY KEY, attrition_currency numeric", "attrition_currency of table scores is numeric"),
        ("external_id bigint PRIMARY KEY", "external_id of table scores is bigint"),
        ("external_id text, other text UNIQUE", "no primary key on external_id"),
        ("external_id text, other text, UNIQUE (external_id, other)", "no primary key on external_id"),
        ("other text", "no primary key on external_id"),
    ],
)
def test_a_table_that_does_not_fit_is_left_alone(database: Database, table: str, said: str) -> None:
    database.run(f"CREATE TABLE scores ({table})")
    before = database.run("SELECT attname FROM pg_attribute WHERE attrelid = 'scores'::regclass")
    with pytest.raises(DestinationError, match=said):
        connect(database.plan(), language="en").setup()
    assert database.run("SELECT attname FROM pg_attribute WHERE attrelid = 'scores'::regclass") == before


def test_a_check_tells_what_is_missing_and_writes_nothing(database: Database) -> None:
    with pytest.raises(
        DestinationError, match=r"table scores is not there; run .attrition crm setup --destination warehouse"
    ):
        connect(database.plan(), language="en").check()
    with pytest.raises(DestinationError, match=r"its schema is not there, code 3F000.*nowhere"):
        connect(database.plan(table="nowhere.scores"), language="en").setup()
    assert database.run("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'") == [(0,)]


def test_a_user_without_the_right_is_told_which(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    connect(database.plan(), language="en").setup()
    database.run("CREATE ROLE reader LOGIN")
    database.run("GRANT SELECT, UPDATE ON scores TO reader")
    monkeypatch.setenv("PGUSER", "reader")
    connect(database.plan(create=False), language="en").check()
    with pytest.raises(DestinationError, match="may not INSERT in table scores; let an owner run GRANT SELECT, UPDATE"):
        connect(database.plan(), language="en").check()
    with pytest.raises(DestinationError, match=r"the user has no right to do it.*give the user that right"):
        connect(database.plan(), language="en").send([Record("A-1", HIGH)])
    with pytest.raises(DestinationError, match="the user has no right to do it"):
        connect(database.plan(table="others"), language="en").setup()


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"table": "a.b.c"}, "more than one point"),
        ({"table": "sales."}, "cannot be a name"),
        ({"table": "é" * 32}, "cannot be a name"),
        ({"prefix": "p" * 60}, "cannot be a name"),
        ({"names": {"run_id": "attrition_currency"}}, "two fields have the same column"),
        ({"names": {"run_id": "external_id"}}, "two fields have the same column"),
    ],
)
def test_a_name_that_cannot_be_kept_is_refused_before_anything_is_asked(settings: dict[str, Any], said: str) -> None:
    plan = Sql(**{"kind": "sql", "name": "warehouse", "address": "postgresql://127.0.0.1:1/x"} | settings)
    with pytest.raises(DestinationError, match=said):
        connect(plan, language="en")


def test_a_row_holds_what_was_sent_and_sending_again_changes_nothing(database: Database) -> None:
    connector = connect(database.plan(), language="en")
    connector.setup()
    expected = EMPTY | HIGH | {"scored_at": "2026-04-01T00:00:00+00:00"}
    for _ in range(2):
        assert connector.send([Record("A-1", HIGH), Record("A-2", {})]) == [TAKEN, TAKEN]
        assert connector.read(["A-1", "A-2", "A-3", "A\0"]) == {"A-1": expected, "A-2": EMPTY}
    assert database.run("SELECT count(*) FROM scores") == [(2,)]


def test_a_field_that_is_not_named_stays_and_none_empties(database: Database) -> None:
    connector = connect(database.plan(), language="en")
    connector.setup()
    connector.send([Record("A-1", HIGH)])
    connector.send([Record("A-1", {"churn_risk_band": None, "reason_1": "", "suppressed": True})])
    remote = connector.read(["A-1"])["A-1"]
    assert (remote["churn_risk_band"], remote["reason_1"], remote["suppressed"]) == (None, None, True)
    assert (remote["churn_probability"], remote["horizon_days"]) == (0.75, 60)


def test_times_and_dates_come_back_whatever_the_server_is_set_to(database: Database) -> None:
    name = database.address.rpartition("/")[2]
    database.run(f"ALTER DATABASE {name} SET timezone = 'Pacific/Kiritimati'")
    database.run(f"ALTER DATABASE {name} SET datestyle = 'German, DMY'")
    connector = connect(database.plan(), language="en")
    connector.setup()
    values: dict[str, Value] = {"scored_at": "9999-12-31T23:59:59.999999+00:00", "data_as_of": "0001-01-01"}
    connector.send([Record("A-1", values)])
    assert connector.read(["A-1"])["A-1"] == EMPTY | values


def test_a_customer_without_a_row_is_refused_unless_rows_may_be_made(database: Database) -> None:
    connect(database.plan(), language="en").setup()
    database.run("INSERT INTO scores (external_id) VALUES ('A-1')")
    connector = connect(database.plan(create=False), language="en")
    unknown = Outcome("refused", "table scores has no row of this customer")
    assert connector.send([Record("A-2", HIGH), Record("A-1", HIGH)]) == [unknown, TAKEN]
    assert connector.send([Record("A-2", {}), Record("A-1", {})]) == [unknown, TAKEN]
    assert database.run("SELECT external_id, attrition_horizon_days FROM scores") == [("A-1", 60)]


def test_only_the_record_that_is_refused_is_not_written(database: Database) -> None:
    database.run("CREATE TABLE scores (external_id text PRIMARY KEY, attrition_currency varchar(3), other text UNIQUE)")
    database.run("ALTER TABLE scores ADD CONSTRAINT a_share CHECK (attrition_currency <> 'ZZZ')")
    connector = connect(database.plan(), language="en")
    connector.setup()
    bad: dict[str, dict[str, Value]] = {
        "A-3": {"currency": "EURO"},
        "A-14": {"horizon_days": 2**31},
        "A-15": {"horizon_days": 2**80},
        "A-26": {"reason_1": "a\0b"},
        "A-37": {"currency": "ZZZ"},
        "A-48": {"reason_1": "\udc80"},
        "A-59": {"churn_probability": float("nan")},
        "A-60": {"shoe_size": 43},
    }
    records = [Record(each.external_id, bad.get(each.external_id, HIGH)) for each in many(100)]
    records += [Record("", HIGH), Record("A\0", HIGH), Record("".join(map(chr, range(0x4E00, 0x9000))), HIGH)]
    outcomes = connector.send(records)
    refused = {
        each.external_id: outcome.why for each, outcome in zip(records, outcomes, strict=True) if outcome != TAKEN
    }
    assert sorted(refused) == sorted([*bad, *(each.external_id for each in records[-3:])])
    assert refused["A-3"] == "the database refuses it (a text is too long, code 22001)"
    assert "out of range" in refused["A-14"]
    assert "out of range" in refused["A-15"]
    assert "a_share" in refused["A-37"]
    assert all(refused.values())
    assert database.run("SELECT count(*) FROM scores") == [(92,)]


def test_what_a_trigger_refuses_is_refused_alone(database: Database) -> None:
    connector = connect(database.plan(), language="en")
    connector.setup()
    database.run(
        "CREATE FUNCTION no() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN IF NEW.external_id = 'A-7' THEN RAISE 'not this one'; END IF; RETURN NEW; END $$"
    )
    database.run("CREATE TRIGGER no BEFORE INSERT ON scores FOR EACH ROW EXECUTE FUNCTION no()")
    outcomes = connector.send(many(10, horizon_days=60))
    assert [each.why for each in outcomes if each != TAKEN] == [
        "the database refuses it (a trigger of the table refuses it, code P0001)"
    ]
    assert database.run("SELECT count(*) FROM scores") == [(9,)]


def test_names_and_values_are_never_read_as_statements(database: Database) -> None:
    database.run("CREATE TABLE victim (x int)")
    database.run('CREATE SCHEMA "o\'""; DROP TABLE victim; --"')
    plan = database.plan(table="o'\"; DROP TABLE victim; --.t%s {}", prefix="%s %(x)s {} \"'; --")
    connector = connect(plan, language="fr")
    connector.setup()
    connector.check()
    evil: dict[str, Value] = {
        "reason_1": "'); DROP TABLE victim; --",
        "reason_2": '{"a",NULL,"\\"}',
        "currency": "NULL",
    }
    who = "x'; DROP TABLE victim; -- %s {}\\"
    assert connector.send([Record(who, evil)]) == [TAKEN]
    assert connector.read([who]) == {who: EMPTY | evil}
    plan = plan.model_copy(update={"create": False})
    assert connect(plan, language="en").send([Record(who, evil)]) == [TAKEN]
    assert database.run("SELECT count(*) FROM victim") == [(0,)]


@pytest.mark.parametrize("end", ["SELECT pg_terminate_backend(%s)", "SELECT pg_cancel_backend(%s)"])
def test_a_connection_that_is_ended_in_the_middle_loses_nothing(database: Database, end: str) -> None:
    connector = connect(database.plan(), language="en")
    connector.setup()
    connector.send(many(100, horizon_days=30))
    with psycopg.connect(database.address) as holder:
        holder.execute("SELECT 1 FROM scores WHERE external_id = 'A-50' FOR UPDATE")
        sending = Sending(database.plan(), many(200, horizon_days=60))
        database.run(end, database.waits())
        sending.join()
    assert isinstance(sending.failed, UnavailableError)
    assert database.run("SELECT attrition_horizon_days, count(*) FROM scores GROUP BY 1") == [(30, 100)]
    assert connector.send(many(200, horizon_days=60)) == [TAKEN] * 200
    assert database.run("SELECT attrition_horizon_days, count(*) FROM scores GROUP BY 1") == [(60, 200)]


def test_a_lock_is_not_waited_for_longer_than_a_call_may_take(database: Database) -> None:
    connect(database.plan(), language="en").setup()
    with psycopg.connect(database.address) as holder:
        holder.execute("LOCK TABLE scores")
        with pytest.raises(UnavailableError, match="timeout"):
            connect(database.plan(timeout_seconds=0.1), language="en").send([Record("A-1", HIGH)])
        with pytest.raises(UnavailableError, match="timeout"):
            connect(database.plan(timeout_seconds=0.1), language="en").read(["A-1"])


def test_a_server_that_never_answers_is_left(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("pipelines.operations.delivery.postgresql.session._GRACE_SECONDS", -0.9)
    connect(database.plan(), language="en").setup()
    with psycopg.connect(database.address) as holder:
        holder.execute("LOCK TABLE scores")
        with pytest.raises(UnavailableError, match="the connection was lost"):
            connect(database.plan(timeout_seconds=1), language="en").send([Record("A-1", HIGH)])


def test_of_two_that_wait_for_each_other_one_may_try_again(database: Database) -> None:
    database.run("ALTER SYSTEM SET deadlock_timeout = '50ms'")
    database.run("SELECT pg_reload_conf()")
    connector = connect(database.plan(), language="en")
    connector.setup()
    connector.send(many(2))
    with psycopg.connect(database.address) as other:
        other.execute("SET deadlock_timeout = '60s'")
        other.execute("SELECT 1 FROM scores WHERE external_id = 'A-1' FOR UPDATE")
        sending = Sending(database.plan(), many(2, horizon_days=60))
        database.waits()
        other.execute("UPDATE scores SET attrition_horizon_days = 1 WHERE external_id = 'A-0'")
        sending.join()
    assert isinstance(sending.failed, UnavailableError)
    assert "deadlock" in str(sending.failed)
    assert connector.send(many(2, horizon_days=60)) == [TAKEN, TAKEN]


def test_a_reader_sees_a_batch_whole_or_not_at_all(database: Database) -> None:
    connector = connect(database.plan(), language="en")
    connector.setup()
    connector.send(many(500, run_id="r0"))
    seen: set[tuple[tuple[str, int], ...]] = set()
    over = threading.Event()

    def look() -> None:
        with psycopg.connect(database.address, autocommit=True) as reader:
            while not over.is_set():
                query = "SELECT attrition_run_id, count(*) FROM scores GROUP BY 1"
                seen.add(tuple(reader.execute(query).fetchall()))

    reading = threading.Thread(target=look)
    reading.start()
    for number in range(1, 20):
        connector.send(many(500, run_id=f"r{number}"))
    over.set()
    reading.join()
    assert len(seen) > 1
    assert all(len(each) == 1 and each[0][1] == 500 for each in seen)


def test_two_who_send_the_same_customers_leave_one_row_each(database: Database) -> None:
    connect(database.plan(), language="en").setup()
    # So slowly that both are at it at once, each beginning where the other ends.
    database.run(
        "CREATE FUNCTION slowly() RETURNS trigger LANGUAGE plpgsql AS "
        "$$ BEGIN PERFORM pg_sleep(0.002); RETURN NEW; END $$"
    )
    database.run("CREATE TRIGGER slowly BEFORE INSERT ON scores FOR EACH ROW EXECUTE FUNCTION slowly()")
    there, back = many(100, run_id="r1"), many(100, run_id="r2")[::-1]
    both = [Sending(database.plan(), records) for records in (there, back)]
    for each in both:
        each.join()
    assert [each.failed for each in both] == [None, None]
    found = database.run("SELECT count(*), count(DISTINCT attrition_run_id) FROM scores")
    assert found == [(100, 1)]


def test_who_is_not_let_in_is_told_without_the_password(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    database.run("DROP ROLE IF EXISTS guarded")
    database.run("CREATE ROLE guarded LOGIN PASSWORD 'right-horse'")
    monkeypatch.setenv("PGUSER", "guarded")
    for password in ("wrong-horse", ""):
        monkeypatch.setenv("PGPASSWORD", password)
        with pytest.raises((DestinationError, UnavailableError), match=r"does not let us in.*PGPASSWORD") as refused:
            connect(database.plan(), language="en").check()
        assert "horse" not in str(refused.value)
    monkeypatch.setenv("PGPASSWORD", "right-horse")
    with pytest.raises(DestinationError, match="table scores is not there"):
        connect(database.plan(), language="en").check()


def test_a_database_that_is_not_there_needs_somebody(database: Database) -> None:
    plan = database.plan(address=database.address + "nope")
    with pytest.raises(DestinationError, match=r"does not exist.*look at the address"):
        connect(plan, language="en").check()
    with pytest.raises(DestinationError, match="the address is none of PostgreSQL"):
        connect(database.plan(address="nonsense"), language="en").check()


def test_a_server_that_takes_nobody_now_may_do_so_later(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(UnavailableError, match="no connection"):
        connect(database.plan(address="postgresql://127.0.0.1:1/x"), language="en").send([Record("A-1", HIGH)])
    database.run("DROP ROLE IF EXISTS crowded")
    database.run("CREATE ROLE crowded LOGIN CONNECTION LIMIT 0")
    monkeypatch.setenv("PGUSER", "crowded")
    with pytest.raises(UnavailableError, match="too many connections"):
        connect(database.plan(), language="en").send([Record("A-1", HIGH)])


_TEXTS = st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=20)
_KINDS: dict[str, st.SearchStrategy[Value]] = {
    "text": _TEXTS,
    "choice": _TEXTS,
    "number": st.floats(allow_nan=False, allow_infinity=False),
    "integer": st.integers(-(2**31), 2**31 - 1),
    "flag": st.booleans(),
    "date": st.dates().map(str),
    "datetime": st.datetimes(
        min_value=datetime(2, 1, 1),
        max_value=datetime(9998, 1, 1),
        timezones=st.timezones(),
    ).map(lambda at: at.isoformat()),
}
_VALUES = st.fixed_dictionaries({}, optional={name: st.none() | _KINDS[field.kind] for name, field in FIELDS.items()})
_SENDS = st.lists(
    st.lists(st.tuples(_TEXTS.filter(bool), _VALUES), max_size=5, unique_by=lambda each: each[0]), max_size=4
)


@pytest.fixture
def kept(database: Database) -> Database:
    connect(database.plan(), language="en").setup()
    return database


def test_any_sequence_of_sends_is_read_back_exactly(kept: Database) -> None:
    connector = connect(kept.plan(), language="en")

    @settings(max_examples=60)
    @given(_SENDS)
    def check(sends: list[list[tuple[str, dict[str, Value]]]]) -> None:
        kept.run("TRUNCATE scores")
        expected: dict[str, dict[str, Value]] = {}
        for send in sends:
            records = [Record(who, values) for who, values in send]
            assert connector.send(records) == [TAKEN] * len(records)
            for who, values in send:
                form = {name: normal(FIELDS[name], value) for name, value in values.items()}
                expected[who] = expected.get(who, EMPTY) | form
        assert connector.read(list(expected)) == expected
        assert kept.run("SELECT count(*) FROM scores") == [(len(expected),)]

    check()


@pytest.mark.parametrize(
    "address", ["postgresql://me:horse@db/x", "postgresql://db/x?password=horse", "host=db password = horse"]
)
def test_a_password_in_the_settings_is_refused_without_repeating_it(address: str) -> None:
    with pytest.raises(ValidationError, match="the address holds a password") as refused:
        Sql(kind="sql", name="warehouse", address=address)
    assert "horse" not in str(refused.value)


@pytest.mark.parametrize(
    ("address", "mode"),
    [
        ("postgresql://db.example.com/crm", "require"),
        ("host=db.example.com dbname=crm", "require"),
        ("postgresql://127.0.0.1,db.example.com/crm", "require"),
        ("postgresql://localhost/crm", None),
        ("postgresql:///crm?host=/var/run/postgresql", None),
        ("postgresql:///crm", None),
        ("postgresql://db.example.com/crm?sslmode=verify-full", None),
    ],
)
def test_what_leaves_this_machine_is_encrypted(address: str, mode: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("PGHOST", "PGSSLMODE"):
        monkeypatch.delenv(variable, raising=False)
    assert encryption(Sql(kind="sql", name="crm", address=address)) == mode


@pytest.mark.parametrize("mode", ["disable", "allow", "prefer"])
@pytest.mark.parametrize("by", ["address", "environment"])
def test_a_connection_that_may_be_open_is_refused(mode: str, by: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGSSLMODE", mode if by == "environment" else "require")
    monkeypatch.setenv("PGHOST", "db.example.com")
    plan = Sql(kind="sql", name="crm", address="postgresql:///crm" + (f"?sslmode={mode}" if by == "address" else ""))
    with pytest.raises(DestinationError, match=f"sslmode is {mode}, so that scores and password could be read"):
        encryption(plan)
