"""The computational graph of a worksheet as a TikZ picture, for a LaTeX document."""

from __future__ import annotations

from itertools import pairwise

from wengert.worksheets.drawing import FILL_AND_STROKE, Box, Drawing, Kind, drawing
from wengert.worksheets.folding import Fold
from wengert.worksheets.latex import latex_text
from wengert.worksheets.layout import ARROW, HEIGHT, Layout, Point, Route
from wengert.worksheets.svg import MARGIN, laid_out
from wengert.worksheets.worksheet import Worksheet

_SHAPES: dict[Kind, str] = {
    "input": "rounded corners=17pt",
    "parameter": "chamfered rectangle, chamfered rectangle xsep=4pt, inner sep=0pt",
    "constant": "dashed",
    "operation": "rounded corners=4pt",
    "output": "double, double distance=1.5pt",
    "module": "line width=1.6pt",
}


def to_tikz(sheet: Worksheet, fold: Fold = None, derivatives: bool = False, document: bool = False) -> str:
    r"""The drawing of `to_svg` as a ``tikzpicture``, for a document that loads ``tikz`` with its library
    ``shapes.misc``, or with ``document`` as a whole document.

    Raises `ImportError` where ``fast-sugiyama`` is not installed (``pip install 'wengert[draw]'``).

    >>> from wengert.worksheets.worksheet import Formula, Row, Worksheet
    >>> x = Row(0, Formula("v₀", "v_{0}"), "x", "input", (), Formula("x", "x"), 3.0)
    >>> sheet = Worksheet("x", "reverse", "float", ("x",), (x,), 3.0, {"x": 1.0}, output=0)
    >>> print(to_tikz(sheet).splitlines()[0])
    \begin{tikzpicture}[x=0.75pt, y=-0.75pt, >=stealth, font=\footnotesize\sffamily]
    """
    graph = drawing(sheet, fold, derivatives)
    layout, widths = laid_out(graph)
    kinds = dict.fromkeys(box.kind for box in graph.boxes)
    lines = [
        r"\begin{tikzpicture}[x=0.75pt, y=-0.75pt, >=stealth, font=\footnotesize\sffamily]",
        *(_style(kind) for kind in kinds),
        *(f"  \\draw[->, black!80] {_path(route)};" for route in layout.routes),
        *(
            _node(box, centre, width)
            for box, centre, width in zip(graph.boxes, layout.centres, widths, strict=True)
        ),
        *_labels(graph, layout),
        r"\end{tikzpicture}",
    ]
    picture = "\n".join(lines) + "\n"
    if not document:
        return picture
    paper = ", ".join(
        f"paper{side}={_n(0.75 * length + 4 * MARGIN)}pt"
        for side, length in (("width", layout.width), ("height", layout.height))
    )
    return (
        "\\documentclass{article}\n\\usepackage{amsmath, tikz}\n\\usetikzlibrary{shapes.misc}\n"
        f"\\usepackage[{paper}, margin={_n(MARGIN)}pt, noheadfoot]{{geometry}}\n\\parindent=0pt\n"
        f"\\pagestyle{{empty}}\n\\begin{{document}}\n{picture}\\end{{document}}\n"
    )


def _style(kind: Kind) -> str:
    fill, stroke = FILL_AND_STROKE[kind]
    colours = "".join(
        f"\\definecolor{{{kind}{part}}}{{HTML}}{{{colour[1:].upper()}}}"
        for part, colour in (("fill", fill), ("line", stroke))
    )
    shape = _SHAPES[kind]
    return (
        f"  {colours}\n  \\tikzset{{{kind}/.style={{align=center, inner sep=2pt, line width=0.9pt, "
        f"draw={kind}line, fill={kind}fill, {shape}}}}}"
    )


def _node(box: Box, centre: Point, width: float) -> str:
    text = r"\\".join(latex_text(line) for line in box.lines)
    size = f"minimum width={_n(0.75 * width)}pt, minimum height={_n(0.75 * HEIGHT)}pt"
    double = ", double" if box.output and box.kind != "output" else ""
    return f"  \\node[{box.kind}, {size}{double}] at {_point(centre)} {{{text}}};"


def _labels(graph: Drawing, layout: Layout) -> list[str]:
    """What is written on the edges: on the straight ends before their boxes."""
    lines = []
    for label, route in zip(graph.labels, layout.routes, strict=True) if graph.labels else ():
        if label:
            x, y = route.points[-1]
            lines.append(
                f"  \\node[anchor=south east, inner sep=1pt, font=\\tiny\\sffamily] at "
                f"{_point((x - ARROW, y))} {{{latex_text(label)}}};"
            )
    return lines


def _path(route: Route) -> str:
    if route.angular:
        return " -- ".join(map(_point, route.points))
    parts = [_point(route.points[0])]
    for place, ((x, y), (to_x, to_y)) in enumerate(pairwise(route.points)):
        middle = (x + to_x) / 2
        if place % 2 == 0 or y == to_y:
            parts.append(f"-- {_point((to_x, to_y))}")
        else:
            controls = f"{_point((middle, y))} and {_point((middle, to_y))}"
            parts.append(f".. controls {controls} .. {_point((to_x, to_y))}")
    return " ".join(parts)


def _point(point: Point) -> str:
    return f"({_n(point[0])}, {_n(point[1])})"


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
