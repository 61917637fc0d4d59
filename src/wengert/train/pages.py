"""Pages of HTML with everything in them, which open without a network and print well.

Every text is escaped, nothing in a page can run, and the page says so to the browser. It follows the
reader's light or dark setting, and every plot has its text alternative.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from importlib.resources import files
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert import __version__
from wengert.files import write_whole
from wengert.optional import require
from wengert.train.figures import FAINT, INK, alternative_text, figure_svg

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Section", "Table", "page", "shown", "write_report"]


@dataclass(frozen=True)
class Table:
    """A table with a caption. The first column names the rows; ``marked`` are the numbers of rows to stress.

    Raises ValueError for a row of another length than ``columns``.

    >>> table = Table("Scores", ["part", "accuracy"], [["validation", 0.9312], ["test", 0.9274]])
    """

    caption: str
    columns: Sequence[Any]
    rows: Sequence[Sequence[Any]]
    marked: Sequence[int] = ()

    def __post_init__(self) -> None:
        for place, row in enumerate(self.rows):
            if len(row) != len(self.columns):
                raise ValueError(
                    f"rows: expected {len(self.columns)} cells, one per column, got {len(row)} in row {place}"
                )


@dataclass(frozen=True)
class Section:
    """A heading, then paragraphs (parted by blank lines), tables, figures and lines of code."""

    title: str
    text: str = ""
    tables: Sequence[Table] = ()
    figures: Sequence[Figure] = ()
    code: str = ""


def write_report(path: str | Path, title: str, sections: Iterable[Section]) -> None:
    """Write a report as one HTML file, whole or not at all.

    Raises OSError as `open` does, ImportError without jinja2 or matplotlib.

    >>> import pathlib, tempfile
    >>> file = pathlib.Path(tempfile.mkdtemp()) / "report.html"
    >>> write_report(file, "A & B", [Section("Scores", "Both are <equal>.")])
    >>> "<h1>A &amp; B</h1>" in file.read_text(encoding="utf-8")
    True
    """
    write_whole(path, page(title, sections))


def page(title: str, sections: Iterable[Section]) -> str:
    """The HTML of a report."""
    jinja = require("jinja2", "a report", "learn")
    environment = jinja.Environment(autoescape=True, undefined=jinja.StrictUndefined, trim_blocks=False)
    source = files("wengert.train").joinpath("templates/report.html.j2").read_text(encoding="utf-8")
    drawings = _Drawings()
    content = [_section(section, drawings) for section in sections]
    rendered: str = environment.from_string(source).render(title=title, sections=content, version=__version__)
    return rendered + "\n"


def shown(value: Any) -> str:
    """A value as a cell shows it: numbers with four decimals or digits, lists with commas, nothing for None.

    >>> shown(0.123456789), shown(164650.3), shown((64, 32)), shown(None), shown(True), shown(1e-5)
    ('0.1235', '164,650', '64, 32', '', 'yes', '1e-05')
    """
    if value is None:
        return ""
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, float | np.floating):
        return _number(float(value))
    if isinstance(value, list | tuple | set):
        return ", ".join(shown(part) for part in value)
    if isinstance(value, Mapping):
        return ", ".join(f"{name}={shown(part)}" for name, part in value.items())
    return str(value)


def _number(value: float) -> str:
    if not math.isfinite(value):
        return str(value)
    if abs(value) >= 1000:
        return f"{value:,.0f}" if abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:.4f}" if abs(value) >= 0.001 else f"{value:.4g}"


def installed(package: str) -> str | None:
    """The version of a package, None where it is not installed."""
    try:
        return version_of(package)
    except PackageNotFoundError:
        return None


class _Drawings:
    """Figures as inline SVG: ids that no two of them share, ink and grid in the colours of the page."""

    def __init__(self) -> None:
        self.count = 0

    def inline(self, figure: Figure) -> dict[str, Any]:
        self.count += 1
        prefix = f"figure-{self.count}-"

        def adapted(tag: re.Match[str]) -> str:
            text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{prefix}", tag[0])
            text = text.replace(f": {INK}", f": var(--ink, {INK})")
            return text.replace(f"stroke: {FAINT}", f"stroke: var(--grid, {FAINT})")

        drawing = re.sub(r"<[^<>]*>", adapted, figure_svg(figure))  # tags only, never the texts between them
        markup = require("markupsafe", "a report", "learn").Markup
        return {"drawing": markup(drawing), "words": alternative_text(figure)}


def _section(section: Section, drawings: _Drawings) -> dict[str, Any]:
    return {
        "title": section.title,
        "paragraphs": [part.strip() for part in re.split(r"\n\s*\n", section.text) if part.strip()],
        "tables": [_table(table) for table in section.tables],
        "figures": [drawings.inline(figure) for figure in section.figures],
        "code": section.code,
    }


def _table(table: Table) -> dict[str, Any]:
    columns = list(zip(*table.rows, strict=True)) if table.rows else [()] * len(table.columns)
    return {
        "caption": table.caption,
        "columns": [str(name) for name in table.columns],
        "rows": [[shown(cell) for cell in row] for row in table.rows],
        "numeric": [_all_numbers(column) for column in columns],
        "marked": set(table.marked),
    }


def _all_numbers(cells: Sequence[Any]) -> bool:
    kinds = (int, float, np.integer, np.floating)
    return any(cell is not None for cell in cells) and all(
        cell is None or (isinstance(cell, kinds) and not isinstance(cell, bool)) for cell in cells
    )
