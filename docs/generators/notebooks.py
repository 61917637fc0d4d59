"""Notebooks: kept as text, executed while the site is built, and shown with what they print and draw."""

from __future__ import annotations

import copy
import functools
import hashlib
import html
import json
import re
import tempfile
from pathlib import Path
from typing import Any

import jupytext
import nbclient

OUTPUTS: dict[str, str] = {}
"""What cells gave as HTML, by the key that stands in its place on the page."""

PLACE = re.compile(r"<!-- output (\w+) -->")
FOLDER = Path(__file__).resolve().parent.parent / "notebooks"
SECONDS = 300
FIGURES = """
from wengert.train.figures import figure_svg
formatter = get_ipython().display_formatter.formatters["image/svg+xml"]
formatter.for_type_by_name("matplotlib.figure", "Figure", figure_svg)
"""
"""Run behind the first cell, unseen: figures as SVG with their descriptions, for the page."""


def names() -> list[str]:
    """The notebooks, in the order of their files."""
    return sorted(path.stem for path in FOLDER.glob("*.md"))


def pages() -> list[tuple[str, str]]:
    """The addresses of the pages and their Markdown. Raises nbclient's error where a cell fails."""
    return [(f"notebooks/{name}.md", _page(name, executed(name))) for name in names()]


def files() -> list[tuple[str, str]]:
    """The executed notebooks themselves, to be taken away."""
    return [(f"notebooks/{name}.ipynb", json.dumps(executed(name), indent=1)) for name in names()]


def executed(name: str) -> Any:
    """A notebook with its results."""
    return _executed((FOLDER / f"{name}.md").read_text(encoding="utf-8"))


@functools.cache
def _executed(text: str) -> Any:
    notebook = jupytext.reads(text, fmt="md")
    for number, cell in enumerate(notebook.cells):
        cell.id = f"cell-{number}"
    first = next(k for k, cell in enumerate(notebook.cells) if cell.cell_type == "code")
    unseen = copy.deepcopy(notebook.cells[first])
    unseen.update(id="figures", source=FIGURES)
    notebook.cells.insert(first + 1, unseen)
    with tempfile.TemporaryDirectory() as folder:
        client = nbclient.NotebookClient(
            notebook,
            timeout=SECONDS,
            kernel_name="python3",
            resources={"metadata": {"path": folder}},
            extra_arguments=["--log-level=ERROR"],
        )
        client.execute()
    del notebook.cells[first + 1]
    return notebook


def _page(name: str, notebook: Any) -> str:
    parts = []
    for cell in notebook.cells:
        if cell.cell_type == "markdown":
            parts.append(cell.source)
        elif cell.cell_type == "code":
            parts.append(f"```python\n{cell.source}\n```")
            parts += [_shown(output) for output in cell.outputs]
    title, *rest = parts
    note = f"[The notebook]({name}.ipynb){{ .notebook download }}, as it was run for this page."
    return "\n\n".join([title, note, *filter(None, rest)]) + "\n"


def with_outputs(page: str) -> str:
    """The finished page with what its cells drew: that goes past Markdown, which would change it."""
    return PLACE.sub(lambda found: OUTPUTS[found[1]], page)


def _shown(output: Any) -> str:
    """What a cell gave: the richest form that a page can hold."""
    if output.output_type == "stream":
        return _text(output.text)
    data = output.get("data", {})
    if "text/html" in data:
        return _kept(data["text/html"])
    if "image/svg+xml" in data:
        drawing = data["image/svg+xml"]
        return _kept(drawing[drawing.index("<svg") :])
    if "image/png" in data:
        words = html.escape(data.get("text/plain", ""))
        return _kept(f'<img alt="{words}" src="data:image/png;base64,{data["image/png"].strip()}">')
    if "text/latex" in data:
        return str(data["text/latex"])
    return _text(data.get("text/plain", ""))


def _kept(content: str) -> str:
    key = hashlib.sha256(content.encode()).hexdigest()[:16]
    OUTPUTS[key] = content
    return f'<div class="output"><!-- output {key} --></div>'


def _text(text: str) -> str:
    return f"```{{ .text .gave }}\n{text.rstrip()}\n```"
