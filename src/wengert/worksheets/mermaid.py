"""The computational graph of a worksheet in Mermaid's language."""

from __future__ import annotations

import re

from wengert.worksheets.drawing import FILL_AND_STROKE, Box, Kind, drawing
from wengert.worksheets.folding import Fold
from wengert.worksheets.worksheet import Worksheet

_BRACKETS: dict[Kind, tuple[str, str]] = {
    "input": ("([", "])"),
    "parameter": ("{{", "}}"),
    "constant": ("[/", "/]"),
    "operation": ("(", ")"),
    "output": ("[[", "]]"),
    "module": ("[", "]"),
}

# Letters of any script, digits, spaces and a little punctuation are safe in a quoted label. A dot, plus or
# minus before a space is not: Mermaid takes "1. x" and "- x" for Markdown lists.
_UNSAFE = re.compile(r"[.+-](?=\s|$)|[^\w =(),.+-]|_")


def to_mermaid(sheet: Worksheet, fold: Fold = None) -> str:
    """The graph of ``sheet`` as a Mermaid flowchart, for a Markdown page.

    ``fold`` draws modules as one box each: those below a depth (0 for all), or those of the given names. The
    text needs nothing installed. Mermaid draws up to 500 edges unless the page raises ``maxEdges``.
    Raises `ValueError` where a row reads an id that no earlier row has.

    Source: https://mermaid.js.org/syntax/flowchart.html

    >>> from wengert.worksheets.worksheet import Formula, Row, Worksheet
    >>> x = Row(0, Formula("v₀", "v_{0}"), "x", "input", (), Formula("x", "x"), 3.0)
    >>> y = Row(1, Formula("v₁", "v_{1}"), "", "multiply", (0, 0), Formula("v₀·v₀", r"v_{0} v_{0}"), 9.0)
    >>> sheet = Worksheet("x*x", "reverse", "float", ("x",), (x, y), 9.0, {"x": 6.0}, output=1)
    >>> print(to_mermaid(sheet).splitlines()[0])
    flowchart LR
    >>> print(to_mermaid(sheet).count("v0 --> v1"))
    2
    """
    graph = drawing(sheet, fold)
    lines = [
        "flowchart LR",
        *(f"  {_box(box)}" for box in graph.boxes),
        *(f"  {_name(source)} --> {_name(target)}" for source, target in graph.edges),
    ]
    for kind in dict.fromkeys(box.kind for box in graph.boxes):
        fill, stroke = FILL_AND_STROKE[kind]
        dashes = ",stroke-dasharray:4 3" if kind == "constant" else ""
        lines.append(f"  classDef {kind} fill:{fill},stroke:{stroke},color:#111111{dashes}")
    lines += [f"  style {_name(box.id)} stroke-width:4px" for box in graph.boxes if box.output]
    return "\n".join(lines) + "\n"


def _box(box: Box) -> str:
    opening, closing = _BRACKETS[box.kind]
    label = "<br>".join(_escaped(line) for line in box.lines)
    return f'{_name(box.id)}{opening}"{label}"{closing}:::{box.kind}'


def _name(number: int) -> str:
    return f"v{number}".replace("-", "m")


def _escaped(text: str) -> str:
    return _UNSAFE.sub(lambda match: f"#{ord(match[0])};" if match[0].isascii() else match[0], text)
