from __future__ import annotations

import json
import re
import shutil
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import pytest

from pipelines.docs.page import DOCS
from pipelines.docs.site import NOTEBOOKS, ROOT, SiteError, build, stage

if TYPE_CHECKING:
    from playwright.sync_api import Browser

pytest.importorskip("sphinx", reason="needs the packages of the group docs: make install")

AXE = ROOT / "tests" / "axe" / "axe.min.js"
PAGES = sorted(path.relative_to(DOCS).with_suffix("") for path in DOCS.rglob("*.md"))
TOCTREE = re.compile(r"^```\{toctree\}\n(.*?)^```$", re.MULTILINE | re.DOTALL)
RELATIVE = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)(?:#[^)]*)?\)")


@pytest.fixture(autouse=True)
def others_warnings_are_no_errors() -> Iterator[None]:
    """What Sphinx itself warns of fails the build; deprecations between its packages do not."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("site") / "site"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        build(place)
    return place


def in_toctrees() -> set[str]:
    found = set()
    for page in DOCS.rglob("*.md"):
        for block in TOCTREE.findall(page.read_text(encoding="utf-8")):
            for line in block.splitlines():
                entry = re.sub(r"^.*<(.*)>$", r"\1", line.strip())
                if entry and not entry.startswith(":"):
                    found |= {
                        path.relative_to(DOCS).with_suffix("").as_posix() for path in page.parent.glob(f"{entry}.md")
                    }
                    found.add((page.parent / entry).relative_to(DOCS).as_posix())
    return found


def test_every_page_and_every_notebook_stands_in_a_toctree() -> None:
    wanted = {page.as_posix() for page in PAGES} | {f"notebooks/{path.stem}" for path in NOTEBOOKS.glob("*.ipynb")}
    assert wanted - in_toctrees() == {"index"}


def test_every_page_and_every_notebook_is_in_the_site(site: Path) -> None:
    assert all((site / f"{page}.html").is_file() for page in PAGES)
    assert all((site / "notebooks" / f"{path.stem}.html").is_file() for path in NOTEBOOKS.glob("*.ipynb"))


@pytest.mark.parametrize("page", [*PAGES, Path("../README"), Path("../CONTRIBUTING")], ids=str)
def test_links_lead_somewhere_where_the_pages_lie_too(page: Path) -> None:
    source = (DOCS / page).with_suffix(".md")
    links = RELATIVE.findall(re.sub(r"```.*?```|`[^`]*`", "", source.read_text(encoding="utf-8"), flags=re.DOTALL))
    assert [link for link in links if not (source.parent / link).exists()] == []


def test_docstrings_stand_in_the_site(site: Path) -> None:
    text = (site / "python.html").read_text(encoding="utf-8")
    for name in ("OpenedWorkspace.training_set", "ChurnClassifier.fit", "SnapshotSplit.split", "Indicator"):
        assert re.search(rf'id="[a-z._]*{re.escape(name)}"', text), name


def test_drawings_stand_in_the_page_with_title_and_description(site: Path) -> None:
    text = (site / "concepts.html").read_text(encoding="utf-8")
    drawings = sorted((DOCS / "drawings").glob("*.svg"))
    assert text.count('class="drawing"') == len(drawings)
    assert all(
        f'<title id="{path.stem}-title">' in text and f'<desc id="{path.stem}-desc">' in text for path in drawings
    )


def test_a_browser_asks_no_other_machine(site: Path, browser: Browser) -> None:
    asked: list[str] = []
    page = browser.new_page()
    page.on("request", lambda request: asked.append(request.url))
    for name in ("index", "concepts", "settings", "python", "notebooks/first_look", "search"):
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("networkidle")
    page.close()
    assert asked
    assert [url for url in asked if not url.startswith(("file:", "data:"))] == []


def test_the_search_finds_a_setting_without_a_network(site: Path, browser: Browser) -> None:
    page = browser.new_page()
    page.goto((site / "search.html").as_uri() + "?q=embargo_days")
    page.wait_for_selector("#search-results li a")
    found = [link.get_attribute("href") for link in page.query_selector_all("#search-results li a")]
    page.close()
    assert any(link and link.startswith("settings.html") for link in found)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_pages_can_be_read_aloud_and_have_contrast(
    site: Path, browser: Browser, scheme: Literal["light", "dark"]
) -> None:
    page = browser.new_page(color_scheme=scheme)
    for name in ("index", "concepts", "settings", "python"):
        page.goto((site / f"{name}.html").as_uri())
        page.evaluate(AXE.read_text(encoding="utf-8"))
        found = page.evaluate("axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21aa']})")
        assert [(name, each["id"], each["nodes"][0]["html"]) for each in found["violations"]] == []
    page.close()


def test_a_page_is_no_wider_than_a_telephone(site: Path, browser: Browser) -> None:
    page = browser.new_page(viewport={"width": 390, "height": 800})
    for name in ("index", "concepts", "settings", "tutorial", "command-line", "notebooks/first_look"):
        page.goto((site / f"{name}.html").as_uri())
        assert page.evaluate("document.documentElement.scrollWidth") <= 390, name
    page.close()


def small(folder: Path, text: str) -> Path:
    """Pages of which one has something wrong in it."""
    docs = folder / "docs"
    docs.mkdir()
    shutil.copy(DOCS / "conf.py", docs)
    shutil.copytree(DOCS / "_static", docs / "_static")
    (docs / "index.md").write_text(f"# All\n\n{text}\n\n```{{toctree}}\nother\n```\n")
    (docs / "other.md").write_text("# Other\n\n## Here\n")
    return docs


@pytest.mark.parametrize("text", ["[x](other.md#here)", "[x](other.md)", "[x](#all)"])
def test_a_page_whose_links_lead_somewhere_is_built(tmp_path: Path, text: str) -> None:
    docs = small(tmp_path, text)
    assert build(tmp_path / "site", docs=docs, notebooks=tmp_path / "none", executed=tmp_path / "none") == 3


@pytest.mark.parametrize(
    "text",
    ["[x](missing.md)", "[x](other.md#nowhere)", "[x](#nowhere)", "![x](missing.png)", '<a href="missing.html">x</a>',
     "![x](https://example.com/a.png)"],
)  # fmt: skip
def test_a_link_to_nowhere_and_a_picture_from_elsewhere_end_the_build(tmp_path: Path, text: str) -> None:
    docs = small(tmp_path, text)
    with pytest.raises(SiteError):
        build(tmp_path / "site", docs=docs, notebooks=tmp_path / "none", executed=tmp_path / "none")
    assert not (tmp_path / "site").exists()


def notebook(*, outputs: bool, **metadata: Any) -> str:
    ran: list[dict[str, Any]] = []
    if outputs:
        address = {"text/plain": ["<Axes at 0x7f31>"]}
        ran += [
            {"output_type": "stream", "name": "stdout", "text": [f"69659 rows of {ROOT}/demo\n"]},
            {"output_type": "execute_result", "metadata": {}, "execution_count": 1, "data": address},
        ]
    cells = [
        {"cell_type": "markdown", "metadata": {}, "source": ["# A look\n", "\n", "As docs/tables.md says."]},
        {"cell_type": "code", "metadata": {}, "source": ["1"], "execution_count": None, "outputs": ran},
    ]
    return json.dumps({"cells": cells, "metadata": metadata, "nbformat": 4, "nbformat_minor": 5})


def staged(folder: Path, executed: str | None) -> str:
    (folder / "notebooks").mkdir()
    (folder / "ran").mkdir()
    (folder / "notebooks" / "look.ipynb").write_text(notebook(outputs=False))
    if executed is not None:
        (folder / "ran" / "look.ipynb").write_text(executed)
    stage(folder / "source", docs=small(folder, ""), notebooks=folder / "notebooks", executed=folder / "ran")
    return (folder / "source" / "notebooks" / "look.ipynb").read_text()


def test_without_executed_notebooks_those_of_the_repository_are_shown_and_it_is_said(tmp_path: Path) -> None:
    shown = staged(tmp_path, None)
    assert "without outputs" in shown
    assert "As [tables](../tables.md) says." in shown


def test_executed_notebooks_are_taken_and_say_which_data_they_ran_on(tmp_path: Path) -> None:
    shown = staged(tmp_path, notebook(outputs=True, ran_on="a simulated company"))
    assert "69659 rows of demo" in shown
    assert "Axes" not in shown
    assert "**Ran on:** a simulated company" in shown


def test_outputs_of_unnamed_data_are_refused(tmp_path: Path) -> None:
    with pytest.raises(SiteError, match=r"look\.ipynb has outputs and does not say of which data"):
        staged(tmp_path, notebook(outputs=True))
