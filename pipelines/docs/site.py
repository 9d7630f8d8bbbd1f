"""The site of docs/ and notebooks/: `python -m pipelines.docs.site` builds it into site/ and checks every link.

The pages in docs/ are readable where they lie. Sphinx reads a copy of them in which the notebooks stand beside them and
the drawings stand in the pages, so that they take the colours of the page and are read aloud.
"""

from __future__ import annotations

import io
import json
import re
import shutil
import sys
import tempfile
import time
from contextlib import redirect_stderr
from pathlib import Path
from typing import Any

from pipelines.docs.links import broken, from_elsewhere
from pipelines.docs.page import DOCS

ROOT = DOCS.parent
SITE = ROOT / "site"
NOTEBOOKS = ROOT / "notebooks"
EXECUTED = ROOT / ".tools" / "notebooks"  # copies with outputs, where somebody made them

_DRAWING = re.compile(r"^!\[[^\]]*\]\((drawings/[a-z-]+\.svg)\)$", re.MULTILINE)
_PAGE_NAMED = re.compile(r"\bdocs/([a-z-]+)\.md\b")
_UNREAD = ("*.map", ".buildinfo", "objects.inv", "webpack-macros.html")  # no page needs them
_AS_IT_IS = "> Shown as it is in the repository, without outputs.\n"


class SiteError(Exception):
    """The site cannot be built from what is there; says what is wrong and what helps."""


def stage(source: Path, *, docs: Path = DOCS, notebooks: Path = NOTEBOOKS, executed: Path = EXECUTED) -> None:
    """What Sphinx reads, in the folder `source`: the pages with drawings, and notebooks, executed where they are."""
    shutil.copytree(docs, source)
    for page in sorted(source.rglob("*.md")):
        text = page.read_text(encoding="utf-8").replace("](../notebooks/", "](notebooks/")
        page.write_text(_DRAWING.sub(lambda found: _drawn(docs / found[1]), text), encoding="utf-8")
    (source / "notebooks").mkdir()
    for plain in sorted(notebooks.glob("*.ipynb")):
        ran = executed / plain.name
        shown = _notebook(ran if ran.is_file() else plain)
        (source / "notebooks" / plain.name).write_text(shown, encoding="utf-8")


def _drawn(drawing: Path) -> str:
    """The drawing itself in the place of the picture."""
    svg = re.sub(r"\n\s*\n", "\n", drawing.read_text(encoding="utf-8")).strip()
    return f'```{{raw}} html\n<div class="drawing-frame" tabindex="0">\n{svg}\n</div>\n```'


def _notebook(path: Path) -> str:
    """A notebook whose first cell says which data it ran on. Outputs without that word are refused."""
    document = json.loads(path.read_text(encoding="utf-8"))
    for cell in document["cells"]:
        if "outputs" in cell:
            cell["outputs"] = [each for each in cell["outputs"] if not _says_nothing(each)]
    has_outputs = any(cell.get("outputs") for cell in document["cells"])
    ran_on = document["metadata"].get("ran_on")
    if has_outputs and not ran_on:
        raise SiteError(
            f"{path.name} has outputs and does not say of which data: set `ran_on` in its metadata, a sentence"
        )
    told = f"> **Ran on:** {ran_on}\n" if has_outputs else _AS_IT_IS
    for cell in document["cells"]:
        if cell["cell_type"] == "markdown":
            cell["source"] = _PAGE_NAMED.sub(r"[\1](../\1.md)", "".join(cell["source"]))
    first = document["cells"][0]
    title, _, rest = first["source"].partition("\n")
    first["source"] = f"{title}\n\n{told}\n{rest.lstrip()}"
    return json.dumps(document, ensure_ascii=False).replace(f"{ROOT}/", "")


def _says_nothing(output: dict[str, Any]) -> bool:
    """Whether an output is what a cell gave back beside its drawing: an object by its address."""
    data = output.get("data", {})
    return set(data) == {"text/plain"} and "".join(data["text/plain"]).startswith("<")


def build(site: Path = SITE, *, docs: Path = DOCS, notebooks: Path = NOTEBOOKS, executed: Path = EXECUTED) -> int:
    """Builds the site anew and says how many pages it has. A warning or a link to nowhere ends it."""
    from sphinx.cmd.build import build_main

    with tempfile.TemporaryDirectory() as place:
        source, made = Path(place, "source"), Path(place, "site")
        stage(source, docs=docs, notebooks=notebooks, executed=executed)
        told = io.StringIO()
        options = ["--quiet", "--fail-on-warning", "--keep-going", "--no-color", "-d", str(Path(place, "doctrees"))]
        with redirect_stderr(told):
            failed = build_main([*options, str(source), str(made)])
        if failed:
            raise SiteError(told.getvalue().replace(f"{source}/", "docs/") + "the pages are not as Sphinx wants them")
        for unread in [path for pattern in _UNREAD for path in made.rglob(pattern)]:
            unread.unlink()
        faults = [f"{each}: leads nowhere" for each in broken(made)]
        faults += [
            f"{each}: comes from elsewhere, and the site must be readable without" for each in from_elsewhere(made)
        ]
        if faults:
            raise SiteError("\n".join(faults))
        shutil.rmtree(site, ignore_errors=True)
        shutil.copytree(made, site)
    return len(list(site.rglob("*.html")))


def main(arguments: list[str]) -> int:
    """Exit code: 0 built, 1 not buildable, 2 for arguments that it does not know."""
    if arguments:
        sys.stderr.write("usage: python -m pipelines.docs.site\n")
        return 2
    started = time.monotonic()
    try:
        pages = build()
    except SiteError as error:
        sys.stderr.write(f"{error}\n")
        return 1
    sys.stdout.write(f"{pages} pages in {time.monotonic() - started:.0f} s: {SITE / 'index.html'}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
