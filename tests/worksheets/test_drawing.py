"""The computational graph of a worksheet: as DOT, as Mermaid and as a picture."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from itertools import pairwise
from typing import Any
from xml.etree import ElementTree

import pytest

from wengert.worksheets.dot import to_dot
from wengert.worksheets.mermaid import to_mermaid
from wengert.worksheets.svg import to_svg
from wengert.worksheets.worksheet import Formula, Row, Worksheet

SVG = "{http://www.w3.org/2000/svg}"
SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
HOSTILE = [
    'x"]; evil [label="y',
    "</text><script>alert(1)</script>",
    "a & b &lt; c",
    "back\\",
    "\\N",
    "quote'; DROP",
    "new\nline",
    "nul\x00bell\x07",
    "\ud800",
    "\ufffe",
    "end",
    "`code` **bold** _it_ #35; #quot;",
    '"]:::x\nclick v0 "javascript:alert(1)"',
    "- list",
    "1. list",
    "日本語の変数",
]

try:
    import fast_sugiyama  # noqa: F401

    CAN_LAY_OUT = True
except ImportError:
    CAN_LAY_OUT = False

needs_layout = pytest.mark.skipif(
    not CAN_LAY_OUT, reason="fast-sugiyama, of the extra wengert[draw], is not installed"
)
needs_dot = pytest.mark.skipif(shutil.which("dot") is None, reason="Graphviz's program dot is not installed")


def row(number: int, op: str, args: tuple[int, ...], formula: str, value: Any, name: str = "") -> Row:
    label = "v" + str(number).translate(SUBSCRIPTS)
    return Row(number, Formula(label, f"v_{{{number}}}"), name, op, args, Formula(formula, formula), value)


def worksheet(*rows: Row, expression: str = "f", output: int | None = None) -> Worksheet:
    last = rows[-1]
    return Worksheet(
        expression, "reverse", "float", (), rows, last.value, {}, output=last.id if output is None else output
    )


def textbook() -> Worksheet:
    return worksheet(
        row(-2, "input", (), "x1", 1.0, "x1"),
        row(-1, "input", (), "x2", 1.5, "x2"),
        row(0, "input", (), "x3", 2.0, "x3"),
        row(1, "multiply", (-2, -1), "v₋₂·v₋₁", 1.5),
        row(2, "sin", (0,), "sin(v₀)", 0.9092974268),
        row(3, "multiply", (1, 2), "v₁·v₂", 1.3639461402),
        row(4, "exp", (1,), "exp(v₁)", 4.4816890703),
        row(5, "add", (3, 4), "v₃ + v₄", 5.8456352106),
        row(6, "divide", (5, 0), "v₅/v₀", 2.9228176053),
        expression="(x1*x2*sin(x3)+exp(x1*x2))/x3",
    )


def squared() -> Worksheet:
    return worksheet(row(0, "input", (), "x", 3.0, "x"), row(1, "multiply", (0, 0), "v₀·v₀", 9.0))


def repeated_and_far() -> Worksheet:
    return worksheet(
        row(0, "input", (), "x", 3.0, "x"),
        *(row(n, "sin", (n - 1,), f"sin(v{n - 1})", 0.1) for n in range(1, 5)),
        row(5, "sum", (4, 0, 0), "v₄ + v₀ + v₀", 6.1),
    )


def chain(length: int) -> Worksheet:
    """Each row reads the one before it, the one seven earlier, and the very first: short and long edges."""
    first = row(0, "input", (), "x", 1.0, "x")
    return worksheet(
        first, *(row(n, "add", (n - 1, max(0, n - 7), 0), f"v{n - 1}", float(n)) for n in range(1, length))
    )


def mirrored(length: int) -> Worksheet:
    """A forward and a backward half, in which every row of the second reads its counterpart of the first."""
    rows = [row(0, "input", (), "x", 1.0, "x")]
    for n in range(1, length):
        rows.append(row(n, "tanh", (n - 1,) if 2 * n <= length else (n - 1, length - n), f"v{n - 1}", 0.5))
    return worksheet(*rows)


def parts() -> Worksheet:
    return worksheet(
        row(-3, "input", (), "a", 1.0, "a"),
        row(-2, "input", (), "b", 1.0, "b"),
        row(-1, "input", (), "unused", 1.0, "unused"),
        row(0, "input", (), "unused too", 1.0, "unused too"),
        row(1, "exp", (-3,), "exp(v₋₃)", 2.718),
        row(2, "sin", (-2,), "sin(v₋₂)", 0.84),
        row(3, "cos", (2,), "cos(v₂)", 0.66),
    )


def single() -> Worksheet:
    return worksheet(row(0, "input", (), "x", 3.0, "x"))


def hostile() -> Worksheet:
    rows = [row(-n, "input", (), name, 1.0, name) for n, name in enumerate(HOSTILE)][::-1]
    names = " + ".join(HOSTILE)
    return worksheet(*rows, row(1, "sum", tuple(r.id for r in rows), names, 16.0), expression=names)


SHEETS = {
    "textbook": textbook,
    "squared": squared,
    "repeated_and_far": repeated_and_far,
    "chain_40": lambda: chain(40),
    "chain_2000": lambda: chain(2000),
    "mirrored_400": lambda: mirrored(400),
    "parts": parts,
    "single": single,
    "hostile": hostile,
}


def edges_of(sheet: Worksheet) -> Counter[tuple[int, int]]:
    return Counter((arg, line.id) for line in sheet.rows for arg in line.args)


class Picture:
    """What a browser would read in an SVG text."""

    def __init__(self, text: str) -> None:
        self.root = ElementTree.fromstring(text)
        self.boxes = {int(g.attrib["data-id"]): g for g in self.root.iter(f"{SVG}g") if "data-id" in g.attrib}
        self.paths = [p for p in self.root.iter(f"{SVG}path") if p.get("class") == "edge"]

    def edges(self) -> Counter[tuple[int, int]]:
        return Counter((int(p.attrib["data-from"]), int(p.attrib["data-to"])) for p in self.paths)

    def extent(self, number: int) -> tuple[float, float, float, float]:
        outline = self.boxes[number][1]
        if outline.tag == f"{SVG}rect":
            x, y, width, height = (float(outline.attrib[key]) for key in ("x", "y", "width", "height"))
            return x, y, x + width, y + height
        xs, ys = zip(*(map(float, p.split(",")) for p in outline.attrib["points"].split()), strict=True)
        return min(xs), min(ys), max(xs), max(ys)

    def extents(self) -> dict[int, tuple[float, float, float, float]]:
        return {number: self.extent(number) for number in self.boxes}

    def words(self, number: int) -> list[str]:
        return [text.text or "" for text in self.boxes[number].iter(f"{SVG}text")]

    def tooltip(self, number: int) -> str:
        return self.boxes[number].findtext(f"{SVG}title") or ""


def points_of(path: ElementTree.Element) -> list[tuple[float, float]]:
    """Points along a path, close enough together that no box fits between two of them."""
    points: list[tuple[float, float]] = []
    for command, numbers in re.findall(r"([MLCQ])([^MLCQ]*)", path.attrib["d"]):
        flat = [float(number) for number in numbers.split()]
        stops = list(zip(flat[::2], flat[1::2], strict=True))
        if command == "M":
            points += stops
            continue
        control = [points[-1], *stops]
        steps = max(
            8, int(max(abs(a - b) for p, q in pairwise(control) for a, b in zip(p, q, strict=True)) / 10)
        )
        points += [bezier(control, step / steps) for step in range(1, steps + 1)]
    return points


def bezier(control: list[tuple[float, float]], t: float) -> tuple[float, float]:
    while len(control) > 1:
        control = [((1 - t) * x + t * u, (1 - t) * y + t * v) for (x, y), (u, v) in pairwise(control)]
    return control[0]


@needs_layout
@pytest.mark.parametrize("name", SHEETS)
def test_picture_has_every_row_and_every_edge(name: str) -> None:
    sheet = SHEETS[name]()
    picture = Picture(to_svg(sheet))
    assert set(picture.boxes) == {line.id for line in sheet.rows}
    assert picture.edges() == edges_of(sheet)


@needs_layout
@pytest.mark.parametrize("name", SHEETS)
def test_boxes_do_not_overlap_and_lie_inside_the_view(name: str) -> None:
    picture = Picture(to_svg(SHEETS[name]()))
    left, top, width, height = map(float, picture.root.attrib["viewBox"].split())
    extents = sorted(picture.extents().values())
    for x, y, to_x, to_y in extents:
        assert left <= x < to_x <= left + width
        assert top <= y < to_y <= top + height
    for index, (_, y, to_x, to_y) in enumerate(extents):
        for other_x, other_y, _, other_to_y in extents[index + 1 :]:
            if other_x >= to_x:
                break
            assert other_y >= to_y or other_to_y <= y


@needs_layout
@pytest.mark.parametrize("name", [name for name in SHEETS if name != "chain_2000"])
def test_edges_run_from_box_to_box_past_all_others_inside_the_view(name: str) -> None:
    picture = Picture(to_svg(SHEETS[name]()))
    left, top, width, height = map(float, picture.root.attrib["viewBox"].split())
    extents = picture.extents()
    cells: dict[int, list[tuple[int, tuple[float, float, float, float]]]] = {}
    for number, extent in extents.items():
        for cell in range(int(extent[0] // 100), int(extent[2] // 100) + 1):
            cells.setdefault(cell, []).append((number, extent))
    for path in picture.paths:
        source, target = int(path.attrib["data-from"]), int(path.attrib["data-to"])
        points = points_of(path)
        x, y, to_x, to_y = extents[source]
        assert x <= points[0][0] <= to_x and y <= points[0][1] <= to_y
        x, y, to_x, to_y = extents[target]
        assert points[-1][0] == pytest.approx(x, abs=0.2) and y < points[-1][1] < to_y
        for px, py in points:
            assert left <= px <= left + width and top <= py <= top + height
            for number, (x, y, to_x, to_y) in cells.get(int(px // 100), []):
                if number not in (source, target):
                    assert not (x < px < to_x and y < py < to_y), f"{source} → {target} runs through {number}"


@needs_layout
def test_arrows_lead_to_the_right() -> None:
    picture = Picture(to_svg(chain(300)))
    for path in picture.paths:
        source, target = (
            picture.extent(int(path.attrib["data-from"])),
            picture.extent(int(path.attrib["data-to"])),
        )
        assert source[2] < target[0]


@needs_layout
@pytest.mark.parametrize("sheet", [squared(), repeated_and_far(), chain(200)])
def test_an_argument_that_is_used_twice_has_two_lines(sheet: Worksheet) -> None:
    picture = Picture(to_svg(sheet))
    twice = [edge for edge, count in edges_of(sheet).items() if count > 1]
    assert twice
    for edge in twice:
        lines = [p for p in picture.paths if (int(p.attrib["data-from"]), int(p.attrib["data-to"])) == edge]
        ends = {tuple(p.attrib["d"].replace("L", " ").split()[-2:]) for p in lines}
        assert len(ends) == len(lines) > 1
    drawn = [path.attrib["d"] for path in picture.paths]
    assert len(set(drawn)) == len(drawn)


@needs_layout
def test_boxes_say_name_formula_and_value() -> None:
    picture = Picture(to_svg(textbook()))
    assert picture.words(-2) == ["v₋₂ = x1", "1.0000"]
    assert picture.words(1) == ["v₁ = v₋₂·v₋₁", "1.5000"]
    assert picture.words(6) == ["v₆ = v₅/v₀", "2.9228"]


@needs_layout
def test_arrays_show_their_shape() -> None:
    np = pytest.importorskip("numpy")
    small, large = np.array([1.0, 2.0]), np.zeros((30, 20))
    sheet = worksheet(row(-1, "input", (), "x", small, "x"), row(0, "parameter", (), "W", large, "W"))
    picture = Picture(to_svg(sheet))
    assert picture.words(-1) == ["v₋₁ = x", "[1.0000 2.0000]", "shape (2,)"]
    assert picture.words(0) == ["v₀ = W", "shape (30, 20)"]
    assert "shape (30, 20)" in to_dot(sheet)


@needs_layout
def test_kinds_differ_in_shape_and_in_colour() -> None:
    sheet = worksheet(
        row(-1, "input", (), "x", 1.0, "x"),
        row(0, "parameter", (), "w", 2.0, "w"),
        row(1, "constant", (), "2", 2),
        row(2, "multiply", (-1, 0), "v₋₁·v₀", 2.0),
        row(3, "power", (2, 1), "v₂²", 4.0),
    )
    boxes = Picture(to_svg(sheet)).boxes.values()
    colours = {box[1].attrib["fill"] for box in boxes}
    shapes = set()
    for box in boxes:
        outlines = [part for part in box if part.tag != f"{SVG}text" and part.tag != f"{SVG}title"]
        first = outlines[0]
        shapes.add((first.tag, len(first.get("points", "").split()), first.get("rx"), len(outlines)))
    assert len(colours) == len(shapes) == 5
    assert len(set(re.findall(r'fillcolor="(.*?)"', to_dot(sheet)))) == 5
    assert len(set(re.findall(r'shape="\w+", style="[\w,]+"', to_dot(sheet)))) == 5
    assert {"([", "{{", "[/", "[[", "("} == set(re.findall(r'^  vm?\d([\[({/]+)"', to_mermaid(sheet), re.M))


@needs_layout
def test_an_input_that_is_the_output_keeps_its_shape_and_gets_the_double_outline() -> None:
    box = Picture(to_svg(single())).boxes[0]
    assert box.attrib["class"] == "box input"
    assert len(box.findall(f"{SVG}rect")) == 2
    assert "peripheries=2" in to_dot(single())


@needs_layout
def test_long_names_are_cut_and_whole_in_the_tooltip() -> None:
    name = "the_learning_rate_of_the_first_of_all_layers"
    picture = Picture(to_svg(worksheet(row(0, "input", (), name, 0.1, name))))
    assert name not in picture.words(0)[0]
    assert picture.words(0)[0].startswith("v₀ = the_learning_rate") and picture.words(0)[0].endswith("…")
    assert picture.tooltip(0) == f"v₀ = {name} = 0.1000"


@needs_layout
def test_picture_stands_alone_and_is_named_for_screen_readers() -> None:
    text = to_svg(textbook())
    root = ElementTree.fromstring(text)
    assert root.attrib["role"] == "img"
    named = root.attrib["aria-labelledby"].split()
    assert [root[0].attrib["id"], root[1].attrib["id"]] == named
    assert root[0].text == "Computational graph of (x1*x2*sin(x3)+exp(x1*x2))/x3"
    assert "x1, x2, x3" in (root[1].text or "")
    assert "href" not in text and "<script" not in text and "<style" not in text
    assert not re.search(r"url\((?!#)", text)


@needs_layout
def test_two_pictures_on_a_page_have_different_ids() -> None:
    first, second = (set(re.findall(r' id="(.*?)"', to_svg(sheet))) for sheet in (textbook(), squared()))
    assert first and not first & second


@needs_layout
def test_hostile_names_stay_text() -> None:
    text = to_svg(hostile())
    text.encode("utf-8")
    picture = Picture(text)
    known = {"svg", "title", "desc", "defs", "marker", "path", "rect", "polygon", "g", "text"}
    assert {element.tag.removeprefix(SVG) for element in picture.root.iter()} <= known
    assert picture.words(-1)[0] == "v₋₁ = </text><script>alert(1)…"
    assert picture.tooltip(-1).startswith("v₋₁ = </text><script>alert(1)</script> = 1")


def test_dot_holds_hostile_names_in_quotes() -> None:
    for line in to_dot(hostile()).splitlines()[1:-1]:
        bare = re.sub(r'"(?:[^"\\]|\\.)*"', "", line)
        assert re.fullmatch(r"  (graph|node|edge)? ?(\[[a-zA-Z=, 0-9.]*\]| -> );", bare), line


@needs_dot
@pytest.mark.parametrize("name", [name for name in SHEETS if not name.endswith("00")])
def test_graphviz_reads_the_dot(name: str) -> None:
    sheet = SHEETS[name]()
    text = to_dot(sheet).encode("utf-8", "replace")
    done = subprocess.run(["dot", "-Tsvg"], input=text, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    root = ElementTree.fromstring(done.stdout)
    classes = Counter(g.get("class") for g in root.iter(f"{SVG}g"))
    assert classes["node"] == len(sheet.rows)
    assert classes["edge"] == sum(edges_of(sheet).values())
    shown = {text.text for text in root.iter(f"{SVG}text")}
    if name == "hostile":
        assert {"v₋₂ = a & b &lt; c", "v₋₃ = back\\", "v₋₄ = \\N"} <= shown


@pytest.mark.parametrize("name", SHEETS)
def test_mermaid_has_every_row_and_every_edge(name: str) -> None:
    sheet = SHEETS[name]()
    text = to_mermaid(sheet)
    drawn = Counter(
        (int(a.replace("m", "-")), int(b.replace("m", "-")))
        for a, b in re.findall(r"^  v(\S+) --> v(\S+)$", text, re.M)
    )
    assert drawn == edges_of(sheet)
    assert len(re.findall(r"^  vm?\d+\W", text, re.M)) == len(sheet.rows) + len(
        list(edges_of(sheet).elements())
    )


def test_mermaid_encodes_what_could_end_a_label() -> None:
    nodes = [line for line in to_mermaid(hostile()).splitlines() if ":::" in line]
    assert len(nodes) == len(HOSTILE) + 1
    for line in nodes:
        match = re.fullmatch(r'  vm?\d+\W{1,2}"(.*)"\W{1,2}:::\w+', line)
        assert match, line
        label = match[1].replace("<br>", " ")
        assert not re.search(r'["<>&`*_\[\]{}\\]|#(?!\d+;)', label), line


def test_rows_out_of_order_are_refused_by_name() -> None:
    sheet = worksheet(row(1, "sin", (0,), "sin(v₀)", 0.0), row(0, "input", (), "x", 0.0, "x"))
    for reader in (to_dot, to_mermaid, to_svg):
        with pytest.raises(ValueError, match=r"row 1 \(sin\) reads 0"):
            reader(sheet)


def test_without_the_layout_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "fast_sugiyama", None)
    assert to_dot(textbook()) and to_mermaid(textbook())
    with pytest.raises(ImportError, match=r"pip install 'wengert\[draw\]'"):
        to_svg(textbook())
