from __future__ import annotations

from pathlib import Path

import pytest

from pipelines.docs.links import broken, from_elsewhere

OTHER = '<html><body><h1 id="top">Other</h1></body></html>'


def site(folder: Path, body: str, head: str = "") -> Path:
    (folder / "deep").mkdir()
    (folder / "picture one.svg").write_text("<svg/>")
    (folder / "deep" / "other.html").write_text(OTHER)
    (folder / "index.html").write_text(f"<html><head>{head}</head><body>{body}</body></html>")
    return folder


@pytest.mark.parametrize(
    "link",
    ["deep/other.html", "deep/other.html#top", "#here", "#", "index.html#here", "picture%20one.svg",
     "https://example.com/nowhere", "mailto:you@example.com", "deep/../index.html"],
)  # fmt: skip
def test_a_link_that_leads_somewhere_is_fine(tmp_path: Path, link: str) -> None:
    assert broken(site(tmp_path, f'<p id="here"><a href="{link}">x</a></p>')) == []


@pytest.mark.parametrize(
    "link",
    ["deep/missing.html", "deep/other.html#bottom", "#nowhere", "deep", "../index.html", "/index.html", "other.html"],
)
def test_a_link_that_leads_nowhere_is_named_with_its_page(tmp_path: Path, link: str) -> None:
    assert broken(site(tmp_path, f'<a href="{link}">x</a>')) == [f"index.html: {link}"]


@pytest.mark.parametrize("body", ['<img src="missing.png">', '<script src="missing.js"></script>'])
def test_what_a_page_loads_must_be_there(tmp_path: Path, body: str) -> None:
    assert len(broken(site(tmp_path, body))) == 1


@pytest.mark.parametrize(
    "body",
    [
        '<img src="https://example.com/a.png">',
        '<img src="//example.com/a.png">',
        '<img src="picture%20one.svg" srcset="picture%20one.svg 1x, https://example.com/a.png 2x">',
        '<script src="http://example.com/a.js"></script>',
        '<link rel="stylesheet" href="https://example.com/a.css">',
        '<link rel="preload" as="font" href="https://example.com/a.woff2">',
        '<iframe src="https://example.com/"></iframe>',
        '<p style="background: url(https://example.com/a.png)">x</p>',
        "<style>@import 'https://example.com/a.css';</style>",
        "<style>p { background: url('https://example.com/a.png') }</style>",
    ],
)
def test_whatever_would_be_fetched_from_elsewhere_is_named(tmp_path: Path, body: str) -> None:
    found = from_elsewhere(site(tmp_path, body))
    assert len(found) == 1
    assert "example.com" in found[0]


def test_a_style_sheet_that_fetches_from_elsewhere_is_named(tmp_path: Path) -> None:
    (tmp_path / "site.css").write_text("@font-face { src: url(https://fonts.example.com/a.woff2) }")
    assert from_elsewhere(tmp_path) == ["site.css: https://fonts.example.com/a.woff2"]


@pytest.mark.parametrize(
    ("head", "body"),
    [
        ("", '<a href="https://example.com/">a link waits until it is clicked</a>'),
        ('<link rel="canonical" href="https://example.com/">', ""),
        ("", '<img src="data:image/png;base64,iVBORw0KGgo=">'),
    ],
)
def test_what_fetches_nothing_is_fine(tmp_path: Path, head: str, body: str) -> None:
    assert from_elsewhere(site(tmp_path, body, head)) == []
