"""The computational graph of a worksheet as a self-contained SVG picture."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from zlib import crc32

from wengert.worksheets.drawing import FILL_AND_STROKE, Box, Drawing, Kind, drawing
from wengert.worksheets.folding import Fold
from wengert.worksheets.layout import ARROW, HEIGHT, Layout, Point, Route, arrange
from wengert.worksheets.worksheet import Worksheet

MARGIN = 16.0
FONT = "'DejaVu Sans', Verdana, 'Segoe UI', 'Helvetica Neue', Arial, sans-serif"
FONT_SIZE = 12.0
SMALL = 10.5
LABEL = 9.5
DERIVATIVE = "#9a3412"
MODULE = FILL_AND_STROKE["module"][1]
LINE = 13.5
LEGEND_HEIGHT = 18.0
ROUNDING = 3.0


def to_svg(sheet: Worksheet, fold: Fold = None, derivatives: bool = False) -> str:
    """The graph of ``sheet`` as SVG text: arguments on the left, the output on the right.

    The kinds of boxes differ in shape and in colour, so that the picture can be printed in black and white. A
    text that is cut is whole in the box's tooltip. There is no script and nothing to load. ``fold`` draws
    modules as one box each: those below a depth (0 for all), or those of the given names; a graph of more
    than 3,000 rows is folded anyway, and a line says what is hidden. With ``derivatives`` every box shows its
    adjoint (or tangent), and every edge the term of the chain rule that passes there.

    Raises `ImportError` where ``fast-sugiyama`` is not installed (``pip install 'wengert[draw]'``), and
    `ValueError` where a row reads an id that no earlier row has, and for an unknown module.

    >>> from wengert.worksheets.worksheet import Formula, Row, Worksheet
    >>> x = Row(0, Formula("v₀", "v_{0}"), "x", "input", (), Formula("x", "x"), 3.0)
    >>> sheet = Worksheet("x", "reverse", "float", ("x",), (x,), 3.0, {"x": 1.0}, output=0)
    >>> to_svg(sheet).startswith("<svg ")
    True
    """
    graph = drawing(sheet, fold, derivatives)
    layout, widths = laid_out(graph)
    legend, legend_width = _legend(graph, layout.height + MARGIN)
    width = max(layout.width, legend_width) + 2 * MARGIN
    height = layout.height + 2 * MARGIN + (MARGIN + LEGEND_HEIGHT if legend else 0)
    # A page can hold several drawings, whose ids must differ.
    key = f"g{crc32(repr(graph).encode('utf-8', 'replace')):08x}"
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width:.0f}" height="{height:.0f}" '
        f'viewBox="{-MARGIN:g} {-MARGIN:g} {_n(width)} {_n(height)}" role="img" '
        f'aria-labelledby="{key}-title {key}-desc" font-family="{FONT}" font-size="{FONT_SIZE:g}" '
        'text-anchor="middle" fill="#111111">',
        f'<title id="{key}-title">{_escaped(graph.title)}</title>',
        f'<desc id="{key}-desc">{_escaped(graph.description)}</desc>',
        f'<defs><marker id="{key}-arrow" viewBox="0 0 10 8" refX="9.5" refY="4" '
        'markerWidth="9" markerHeight="7" markerUnits="userSpaceOnUse" orient="auto">'
        '<path d="M0 0L10 4L0 8L2.5 4z" fill="#333333"/></marker></defs>',
        f'<rect x="{-MARGIN:g}" y="{-MARGIN:g}" width="{_n(width)}" height="{_n(height)}" fill="#ffffff"/>',
        *_frames(graph, layout, widths),
        f'<g fill="none" stroke="#333333" stroke-width="1.1" marker-end="url(#{key}-arrow)">',
        *_edges(graph, layout),
        "</g>",
        *(
            _box(box, centre, width)
            for box, centre, width in zip(graph.boxes, layout.centres, widths, strict=True)
        ),
        *_labels(graph, layout),
        *legend,
        "</svg>",
    ]
    return "\n".join(lines) + "\n"


def laid_out(graph: Drawing) -> tuple[Layout, list[float]]:
    """Where everything stands, and how wide the boxes are."""
    number = {box.id: index for index, box in enumerate(graph.boxes)}
    widths = [_box_width(box) for box in graph.boxes]
    longest = max((_text_width(label, LABEL) for label in graph.labels), default=0.0)
    edges = [(number[source], number[target]) for source, target in graph.edges]
    return arrange(widths, edges, ARROW + longest), widths


def _labels(graph: Drawing, layout: Layout) -> list[str]:
    """What is written on the edges: on the straight ends before their boxes."""
    if not any(graph.labels):
        return []
    lines = [
        f'<g class="derivatives" font-size="{LABEL:g}" text-anchor="end" fill="{DERIVATIVE}" '
        'stroke="#ffffff" stroke-width="3" paint-order="stroke" stroke-linejoin="round">'
    ]
    for label, route in zip(graph.labels, layout.routes, strict=True):
        if label:
            x, y = route.points[-1]
            lines.append(f'<text x="{_n(x - ARROW)}" y="{_n(y - 2.5)}">{_escaped(label)}</text>')
    return [*lines, "</g>"]


def _frames(graph: Drawing, layout: Layout, widths: list[float]) -> list[str]:
    """A frame around the boxes of every module that is not folded, where no other box stands among them."""
    if not graph.frames:
        return []
    number = {box.id: index for index, box in enumerate(graph.boxes)}
    lines = [f'<g class="modules" fill="none" stroke="{MODULE}" stroke-width="1" stroke-dasharray="2 3">']
    names = []
    for frame in graph.frames:
        inside = {number[box] for box in frame.boxes}
        within = [other.depth for other in graph.frames if set(other.boxes) <= set(frame.boxes)]
        room = 6.0 + 11.0 * (max(within) - frame.depth)
        left = min(layout.centres[k][0] - widths[k] / 2 for k in inside) - room
        right = max(layout.centres[k][0] + widths[k] / 2 for k in inside) + room
        top = min(layout.centres[k][1] for k in inside) - HEIGHT / 2 - room
        bottom = max(layout.centres[k][1] for k in inside) + HEIGHT / 2 + room
        if any(
            left < x + widths[k] / 2 and x - widths[k] / 2 < right and top < y + HEIGHT / 2 and y < bottom
            for k, (x, y) in enumerate(layout.centres)
            if k not in inside
        ):
            continue
        place = f'x="{_n(left)}" y="{_n(top)}" width="{_n(right - left)}" height="{_n(bottom - top)}"'
        lines.append(f'<rect {place} rx="8"/>')
        names.append(
            f'<text x="{_n(left + 6)}" y="{_n(bottom + 3)}" font-size="{LABEL:g}" text-anchor="start" '
            f'fill="{MODULE}" stroke="#ffffff" stroke-width="4" paint-order="stroke">'
            f"{_escaped(frame.name)}</text>"
        )
    return [*lines, "</g>", *names] if names else []


def _edges(graph: Drawing, layout: Layout) -> list[str]:
    return [
        f'<path class="edge" data-from="{source}" data-to="{target}" d="{_path(route)}"/>'
        for (source, target), route in zip(graph.edges, layout.routes, strict=True)
    ]


def _path(route: Route) -> str:
    return _angular(route.points) if route.angular else _curved(route.points)


def _curved(points: tuple[Point, ...]) -> str:
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for place, ((x, y), (to_x, to_y)) in enumerate(pairwise(points)):
        if place % 2 == 0 or y == to_y:
            parts.append(f"L{_n(to_x)} {_n(to_y)}")
        else:
            middle = _n((x + to_x) / 2)
            parts.append(f"C{middle} {_n(y)} {middle} {_n(to_y)} {_n(to_x)} {_n(to_y)}")
    return "".join(parts)


def _angular(points: tuple[Point, ...]) -> str:
    parts = [f"M{_n(points[0][0])} {_n(points[0][1])}"]
    for (before, corner), (_, after) in zip(pairwise(points), pairwise(points[1:]), strict=False):
        start, end = _towards(corner, before), _towards(corner, after)
        parts.append(
            f"L{_n(start[0])} {_n(start[1])}Q{_n(corner[0])} {_n(corner[1])} {_n(end[0])} {_n(end[1])}"
        )
    parts.append(f"L{_n(points[-1][0])} {_n(points[-1][1])}")
    return "".join(parts)


def _towards(start: Point, end: Point) -> Point:
    (x, y), (to_x, to_y) = start, end
    distance = max(abs(to_x - x), abs(to_y - y), 1e-9)  # one of the two is 0: corners are square
    part = min(ROUNDING, distance / 2) / distance
    return x + part * (to_x - x), y + part * (to_y - y)


def _box(box: Box, centre: Point, width: float) -> str:
    x, y = centre
    first = y - LINE * (len(box.lines) - 1) / 2 + 4.2  # a text stands on its baseline
    texts = "".join(
        f'<text x="{_n(x)}" y="{_n(first + place * LINE)}" font-size="{_size(place):g}">'
        f"{_escaped(line)}</text>"
        for place, line in enumerate(box.lines)
    )
    outline = _outline(box.kind, centre, width, HEIGHT)
    if box.output:
        outline += _outline(box.kind, centre, width - 7, HEIGHT - 7)
    title = f"<title>{_escaped(box.tooltip)}</title>"
    return f'<g class="box {box.kind}" data-id="{box.id}">{title}{outline}{texts}</g>'


def _outline(kind: Kind, centre: Point, width: float, height: float) -> str:
    (x, y), (fill, stroke) = centre, FILL_AND_STROKE[kind]
    left, right, top, bottom = x - width / 2, x + width / 2, y - height / 2, y + height / 2
    paint = f'fill="{fill}" stroke="{stroke}" stroke-width="1.5"'
    if kind == "parameter":
        notch = height / 4
        corners = [(left, y), (left + notch, top), (right - notch, top), (right, y), (right - notch, bottom)]
        return f'<polygon points="{_points([*corners, (left + notch, bottom)])}" {paint}/>'
    if kind == "constant":
        slant = height / 4
        corners = [(left + slant, top), (right, top), (right - slant, bottom), (left, bottom)]
        return f'<polygon points="{_points(corners)}" {paint} stroke-dasharray="5 3"/>'
    if kind == "module":
        bar = height / 8
        inner = f"M{_n(left + bar)} {_n(top)}V{_n(bottom)}M{_n(right - bar)} {_n(top)}V{_n(bottom)}"
        place = f'x="{_n(left)}" y="{_n(top)}" width="{_n(width)}" height="{_n(height)}"'
        return f'<rect {place} {paint}/><path d="{inner}" fill="none" stroke="{stroke}" stroke-width="1.5"/>'
    rounding = {"input": height / 2, "operation": height / 6}.get(kind, 0.0)
    place = f'x="{_n(left)}" y="{_n(top)}" width="{_n(width)}" height="{_n(height)}"'
    return f'<rect {place} rx="{_n(rounding)}" {paint}/>'


def _points(corners: list[Point]) -> str:
    return " ".join(f"{_n(x)},{_n(y)}" for x, y in corners)


def _legend(graph: Drawing, top: float) -> tuple[list[str], float]:
    """One sample of each kind in the drawing, and how wide they are together; nothing for a single kind."""
    kinds = list(dict.fromkeys(box.kind for box in graph.boxes))
    if len(kinds) < 2 and not graph.note:
        return [], 0.0
    lines = [f'<g class="legend" font-size="{SMALL:g}" text-anchor="start">']
    x, middle = 0.0, top + LEGEND_HEIGHT / 2
    for kind in kinds:
        lines.append(_outline(kind, (x + 14, middle), 28, 14))
        if kind == "output":
            lines.append(_outline(kind, (x + 14, middle), 23, 9))
        lines.append(f'<text x="{_n(x + 34)}" y="{_n(middle + 3.7)}">{kind}</text>')
        x += 34 + _text_width(kind, SMALL) + 18
    if graph.note:
        lines.append(f'<text class="note" x="{_n(x)}" y="{_n(middle + 3.7)}">{_escaped(graph.note)}</text>')
        x += _text_width(graph.note, SMALL)
    return [*lines, "</g>"], x


def _box_width(box: Box) -> float:
    padding = {"input": 32.0, "parameter": 36.0, "constant": 38.0, "module": 34.0}.get(box.kind, 22.0)
    return max(56.0, padding + max(_text_width(line, _size(place)) for place, line in enumerate(box.lines)))


def _size(line: int) -> float:
    return FONT_SIZE if line == 0 else SMALL


def _text_width(text: str, size: float) -> float:
    return size * sum(_character_width(character) for character in text)


def _character_width(character: str) -> float:
    """In units of the font size, rounded up for DejaVu Sans, the widest font of the list."""
    if unicodedata.combining(character):
        return 0.0
    if unicodedata.east_asian_width(character) in ("W", "F"):
        return 1.05
    if character in " .,:;'|!()[]ijlIft·":
        return 0.42
    if character in "mwMW@%=+−<>~∞…—":
        return 1.0
    if unicodedata.normalize("NFKC", character) != character:  # subscripts and superscripts
        return 0.5
    return 0.72 if character.isupper() else 0.64


def _escaped(text: str) -> str:
    for character, entity in (("&", "&amp;"), ("<", "&lt;"), (">", "&gt;"), ('"', "&quot;")):
        text = text.replace(character, entity)
    return text


def _n(number: float) -> str:
    return f"{number:.1f}".removesuffix(".0")
