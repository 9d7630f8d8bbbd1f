"""Scores as fields of a Salesforce object's records.

Not run against a live organisation. Records are found by an external id, and then written by their own id, so that no
call can create one: only where the settings let customers be created are those not found sent as an upsert.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal
from urllib.parse import quote_plus

from pipelines.foundation.settings.destinations import Salesforce
from pipelines.operations.delivery.connector import (
    DestinationError,
    Outcome,
    Record,
    UnavailableError,
    UnsendableError,
    Value,
)
from pipelines.operations.delivery.salesforce.fields import Row, Values, key_metadata, metadata, unfit
from pipelines.operations.delivery.salesforce.session import CallRefusedError, Org
from pipelines.operations.delivery.salesforce.writing import RECORDS_OF_A_CALL, Call, Piece, Rows, RunContext

# Up to here, calls of 200 records cost the organisation fewer of its daily calls than a job and its questions.
MOST_BY_CALLS = 2000

# Salesforce takes addresses and headers of 16,384 bytes together, and a token may have 2,000 of them.
_QUERY_BYTES = 10_000
_KEY_CHARACTERS = 255

_PERMIT = (
    "Salesforce shows a new field to nobody before it is permitted: give the user who delivers read and edit access to "
    "it in a permission set or profile (field-level security), and people who are to see it read access"
)


def connect(plan: Salesforce, *, language: Literal["en", "fr"]) -> SalesforceConnector:
    """Nothing is sent yet. Raises: DestinationError where the secrets are not in the environment."""
    return SalesforceConnector(plan, language=language, sleep=time.sleep)


class SalesforceConnector:
    """batch: what a killed process sends again at most, and what Salesforce itself works through in one go."""

    batch = 10_000

    def __init__(self, plan: Salesforce, *, language: Literal["en", "fr"], sleep: Callable[[float], None]) -> None:
        self._plan = plan
        self._language = language
        self._org = Org(plan, sleep=sleep)
        self._values = Values(plan)

    def setup(self) -> list[str]:
        """The fields that were made. They are invisible until somebody permits them: `check` says so.

        Raises: as in `Connector`; UnavailableError.
        """
        found = self._found()
        problems = list(self._unfit(found))
        if problems:
            raise self._error(problems)
        wanted = [self._plan.external_id_field, *self._plan.remote.all()]
        missing = [name for name in wanted if name.casefold() not in found]
        for name in missing:
            if not name.casefold().endswith("__c"):
                raise self._error([f"{name} is not there, and a field can only be made if its name ends in __c"])
        return [name for name in missing if self._make(name)]

    def check(self) -> None:
        """As in `Connector`. Raises: UnavailableError, too."""
        found = self._found()
        hidden = [name for name in self._wanted() if name.casefold() not in found]
        if hidden:
            raise self._error(
                [f"{name} is not there, or not for this user" for name in hidden], f"Set it up. {_PERMIT}"
            )
        fixed = [name for name in self._plan.remote.all() if not found[name.casefold()]["updateable"]]
        if fixed:
            raise self._error([f"{name} may not be edited by this user" for name in fixed], _PERMIT)
        problems = list(self._unfit(found))
        if problems:
            raise self._error(problems)

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        """As in `Connector`. A record is refused, too, where two of the organisation's have its external id."""
        outcomes: dict[str, Outcome] = {}
        rows: dict[str, Row] = {}
        for record in records:
            try:
                rows[_key(record.external_id)] = self._values.row(record)
            except UnsendableError as error:
                outcomes[record.external_id] = Outcome("refused", str(error))
        found: dict[str, list[str]] = {external_id: [] for external_id in rows}
        for row in self._select(["Id"], list(rows)):
            found[row[self._plan.external_id_field]].append(row["Id"])
        for external_id, ids in found.items():
            if len(ids) > 1:
                outcomes[external_id] = Outcome(
                    "refused", f"{len(ids)} records of {self._plan.salesforce_object} have its external id; merge them"
                )
            elif not ids and not self._plan.create:
                outcomes[external_id] = Outcome("refused", f"no {self._plan.salesforce_object} has its external id")
        owners = {ids[0]: external_id for external_id, ids in found.items() if len(ids) == 1}
        new = [external_id for external_id, ids in found.items() if not ids and self._plan.create]
        by_id = Rows(self._plan.salesforce_object, "Id", {each: rows[owner] for each, owner in owners.items()})
        by_key = Rows(self._plan.salesforce_object, self._plan.external_id_field, {each: rows[each] for each in new})
        in_bulk = len(records) > MOST_BY_CALLS
        written = self._write([*_pieces(by_id, in_bulk=in_bulk), *_pieces(by_key, in_bulk=in_bulk)])
        outcomes |= {owners.get(key, key): each for key, each in written.items()}
        return [outcomes[record.external_id] for record in records]

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        """As in `Connector`; an external id that two records have is left out. A checkbox is never None."""
        known: dict[str, dict[str, Value]] = {}
        twice = set()
        asked = [external_id for external_id in external_ids if 0 < len(external_id) <= _KEY_CHARACTERS]
        for row in self._select(list(self._plan.remote.all()), asked):
            external_id = row[self._plan.external_id_field]
            if external_id in known:
                twice.add(external_id)
            known[external_id] = self._values.values(row)
        return {external_id: values for external_id, values in known.items() if external_id not in twice}

    def _write(self, pieces: Sequence[Piece]) -> dict[str, Outcome]:
        """One outcome per row. Where a piece fails, what was written before it counts, and the rest is for later."""
        outcomes: dict[str, Outcome] = {}
        for number, piece in enumerate(pieces):
            try:
                outcomes |= piece.write(self._org)
            except UnavailableError as error:
                if not outcomes:
                    raise
                left = Outcome("later", str(error))
                return outcomes | {key: left for rest in pieces[number:] for key in rest.rows.rows}
        return outcomes

    def _select(self, columns: Sequence[str], external_ids: Sequence[str]) -> Iterator[Mapping[str, Any]]:
        """Columns and external id of the records that have one of some ids exactly; case counts here, not there."""
        wanted = set(external_ids)
        key = self._plan.external_id_field
        start = f"SELECT {', '.join([key, *columns])} FROM {self._plan.salesforce_object} WHERE {key} IN "  # noqa: S608 - API names
        for some in _chunks(external_ids, most=_QUERY_BYTES - len(start) * 2):
            query = f"{start}({','.join(some)})"
            rows = self._org.ask(lambda client, query=query: list(client.query_all_iter(query)))  # type: ignore[misc]
            yield from (row for row in rows if row[key] in wanted)

    def _wanted(self) -> list[str]:
        return [self._plan.external_id_field, *self._plan.remote.all()]

    def _found(self) -> dict[str, Mapping[str, Any]]:
        """The object's fields that this user sees, by name in lower case."""
        name = self._plan.salesforce_object
        try:
            description: Any = self._org.ask(lambda client: client.restful(f"sobjects/{name}/describe"))
        except CallRefusedError as error:
            raise self._error(
                [f"{name} is not there, or not for this user ({error.code})"],
                "Set salesforce_object to the API name of an object that the user who delivers may read and edit",
            ) from None
        return {field["name"].casefold(): field for field in description["fields"]}

    def _unfit(self, found: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
        key = self._plan.external_id_field
        known = found.get(key.casefold())
        if known and (known["type"] != "string" or not known["externalId"]):
            yield f"{key} is not a text field that is an external id"
        elif known and self._plan.create and not (known["unique"] and known["caseSensitive"]):
            yield f"{key} must be unique and tell capitals apart before customers may be created by it"
        for name, field in self._plan.remote.all().items():
            if name.casefold() in found:
                yield from unfit(name, field, found[name.casefold()])

    def _make(self, name: str) -> bool:
        """Whether the field was made; not where it was there, hidden from this user."""
        field = self._plan.remote.all().get(name)
        # A picklist's values are read from the Tooling API as "valueName"; the Metadata API calls the same "fullName".
        for choice in ("valueName", "fullName"):
            made = key_metadata(language=self._language)
            if field is not None:
                made = metadata(field, language=self._language, choice=choice)
            wish = {"FullName": f"{self._plan.salesforce_object}.{name}", "Metadata": made}
            try:
                self._org.ask(
                    lambda client, wish=wish: client.toolingexecute("sobjects/CustomField", "POST", wish)  # type: ignore[misc]
                )
            except CallRefusedError as error:
                if error.code == "DUPLICATE_DEVELOPER_NAME":
                    return False
                if error.code == "JSON_PARSER_ERROR" and choice == "valueName":
                    continue
                raise self._error(
                    [f"{name} cannot be made ({error.code})"],
                    'Fields are made by a user with the permission "Customize Application"',
                ) from None
            return True
        raise AssertionError(name)

    def _error(self, problems: Sequence[str], remedy: str = "") -> DestinationError:
        more = f", and {len(problems) - 1} more fields like it" if len(problems) > 1 else ""
        return DestinationError(f'destination "{self._plan.name}": {problems[0]}{more}. {remedy}'.rstrip())


def _key(external_id: str) -> str:
    """An external id that Salesforce keeps as it is. Raises: UnsendableError."""
    if not 0 < len(external_id) <= _KEY_CHARACTERS:
        raise UnsendableError(f"an external id has 1 to {_KEY_CHARACTERS} characters, this one has {len(external_id)}")
    if external_id != external_id.strip() or not external_id.isprintable():
        raise UnsendableError("Salesforce drops spaces around an external id, and signs that do not show")
    return external_id


def _chunks(external_ids: Sequence[str], *, most: int) -> Iterator[list[str]]:
    """The ids as quoted texts of a query, in lists that take at most so many bytes in an address."""
    some: list[str] = []
    taken = 0
    for external_id in external_ids:
        escaped = external_id.replace("\\", "\\\\").replace("'", "\\'")
        text = f"'{escaped}'"
        size = len(quote_plus(f"{text},"))
        if some and taken + size > most:
            yield some
            some, taken = [], 0
        some.append(text)
        taken += size
    if some:
        yield some


def _pieces(rows: Rows, *, in_bulk: bool) -> Iterator[Piece]:
    """The rows as they are written: as jobs where they are many, and where a file can hold them."""
    as_job = {key: row for key, row in rows.rows.items() if in_bulk and RunContext.can_say(row)}
    as_calls = {key: row for key, row in rows.rows.items() if key not in as_job}
    yield from RunContext.cut(Rows(rows.salesforce_object, rows.by, as_job))
    for some in Rows(rows.salesforce_object, rows.by, as_calls).cut(RECORDS_OF_A_CALL):
        yield Call(some)
