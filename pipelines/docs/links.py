"""What the pages of a built site lead to and load: each must be there, and nothing may come from elsewhere."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote, urlsplit

# What a browser fetches by itself, by tag and attribute; an `a` waits until it is clicked.
_LOADS = {
    ("audio", "src"), ("embed", "src"), ("iframe", "src"), ("image", "href"), ("img", "src"), ("img", "srcset"),
    ("input", "src"), ("link", "href"), ("object", "data"), ("script", "src"), ("source", "src"), ("source", "srcset"),
    ("track", "src"), ("use", "href"), ("video", "poster"), ("video", "src"),
}  # fmt: skip
# A `link` that names a page and fetches nothing.
_NAMES_A_PAGE = {"author", "canonical", "next", "prev", "license", "index", "search"}
_IN_STYLE = re.compile(r"""(?:url\(\s*|@import\s+)['"]?([^'")\s;]+)""")


@dataclass
class _Page(HTMLParser):
    """One page: its anchors, its links and what it loads."""

    text: str
    anchors: set[str] = field(default_factory=set)
    links: list[str] = field(default_factory=list)
    loads: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()
        self._in_style = False
        self.feed(self.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = {name: value or "" for name, value in attrs}
        self._in_style = tag == "style"
        self.anchors |= {given[name] for name in ("id", "name") if given.get(name)}
        self.loads += _IN_STYLE.findall(given.get("style", ""))
        names_a_page = tag == "link" and set(given.get("rel", "").split()) <= _NAMES_A_PAGE
        for name, value in given.items():
            if (tag, name) in _LOADS and not names_a_page:
                self.loads += [part.split()[0] for part in value.split(",")] if name == "srcset" else [value]
            elif name in {"href", "action"}:
                self.links.append(value)

    def handle_endtag(self, tag: str) -> None:
        self._in_style = self._in_style and tag != "style"

    def handle_data(self, data: str) -> None:
        if self._in_style:
            self.loads += _IN_STYLE.findall(data)


def broken(site: Path) -> list[str]:
    """`page: link` of each link, picture, script and style that leads to no file or no anchor of the site."""
    pages = _pages(site)
    return [
        f"{page.relative_to(site)}: {link}"
        for page, found in pages.items()
        for link in [*found.links, *found.loads]
        if not _elsewhere(link) and not _there(link, page, pages)
    ]


def from_elsewhere(site: Path) -> list[str]:
    """`file: address` of whatever a page or a style sheet would fetch from another machine."""
    return [f"{path.relative_to(site)}: {load}" for path, load in _loads(site) if _elsewhere(load)]


def _loads(site: Path) -> Iterator[tuple[Path, str]]:
    for page, found in _pages(site).items():
        for load in found.loads:
            yield page, load
    for sheet in sorted(site.rglob("*.css")):
        for load in _IN_STYLE.findall(sheet.read_text(encoding="utf-8")):
            yield sheet, load


def _pages(site: Path) -> dict[Path, _Page]:
    return {page: _Page(page.read_text(encoding="utf-8")) for page in sorted(site.rglob("*.html"))}


def _elsewhere(link: str) -> bool:
    """Whether another machine is named, or nothing that could be missing (data within the page, a mail)."""
    parts = urlsplit(link)
    return bool(parts.netloc) or parts.scheme in {"http", "https", "ftp", "mailto"}


def _there(link: str, page: Path, pages: dict[Path, _Page]) -> bool:
    parts = urlsplit(link)
    if parts.scheme == "data":
        return True
    target = (page.parent / unquote(parts.path)).resolve() if parts.path else page
    if not target.is_file():
        return False
    anchor = unquote(parts.fragment)
    return not anchor or target not in pages or anchor in pages[target].anchors
