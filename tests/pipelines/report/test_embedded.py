"""Data and script within the page: what a source holds stays data, and no other script would run."""

from __future__ import annotations

import json

import pytest

from pipelines.report.embedded import as_json, policy, script


@pytest.mark.parametrize(
    "text", ["</script>", "</SCRIPT >", "<!--", "<script", "]]>", "&lt;", "\u2028\u2029", "\u202e", '"\\']
)
def test_no_text_ends_the_element_or_starts_another_and_all_comes_back(text: str) -> None:
    written = str(as_json({text: [text]}))
    assert not set("<>&\u2028\u2029") & set(written)
    assert json.loads(written) == {text: [text]}


def test_what_json_does_not_know_is_refused() -> None:
    with pytest.raises(ValueError, match="JSON"):
        as_json(float("nan"))


def test_the_policy_lets_this_script_run_and_nothing_load() -> None:
    assert policy("let a = 1;") == (
        "default-src 'none'; script-src 'sha256-xY6QKfH9PRsQnLz56nj6MBwiK5oHg+im1Jkpdp1x/Ck='; "
        "style-src 'unsafe-inline'; img-src data:"
    )
    assert "script-src" not in policy("")


def test_the_script_writes_no_html_and_evaluates_nothing() -> None:
    text = script()
    assert "</script" not in text.lower()
    for way in (
        "innerHTML",
        "outerHTML",
        "insertAdjacentHTML",
        "setHTML",
        "document.write",
        "eval(",
        "Function(",
        "fetch(",
        "import(",
    ):
        assert way not in text, way
    assert text.count("\n") <= 400
