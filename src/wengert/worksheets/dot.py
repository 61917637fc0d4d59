"""The computational graph of a worksheet in Graphviz's language."""

from __future__ import annotations

from wengert.worksheets.drawing import FILL_AND_STROKE, Box, Kind, drawing
from wengert.worksheets.folding import Fold
from wengert.worksheets.worksheet import Worksheet

_SHAPES: dict[Kind, str] = {
    "input": 'shape="ellipse", style="filled"',
    "parameter": 'shape="hexagon", style="filled"',
    "constant": 'shape="parallelogram", style="filled,dashed"',
    "operation": 'shape="box", style="filled,rounded"',
    "output": 'shape="box", style="filled,bold"',
    "module": 'shape="box", style="filled", penwidth=2.5',
}


def to_dot(sheet: Worksheet, fold: Fold = None) -> str:
    """The graph of ``sheet`` as DOT text, for ``dot -Tsvg`` or any other program that reads it.

    ``fold`` draws modules as one box each: those below a depth (0 for all), or those of the given names. The
    text needs nothing installed. Raises `ValueError` where a row reads an id that no earlier row has.

    Source: https://graphviz.org/doc/info/lang.html

    >>> from wengert.worksheets.worksheet import Formula, Row, Worksheet
    >>> x = Row(0, Formula("v₀", "v_{0}"), "x", "input", (), Formula("x", "x"), 3.0)
    >>> y = Row(1, Formula("v₁", "v_{1}"), "", "multiply", (0, 0), Formula("v₀·v₀", r"v_{0} v_{0}"), 9.0)
    >>> sheet = Worksheet("x*x", "reverse", "float", ("x",), (x, y), 9.0, {"x": 6.0}, output=1)
    >>> print(to_dot(sheet).count('"0" -> "1"'))
    2
    """
    graph = drawing(sheet, fold)
    lines = [
        "digraph {",
        f"  graph [rankdir=LR, label={_quoted(graph.title)}, labelloc=t];",
        f"  graph [tooltip={_quoted(graph.description)}];",
        '  node [fontname="Helvetica", fontsize=11, margin="0.12,0.06"];',
        '  edge [color="#444444", arrowsize=0.7];',
        *(f'  "{box.id}" [{_attributes(box)}];' for box in graph.boxes),
        *(f'  "{source}" -> "{target}";' for source, target in graph.edges),
        "}",
    ]
    return "\n".join(lines) + "\n"


def _attributes(box: Box) -> str:
    fill, stroke = FILL_AND_STROKE[box.kind]
    border = ", peripheries=2" if box.output else ""
    label = "\\n".join(_escaped(line) for line in box.lines)
    return (
        f'label="{label}", {_SHAPES[box.kind]}, fillcolor="{fill}", color="{stroke}"{border}, '
        f"tooltip={_quoted(box.tooltip)}"
    )


def _quoted(text: str) -> str:
    return f'"{_escaped(text)}"'


def _escaped(text: str) -> str:
    # Graphviz reads backslash escapes and, even between quotes, HTML entities.
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("&", "&amp;")
