"""What every destination can do, so that one file makes one. How to add one is in docs/delivery.md."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from features.errors import AttritionError

Value = str | float | int | bool | None
State = Literal["taken", "refused", "later"]


class DestinationError(AttritionError):
    """A destination cannot be written to before somebody has done something: the message says what."""


class UnsendableError(ValueError):
    """A value or an id cannot be sent as it is; the words, which people read, are ours and do not hold it."""


class UnavailableError(AttritionError):
    """A call failed for a reason that may pass; none, some or all of its records may have been taken.

    retry_after: seconds that the destination asks to be left alone, None where it does not say.
    """

    def __init__(self, said: str, *, retry_after: float | None = None) -> None:
        super().__init__(said)
        self.retry_after = retry_after


def named(destination: str, said: object) -> str:
    """What was said of a destination, with its name where that is not in it already.

    >>> named("crm", "it is down"), named("crm", 'destination "crm": no such table')
    ('crm: it is down', 'destination "crm": no such table')
    """
    return str(said) if f'"{destination}"' in str(said) else f"{destination}: {said}"


@dataclass(frozen=True)
class Record:
    """What a destination is to hold of one customer.

    external_id: the company's own id. values: by our names of the fields; None empties a field, and a field that is
    not named is left as it is.
    """

    external_id: str
    values: Mapping[str, Value]


@dataclass(frozen=True)
class Outcome:
    """What became of one record. refused: not as it is, and `why`; later: it may be taken when tried again."""

    state: State
    why: str = ""


TAKEN = Outcome("taken")


class Connector(Protocol):
    """One destination. Sending the same record again leaves it as sending it once does.

    batch: records per `send`, at most.
    """

    batch: int

    def setup(self) -> list[str]:
        """Make the custom fields that are missing; their remote names. What is there is left alone.

        Raises: DestinationError where one is there with another type, or making fields is not allowed;
        UnavailableError, after which it may be called again.
        """

    def check(self) -> None:
        """Raise DestinationError where a field is missing or the credentials do not do; nothing is written.

        Raises: UnavailableError, too, where that cannot be found out just now.
        """

    def send(self, records: Sequence[Record]) -> list[Outcome]:
        """One outcome per record, in order. No two records share an external id.

        A customer whom the destination does not know is refused, unless the settings let it be created.
        Raises: UnavailableError where the call as a whole may be tried again; DestinationError.
        """

    def read(self, external_ids: Sequence[str]) -> dict[str, dict[str, Value]]:
        """What the destination holds, under our names and types, of those whom it knows.

        Empty fields are None. Raises: as `send`.
        """
