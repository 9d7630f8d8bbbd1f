"""What the page's own scripts are and read: text that no browser takes for anything else, wherever it came from."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from markupsafe import Markup

# Parts of the page's one script, in the order in which they are run.
SCRIPTS = ("drawing.js", "list.js", "customer.js", "languages.js")
# What could end the element or start a comment in it, and the line ends that JSON knows and JavaScript once did not.
_ESCAPED = {ord(sign): f"\\u{ord(sign):04x}" for sign in "<>&\u2028\u2029"}


def as_json(document: Any) -> Markup:
    r"""A document for a `<script type="application/json">`: data, which no browser runs.

    >>> print(as_json(["</script>", "<!--"]))
    ["\u003c/script\u003e","\u003c!--"]
    """
    text = json.dumps(document, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return Markup(text.translate(_ESCAPED))  # noqa: S704  escaped above: HTML knows no entities within a script


def common(documents: Sequence[Mapping[str, Any]]) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """What several documents say alike, and of each the rest: what is the same in two languages stands there once.

    >>> common([{"id": [1], "name": "customers"}, {"id": [1], "name": "clients"}])
    ({'id': [1]}, [{'name': 'customers'}, {'name': 'clients'}])
    """
    first, *others = documents
    alike = {name: value for name, value in first.items() if all(each[name] == value for each in others)}
    return alike, [{name: value for name, value in each.items() if name not in alike} for each in documents]


def script() -> Markup:
    """The page's script, ours, and the same for every page."""
    texts = [Path(__file__).with_name(name).read_text(encoding="utf-8") for name in SCRIPTS]
    return Markup("\n".join(texts))  # noqa: S704  files of this package


def policy(run: str) -> str:
    """The page's Content-Security-Policy: it loads nothing, and runs nothing but this script, if any."""
    digest = base64.b64encode(hashlib.sha256(run.encode()).digest()).decode()
    allowed = [f"script-src 'sha256-{digest}'"] if run else []
    return "; ".join(["default-src 'none'", *allowed, "style-src 'unsafe-inline'", "img-src data:"])
