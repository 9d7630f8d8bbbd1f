"""How a system takes and gives records as JSON: the parts of a destination of kind "rest".

A place in a document is written as names with points between them, like `data.attributes.profiles.data`; a number is a
place in a list, and nothing is the document itself.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue

from pipelines.foundation.settings.section import Seconds, Section

Place = Annotated[str, Field(pattern=r"^$|^[^.]+(\.[^.]+)*$")]


def _path(*allowed: str, needs: bool = False) -> AfterValidator:
    def check(value: str) -> str:
        if not re.fullmatch(r"/[!-~]*", value) or "#" in value:
            raise ValueError(f"'{value}' is no path: it starts with / and holds no spaces")
        found = re.findall(r"\{(\w+)\}", value)
        if set(found) - set(allowed) or len(found) > 1 or (needs and not found):
            spelled = " or ".join(f"{{{name}}}" for name in allowed)
            wanted = f"must hold {'' if needs else 'at most '}one {spelled}" if allowed else "holds nothing in braces"
            raise ValueError(f"'{value}' is no such path: it {wanted}")
        return value

    return AfterValidator(check)


class Errors(Section):
    """Which records an answer refuses. at: the list; id_at, why_at: in each of its items.

    An item that names none of the records sent leads to their being sent again in halves.
    """

    at: Place
    id_at: Place
    why_at: Place = "message"


class Write(Section):
    """The call that writes. With {id} in the path it writes one record, and the record is the body.

    Otherwise the body is `envelope` with the list of records at `list_at`.
    creates: whether it makes customers whom the system does not know; otherwise it answers 404.
    """

    method: Literal["POST", "PUT", "PATCH"] = "POST"
    path: Annotated[str, _path("id")]
    envelope: dict[str, JsonValue] = Field(default_factory=dict)
    list_at: Place = ""
    creates: bool = True
    errors: Errors | None = None


class Job(Section):
    """Where the answer to a write names work that goes on, at `id_at`. path: what tells of it, with {job}.

    done, failed: what `state_at` holds at the end. errors: in what `errors_path` answers, or in the last state.
    failed_at: how many records failed; where more did than `errors` names, they are sent again in halves.
    wait_seconds: how long the end is waited for. poll_seconds: the first pause between two questions; it grows.
    """

    id_at: Place
    path: Annotated[str, _path("job", needs=True)]
    state_at: Place
    done: Annotated[tuple[str, ...], Field(min_length=1)]
    failed: tuple[str, ...] = ()
    errors_path: Annotated[str, _path("job", needs=True)] | None = None
    errors: Errors | None = None
    failed_at: Place = ""
    wait_seconds: Seconds = 120.0
    poll_seconds: Seconds = 0.5


class Read(Section):
    """The call that finds customers: one with {id} in the path; or with {ids} a batch, as JSON texts with commas.

    at: the record, or the list of records; one answer must hold all that were asked for. 404: it knows nobody of them.
    """

    path: Annotated[str, _path("id", "ids", needs=True)]
    at: Place = ""


class FieldList(Section):
    """The call that lists the fields of the system. at: the list; name_at: the name in each of its items."""

    path: Annotated[str, _path()]
    at: Place = ""
    name_at: Place = "name"
