"""What a destination holds beside what it took: field by field, and in destinations that lie."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psycopg
import pytest

from pipelines.foundation.settings.destinations import BottleCrm, Destination, Sql
from pipelines.foundation.settings.settings import Settings
from pipelines.foundation.storage.store import Store
from pipelines.operations.delivery.connect import connect
from pipelines.operations.delivery.connector import TAKEN, Connector, Outcome, Record, UnavailableError, Value
from pipelines.operations.delivery.one_destination import Wanted, compare, deliver_to
from pipelines.operations.delivery.outbox import Outbox
from pipelines.operations.delivery.policy import Values
from pipelines.operations.delivery.progress_lines import undelivered
from pipelines.operations.delivery.reading_back import AT_A_TIME, Held, differing
from pipelines.operations.delivery.sending import Patience
from tests.deliveries.targets import TARGETS
from tests.pipelines.operations.delivery.bottlecrm import fake_bottlecrm
from tests.pipelines.operations.delivery.destination_case import NOW, Memory, values
from tests.pipelines.operations.delivery.test_one_destination import RUN, TODAY
from tests.pipelines.shop_case import SETTINGS
from tests.postgres_server import postgres_server

DELIVERIES, LIED_TO = 7, 120
How = Literal["drops", "keeps what was there", "keeps another value"]


# Field by field


def held(customer: str, *, withdrawn: bool = False, **changes: Any) -> Held:
    return Held(customer, values(**changes), withdrawn)


def back(memory: Memory, *records: Held) -> dict[str, list[str]]:
    patience = Patience(attempts=3, pause_seconds=1.0)
    return differing(
        memory, records, own=list, sleep=lambda _: None, patience=patience, progress=lambda _: None
    )  # fmt: skip


def test_what_is_read_back_is_compared_field_by_field() -> None:
    memory = Memory(records={"A": values(), "B": values(churn_risk_band="low", value_at_risk=1.0)})
    assert back(memory, held("A"), held("B"), held("C")) == {
        "B": ["churn_risk_band", "value_at_risk"],
        "C": ["external_id"],
    }


def test_ways_of_writing_are_no_differences() -> None:
    remote = values(churn_probability=0.81 + 1e-9, previous_risk_band="", scored_at="2024-07-01T08:00:00+02:00")
    del remote["reason_2"]
    assert back(Memory(records={"A": remote}), held("A")) == {}
    assert back(Memory(records={"A": values(suppressed=None)}), held("A")) == {}
    assert back(Memory(records={"A": values(suppressed=None)}), held("A", suppressed=True)) == {"A": ["suppressed"]}


def test_a_withdrawn_record_need_not_be_there() -> None:
    assert back(Memory(), held("A", withdrawn=True)) == {}


def test_reading_back_is_tried_again_and_then_left() -> None:
    class Moody(Memory):
        failures = 2

        def read(self, external_ids: Any) -> Any:
            self.failures -= 1
            if self.failures >= 0:
                raise UnavailableError("it is down")
            return super().read(external_ids)

    assert back(Moody(records={"A": values()}), held("A")) == {}
    moody = Moody()
    moody.failures = 3
    with pytest.raises(UnavailableError):
        back(moody, held("A"))


def test_many_are_read_some_at_a_time_and_it_is_said_how_far_one_is() -> None:
    count, asked, said = AT_A_TIME + 1, list[int](), list[str]()

    class Counting(Memory):
        def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
            asked.append(len(external_ids))
            return super().read(external_ids)

    records = [held(f"C-{number}") for number in range(count)]
    found = differing(
        Counting(records={each.customer: values() for each in records[:-1]}), records, own=list,
        sleep=lambda _: None, patience=Patience(attempts=1, pause_seconds=1.0), progress=said.append,
    )  # fmt: skip
    assert (asked, list(found)) == ([AT_A_TIME, 1], [f"C-{count - 1}"])
    assert said == ["1,000 of 1,001 read back", "1,001 of 1,001 read back"]


# Destinations that lie


@dataclass
class Lying:
    """A connector that says of some records that it has sent them, and has not, or not these values.

    faithful: of whom it does not lie; None: it decides anew for each record that it is given.
    """

    behind: Connector
    how: How
    share: float
    chance: random.Random
    victims: frozenset[str] | None = None
    lies: bool = True
    sent: list[str] = field(default_factory=list)
    read_back: list[str] = field(default_factory=list)
    batch: int = 0

    def __post_init__(self) -> None:
        self.batch = self.behind.batch

    def setup(self) -> list[str]:
        return self.behind.setup()

    def check(self) -> None:
        self.behind.check()

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        self.sent += [record.external_id for record in records]
        passed = [each for each in (self._passed(record) for record in records) if each is not None]
        answers = self.behind.send(passed) if passed else []
        outcomes = dict(zip((each.external_id for each in passed), answers, strict=True))
        return [outcomes.get(record.external_id, TAKEN) for record in records]

    def _passed(self, record: Record) -> Record | None:
        chosen = self.chance.random() < self.share if self.victims is None else record.external_id in self.victims
        if not (self.lies and chosen):
            return record
        if self.how == "keeps another value":
            return Record(record.external_id, {**record.values, "churn_probability": 0.5})
        return None

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        self.read_back += external_ids
        return self.behind.read(external_ids)


def every_customer(**changes: Value) -> dict[str, Values]:
    return {f"C-{number:04d}": values(**changes) for number in range(LIED_TO)}


def delivered(folder: Path, destination: Destination, connector: Connector, wants: Mapping[str, Values]) -> Any:
    store, settings = Store(folder), Settings.model_validate(SETTINGS.model_dump(exclude_unset=True))
    compared = compare(store, destination, Wanted(RUN, wants, 0, lambda _: "opt_out"), today=TODAY, valid_days=30)
    plan = settings.delivery.model_copy(update={"attempts": 3, "read_back": 50})
    return deliver_to(
        plan, compared, connector, RUN, now=NOW, own=list, sleep=lambda _: None, progress=lambda _: None
    )  # fmt: skip


def wrongly_held(connector: Connector, wants: Mapping[str, Values]) -> int:
    """How many of the customers the destination holds otherwise, read past everything that lies."""
    there = connector.read(list(wants))
    return sum(
        there.get(customer) is None
        or there[customer]["churn_risk_band"] != said["churn_risk_band"]
        or float(str(there[customer]["churn_probability"])) != said["churn_probability"]
        for customer, said in wants.items()
    )


@contextmanager
def of_a_fake(name: str, _: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Destination]:
    with TARGETS[name](list(every_customer())) as target:
        for variable, value in target.environment.items():
            monkeypatch.setenv(variable, value)
        yield destination(target.block)


@contextmanager
def of_bottlecrm(_: str, __: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Destination]:
    monkeypatch.setenv("ATTRITION_BOTTLECRM_TOKEN", fake_bottlecrm.TOKEN)
    with fake_bottlecrm.running() as crm:
        made = BottleCrm(kind="bottlecrm", name="crm", address=crm.address)
        connect(made, language="en").setup()
        for customer in every_customer():
            crm.contact(customer)
        yield made


@contextmanager
def of_postgresql(_: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Destination]:
    monkeypatch.setenv("PGUSER", "tests")
    with postgres_server(folder) as port:
        address = f"postgresql://127.0.0.1:{port}/postgres"
        yield Sql(kind="sql", name="warehouse", address=address, table="scores", create=True)
        psycopg.connect(address).close()


def destination(block: Mapping[str, Any]) -> Destination:
    (made,) = Settings.model_validate(SETTINGS.model_dump(exclude_unset=True) | {"destinations": [block]}).destinations
    return made


Opened = Callable[[str, Path, pytest.MonkeyPatch], AbstractContextManager[Destination]]
SYSTEMS: dict[str, Opened] = {
    "hubspot": of_a_fake,
    "salesforce": of_a_fake,
    "rest": of_a_fake,
    "bottlecrm": of_bottlecrm,
    "postgresql": of_postgresql,
}


@pytest.fixture(scope="module", params=SYSTEMS)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Destination]:
    folder, opened = tmp_path_factory.mktemp("system"), SYSTEMS[request.param]
    with pytest.MonkeyPatch.context() as monkeypatch, opened(request.param, folder, monkeypatch) as made:
        connect(made, language="en").setup()
        yield made


@pytest.mark.parametrize("share", [0.01, 0.15, 1.0])
@pytest.mark.parametrize("how", ["drops", "keeps what was there", "keeps another value"])
@pytest.mark.parametrize("lasting", [False, True], ids=["now and then", "of the same customers"])
def test_after_seven_deliveries_nothing_is_wrong_or_it_is_said(
    system: Destination, tmp_path: Path, share: float, how: How, lasting: bool
) -> None:
    chance, real = random.Random(1), connect(system, language="en")
    before, wants = every_customer(churn_risk_band="low", churn_probability=0.1), every_customer()
    victims = frozenset(chance.sample(list(wants), max(1, round(share * len(wants))))) if lasting else None
    lying = Lying(real, how, share, chance, victims, lies=False)
    told = delivered(tmp_path, system, lying, before)
    assert (told["differing"], wrongly_held(real, before)) == ({}, 0)
    lying.lies = True
    documents = [delivered(tmp_path, system, lying, wants) for _ in range(DELIVERIES)]
    said = undelivered({"destinations": [documents[-1]]})
    assert wrongly_held(real, wants) == 0 or said is not None
    if not lasting and share < 1:
        assert (wrongly_held(real, wants), said) == (0, None)
    else:
        assert (wrongly_held(real, wants) > 0) == (said is not None)


# How much is read, and when


def memory_of(folder: Path, lying: Lying, wants: Mapping[str, Values]) -> Any:
    return delivered(folder, Sql(kind="sql", name="crm", address="postgresql://127.0.0.1/x"), lying, wants)


def lying_memory(how: How = "drops", *, victims: frozenset[str] = frozenset()) -> Lying:
    return Lying(Memory(batch=10), how, 0.0, random.Random(1), victims)


def test_each_delivery_reads_those_that_were_never_read_and_then_the_longest_unread(tmp_path: Path) -> None:
    crm = lying_memory()
    for many in (50, 100, 120, 120):
        memory_of(tmp_path, crm, every_customer())
        assert len(set(crm.read_back)) == many
    assert len(crm.sent) == LIED_TO


def test_one_that_is_not_there_has_all_others_read_and_is_sent_again(tmp_path: Path) -> None:
    crm = lying_memory()
    memory_of(tmp_path, crm, every_customer())
    assert isinstance(crm.behind, Memory)
    for customer in ("C-0003", "C-0007", "C-0110"):
        del crm.behind.records[customer]
    crm.sent.clear()
    found = [memory_of(tmp_path, crm, every_customer()) for _ in range(3)]
    assert sum(each["mended"] for each in found) == 3
    assert sorted(crm.sent) == ["C-0003", "C-0007", "C-0110"]
    assert max(each["read_back"] for each in found) == LIED_TO
    assert wrongly_held(crm.behind, every_customer()) == 0


def test_what_could_not_be_sent_again_stays_said(tmp_path: Path) -> None:
    crm = lying_memory()
    memory_of(tmp_path, crm, every_customer())
    assert isinstance(crm.behind, Memory)
    for customer in list(crm.behind.records):
        del crm.behind.records[customer]
    crm.behind.mood = iter(["down"] * 1000)
    found = memory_of(tmp_path, crm, every_customer())
    assert (len(found["differing"]), found["mended"]) == (LIED_TO, 0)
    assert undelivered({"destinations": [found]}) is not None
    crm.behind.mood = iter(())
    assert memory_of(tmp_path, crm, every_customer())["sent"] == LIED_TO
    assert wrongly_held(crm.behind, every_customer()) == 0


def test_who_keeps_what_was_withdrawn_is_found_out_at_once(tmp_path: Path) -> None:
    crm = lying_memory()
    memory_of(tmp_path, crm, every_customer())
    crm.victims = frozenset({"C-0003"})
    left = {customer: said for customer, said in every_customer().items() if customer != "C-0003"}
    found = memory_of(tmp_path, crm, left)
    assert "churn_probability" in found["differing"]["C-0003"]
    crm.victims = frozenset()
    found = memory_of(tmp_path, crm, left)
    assert (found["sent"], found["differing"]) == (1, {})
    assert Outbox(Store(tmp_path), "crm").remote_states().keys() == left.keys()


def test_a_destination_that_keeps_nothing_is_not_sent_everything_without_end(tmp_path: Path) -> None:
    crm = lying_memory(victims=frozenset(every_customer()))
    found = memory_of(tmp_path, crm, every_customer())
    assert len(found["differing"]) == LIED_TO
    assert len(crm.sent) == 2 * LIED_TO


def test_nothing_is_read_where_nothing_is_to_be(tmp_path: Path) -> None:
    crm = lying_memory()
    assert memory_of(tmp_path, crm, {})["read_back"] == 0
    assert crm.read_back == []
