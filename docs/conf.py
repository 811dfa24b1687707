"""How Sphinx makes the site of `make docs`: MyST for Markdown, the examples as saved, nothing fetched."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from pygments.lexers.special import TextLexer

from ollama_magic.version import __version__ as release

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "ollama_magic"
author = "The ollama_magic developers"
copyright = author
version = release
extensions = ["myst_nb"]
# The source folder is the repository, so that links between docs/, examples/ and README.md hold here as they do there.
root_doc = "docs/index"
include_patterns = ["docs/**", "examples/*.ipynb", "README.md", "README.zh.md", "CONTRIBUTING.md", "CHANGELOG.md"]
exclude_patterns = ["docs/_build", ".*", "**/.ipynb_checkpoints"]
nb_execution_mode = "off"  # the tests run the cells; what stands here is what is saved
nb_ipywidgets_js: dict[str, dict[str, str]] = {}  # they come from a CDN
myst_heading_anchors = 4
myst_links_external_new_tab = True
highlight_language = "none"  # a cell that begins with %% is no Python
html_theme = "furo"
html_title = f"ollama_magic {release}"
html_show_sourcelink = False
html_show_sphinx = False


def setup(app: Sphinx) -> None:
    """Show the picture of the rooms as its text, and lead from the top of the site to its first page."""
    app.add_lexer("mermaid", TextLexer)
    app.connect("build-finished", _index)


def _index(app: Sphinx, error: Exception | None) -> None:
    if error is None and app.builder.format == "html":
        first = f"{root_doc}.html"
        page = f'<!doctype html><meta charset="utf-8"><meta http-equiv="refresh" content="0; url={first}">'
        (Path(app.outdir) / "index.html").write_text(f'{page}<a href="{first}">{project}</a>\n', "utf8")
