"""How Sphinx makes the site of these pages; `make docs` calls it (pipelines/docs/site.py)."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

project = "attrition"
html_title = "attrition"
language = "en"
smartquotes = False  # what is to be typed is shown as it is to be typed

extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
exclude_patterns = ["_build"]

# Anchors of headings are those that a code forge gives them, so that one link serves both.
myst_heading_anchors = 4
myst_links_external_new_tab = False

# Notebooks are shown with the outputs that they have; nothing runs here, and no script of theirs is loaded.
nb_execution_mode = "off"
nb_ipywidgets_js = {}
nb_output_stderr = "remove"  # warnings of libraries, with paths of the machine that ran them
nb_merge_streams = True

# Docstrings are numpydoc's (Parameters, Returns, Raises).
default_role = "code"
napoleon_google_docstring = False
napoleon_use_rtype = False
autodoc_typehints = "none"
autodoc_member_order = "bysource"
add_module_names = False

html_theme = "pydata_sphinx_theme"
html_theme_options = {
    "header_links_before_dropdown": 8,
    "navbar_align": "left",
    "navbar_end": ["theme-switcher"],
    "search_bar_text": "Search these pages",
    "show_prev_next": True,
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": [],
    "footer_end": [],
}
# Pages that have none beside them need no list of those.
html_sidebars = {page: [] for page in ("index", "quick-start", "tutorial", "concepts", "limits", "search")}
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_show_sourcelink = False
html_copy_source = False
html_use_index = False

_FIELD = re.compile(r"^([a-z_]+(?:, [a-z_]+)*): (.*)$")


def fields_as_list(_app: Any, _what: str, _name: str, documented: Any, _options: Any, lines: list[str]) -> None:
    """`field: meaning`, as our data classes tell their fields, becomes a list with an entry each."""
    if not dataclasses.is_dataclass(documented):
        return
    told: list[str] = []
    for line in lines:
        found = _FIELD.match(line)
        if found:
            told += [] if told and told[-1].startswith(("- ", "  ")) else [""]
            told.append(f"- `{found[1]}`: {found[2]}")
        else:
            told.append(f"  {line.strip()}" if line.startswith("    ") else line)
    lines[:] = told


def setup(app: Any) -> None:
    """What Sphinx calls once it has read this file."""
    app.connect("autodoc-process-docstring", fields_as_list)
