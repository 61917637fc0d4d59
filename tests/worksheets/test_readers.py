"""Every reader of a worksheet, on worksheets made by hand."""

from __future__ import annotations

import csv
import html.parser
import io
import json
import math
import re
from fractions import Fraction
from pathlib import Path
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy
from sheets import m6, network, one_row, training_step

from wengert.worksheets.columns import barred, dotted
from wengert.worksheets.latex import latex_text, latex_value
from wengert.worksheets.latex_table import to_table
from wengert.worksheets.notebook import to_html_table
from wengert.worksheets.tables import to_csv, to_json, to_markdown
from wengert.worksheets.text import to_text
from wengert.worksheets.values import exact_value, format_value
from wengert.worksheets.worksheet import Formula

GOLDEN = Path(__file__).parent / "golden"
HOSTILE = [
    "<script>alert(1)</script>",
    "a_b%$",
    "x\x1b[2J",
    "a|b",
    "名前",
    "\\input{x}",
    "[red]x[/red]",
    "=1+1",
    "e\u202ec",
    "\\",
]


# values


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (2.92281760, "2.9228"),
        (-0.00004, "-4.0000e-5"),
        (0.0001, "0.0001"),
        (1.5e9, "1.5000e9"),
        (999999.0, "999999.0000"),
        (0.0, "0.0000"),
        (-0.0, "0.0000"),
        (math.nan, "NaN"),
        (-math.inf, "-∞"),
        (3, "3"),
        (True, "True"),
        (None, ""),
        (1.5 - 2j, "1.5000-2.0000i"),
        (Fraction(-2, 3), "-2/3"),
        (sympy.sin(2) / 2, "sin(2)/2"),
        (np.float32(0.5), "0.5000"),
        (np.bool_(True), "True"),
        (np.array(2.0), "2.0000"),
        (np.longdouble(2), "2.0000"),
    ],
)
def test_a_value_reads_as_in_a_textbook(value: Any, text: str) -> None:
    assert format_value(value) == text


def test_digits_are_decimals() -> None:
    assert format_value(math.pi, 0) == "3"
    assert format_value(math.pi, 12) == "3.141592653590"
    assert format_value(1e-3, 30) == "0.001000000000000000020816681712"


def test_fractions_too_long_for_pythons_own_printing_are_written_out() -> None:
    huge = Fraction(10**5000 + 1, 3)
    assert format_value(huge) == exact_value(huge) == "1" + "0" * 4999 + "1/3"


def test_mpmath_shows_every_stated_digit_outside_its_own_context() -> None:
    with mpmath.workdps(50):
        third = mpmath.mpf(1) / 3
    assert format_value(third, numbers="mp:50") == "0." + "3" * 50
    assert exact_value(third, "mp:50") == "0." + "3" * 50
    assert format_value(third) == "0.3333"
    assert format_value(mpmath.mpf("nan"), numbers="mp:50") == "NaN"
    assert exact_value(mpmath.mpf("-inf"), "mp:50") == "-inf"


@pytest.mark.parametrize("digits", [0, 2, 4, 9])
@pytest.mark.parametrize("bounds", [(1.9, 2.0), (-1e-9, 1e-9), (1e-300, 1e300), (-math.pi, -math.e)])
def test_printed_intervals_hold_the_interval(bounds: tuple[float, float], digits: int) -> None:
    interval = mpmath.iv.mpf(list(bounds))
    exact: Any = exact_value(interval)
    for low, high in (format_value(interval, digits)[1:-1].split(", "), exact):
        assert Fraction(low) <= Fraction(bounds[0])
        assert Fraction(bounds[1]) <= Fraction(high)


def test_intervals_of_any_size_are_printed_and_stay_tight() -> None:
    assert format_value(mpmath.iv.mpf([1.5, "inf"])) == "[1.5000, ∞]"
    assert exact_value(mpmath.iv.mpf([1.5, "inf"])) == ["1.5", "inf"]
    assert exact_value(mpmath.iv.mpf("0.1")) == ["0.099999999999999991", "0.10000000000000001"]
    beyond = mpmath.iv.exp(mpmath.iv.mpf(10**9))
    assert re.fullmatch(r"\[8\.00\d{2}e434294481, 8\.00\d{2}e434294481\]", format_value(beyond))


def test_small_arrays_show_their_shape_and_entries() -> None:
    assert (
        format_value(np.array([[1.0, -2.5], [3.25, 40.0]]))
        == "(2, 2)\n[ 1.0000  -2.5000]\n[ 3.2500  40.0000]"
    )
    assert format_value(np.array([1, 2])) == "(2,)\n[1  2]"
    assert format_value(np.zeros((0, 3))) == "(0, 3) empty"
    cube = format_value(np.arange(8).reshape(2, 2, 2)).split("\n")
    assert cube == ["(2, 2, 2)", "at 0", "[0  1]", "[2  3]", "at 1", "[4  5]", "[6  7]"]
    assert format_value(np.array([Fraction(1, 3), Fraction(2)], dtype=object)) == "(2,)\n[1/3    2]"


def test_large_arrays_show_their_shape_and_statistics() -> None:
    entries = np.arange(25.0).reshape(5, 5)
    assert format_value(entries) == "(5, 5)\nmin=0.0000  mean=12.0000  max=24.0000"
    assert "min" not in format_value(np.arange(24.0))
    entries[0, 0], entries[4, 4] = math.nan, math.inf
    assert format_value(entries).endswith("max=23.0000  NaN=1 of 25  infinite=1 of 25")
    assert format_value(np.arange(30) < 5) == "(30,)\ntrue=5 of 30"


@pytest.mark.parametrize(
    ("value", "exact"),
    [
        (0.1 + 0.2, 0.30000000000000004),
        (math.nan, "nan"),
        (math.inf, "inf"),
        (-math.inf, "-inf"),
        (2**53 + 1, "9007199254740993"),
        (7, 7),
        (False, False),
        (None, None),
        (1 - 2j, {"re": 1.0, "im": -2.0}),
        (Fraction(1, 3), "1/3"),
        (sympy.pi / 2, "pi/2"),
        (np.array([[1.0, math.nan]]), [[1.0, "nan"]]),
        (np.float32(0.1), 0.10000000149011612),
        (np.array([Fraction(1, 3)], dtype=object), ["1/3"]),
        (mpmath.mpc(1, 2), {"re": "1.0", "im": "2.0"}),
    ],
)
def test_machines_get_every_digit(value: Any, exact: Any) -> None:
    got = exact_value(value)
    assert got == exact
    assert type(got) is type(exact)


# labels


def test_marks_stand_on_the_letter() -> None:
    label = Formula("v₋₂", "v_{-2}")
    assert barred(label) == Formula("v\u0304₋₂", r"\bar{v}_{-2}")
    assert dotted(label) == Formula("v\u0307₋₂", r"\dot{v}_{-2}")


# text


@pytest.mark.parametrize("width", [80, 120])
@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_the_documents_function_prints_as_agreed(mode: str, width: int) -> None:
    assert to_text(m6(mode), width=width) == (GOLDEN / f"m6_{mode}.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize(("sheet", "golden"), [(training_step(), "training_step"), (network(), "network")])
def test_steps_and_arrays_print_as_agreed(sheet: Any, golden: str) -> None:
    assert to_text(sheet, width=80) == (GOLDEN / f"{golden}_80.txt").read_text(encoding="utf-8")


@pytest.mark.parametrize("width", [40, 64, 80, 120])
def test_no_line_is_wider_than_asked(width: int) -> None:
    from rich.cells import cell_len

    for sheet in (m6("reverse"), training_step(), network(), one_row(Fraction(10**200, 7), numbers="exact")):
        assert max(map(cell_len, to_text(sheet, width=width).splitlines())) <= width


def test_numbers_are_never_cut() -> None:
    digits = "7" * 300
    text = to_text(one_row(int(digits), numbers="exact"), width=60)
    assert text.count("7") == 2 * len(digits)  # in the table and in the result
    assert "…" not in text
    narrow = to_text(m6("reverse"), width=48)
    for number in ("4.0432", "2.6955", "-1.7735", "2.9228"):
        assert number in narrow


def test_formulas_give_way_before_numbers() -> None:
    digits = "1." + "3" * 49
    long = Formula(" + ".join(["v̄₁·v₂"] * 12), "v")
    sheet = one_row(mpmath.mpf(1), numbers="mp:50", adjoint_formula=long, adjoint=sympy.Symbol(digits))
    table = to_text(sheet, width=80).split("∂f")[0]
    assert digits in table
    assert table.count("v̄₁·v₂") == 12


def test_narrow_terminals_get_the_parts_below_each_other() -> None:
    lines = to_text(m6("reverse"), width=50).splitlines()
    first = next(index for index, line in enumerate(lines) if line.split() == ["v₋₂", "=", "x1", "1.0000"])
    assert lines[first + 1].split() == ["v̄₋₂", "=", "v̄₁·v₋₁", "4.0432"]


def test_color_is_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    assert "\x1b" not in to_text(m6("forward"), width=80)
    monkeypatch.delenv("FORCE_COLOR")
    monkeypatch.setenv("NO_COLOR", "1")
    colored = to_text(m6("forward"), width=80, color=True)
    assert "\x1b[" in colored
    assert re.sub(r"\x1b\[[0-9;]*m", "", colored).split() == to_text(m6("forward"), width=80).split()


def test_width_defaults_to_the_terminals(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "50")
    assert to_text(m6("reverse")) == to_text(m6("reverse"), width=50)


def test_footnotes_are_marked_where_they_belong() -> None:
    for text in (to_text(training_step(), width=120), to_html_table(training_step())):
        assert re.search(r"relu\(v₁\).*\[1\]", text)
        assert "[1] relu′(0) = 0 was chosen at the kink (v₂)" in text
    assert r"\textsuperscript{{[}1{]}}" in to_table(training_step())
    assert r"\[1\] relu′(0) = 0" in to_markdown(training_step())


@pytest.mark.parametrize("name", HOSTILE)
def test_names_cannot_steer_a_terminal(name: str) -> None:
    text = to_text(one_row(1.0, name=name), width=100)
    assert "\x1b" not in text
    assert "\u202e" not in text
    assert name.replace("\x1b", "\\x1b").replace("\u202e", "\\u202e") in text


# JSON and CSV


def test_json_has_the_stated_keys() -> None:
    common = ["id", "name", "op", "formula", "value"]
    for mode, derivative in (("forward", "tangent"), ("reverse", "adjoint")):
        sheet = json.loads(to_json(m6(mode)))
        assert list(sheet) == ["expression", "mode", "wrt", "value", "gradient", "rows"]
        for row in sheet["rows"]:
            assert list(row) == [*common, f"{derivative}_formula", derivative, "line"]
    assert sheet["wrt"] == ["x1", "x2", "x3"]
    assert sheet["value"] == m6("reverse").value
    assert sheet["gradient"] == m6("reverse").gradient
    assert [row["name"] for row in sheet["rows"][:4]] == ["x1", "x2", "x3", "v₁"]


def test_json_has_updates_where_a_row_has_one() -> None:
    first, *others = json.loads(to_json(training_step()))["rows"]
    assert (first["update_formula"], first["update"]) == ("v₋₁ - 0.1·v̄₋₁", 0.0)
    assert not any("update" in row or "update_formula" in row for row in others)
    assert json.loads(to_json(training_step()))["footnotes"] == ["relu′(0) = 0 was chosen at the kink (v₂)"]


@pytest.mark.parametrize(
    "value", [math.nan, math.inf, np.array([math.nan, 1.0]), complex(math.nan, 1), mpmath.mpf("nan")]
)
def test_json_holds_no_literal_that_json_lacks(value: Any) -> None:
    def refuse(literal: str) -> None:
        raise AssertionError(literal)

    read = json.loads(to_json(one_row(value, adjoint=value)), parse_constant=refuse)
    assert read["rows"][0]["value"] == read["value"] == exact_value(value)


@pytest.mark.parametrize("name", HOSTILE)
def test_json_keeps_any_name(name: str) -> None:
    read = json.loads(to_json(one_row(1.0, name=name)))
    assert read["rows"][0]["name"] == name
    assert read["gradient"] == {name: 1.0}


def test_csv_reads_back() -> None:
    rows = list(csv.DictReader(io.StringIO(to_csv(m6("reverse")))))
    assert [float(row["value"]) for row in rows] == [row.value for row in m6("reverse").rows]
    assert [float(row["adjoint"]) for row in rows] == [row.adjoint for row in m6("reverse").rows]
    assert list(rows[0]) == ["id", "name", "op", "formula", "value", "adjoint_formula", "adjoint", "line"]
    header = next(csv.reader(io.StringIO(to_csv(training_step()))))
    assert header[-3:] == ["update_formula", "update", "line"]
    (array,) = csv.DictReader(io.StringIO(to_csv(one_row(np.array([[1.0, math.inf]])))))
    assert json.loads(array["value"]) == [[1.0, "inf"]]


def test_csv_text_is_no_spreadsheet_formula() -> None:
    for name in ("=1+1", "@x", "+x", "-2+cmd|' /C calc'!A0"):
        (row,) = csv.DictReader(io.StringIO(to_csv(one_row(1.0, name=name))))
        assert row["name"] == f"'{name}"
    (row,) = csv.DictReader(io.StringIO(to_csv(one_row(Fraction(-1, 3), numbers="exact"))))
    assert row["value"] == "-1/3"
    assert "\x1b" not in to_csv(one_row(1.0, name="x\x1b[2J"))


# Markdown, HTML, LaTeX


def test_markdown_is_one_table() -> None:
    lines = to_markdown(m6("forward")).splitlines()
    table = [line for line in lines if line.startswith("|")]
    assert table[0] == "| primal | value | tangent | value |"
    assert "| v₃ = v₁·v₂ | 1.3639 | v̇₃ = v̇₁·v₂ + v₁·v̇₂ | 0.9093 |" in table
    assert len(table) == 2 + 9
    assert "(2, 2)<br>\\[1.0000  0.0000\\]<br>" in to_markdown(one_row(np.eye(2)))


@pytest.mark.parametrize("name", HOSTILE)
def test_markdown_names_stay_in_their_cell(name: str) -> None:
    text = to_markdown(one_row(1.0, name=name))
    assert "<script" not in text
    for line in text.splitlines():
        if line.startswith("|"):
            assert len(re.findall(r"(?<!\\)\|", line)) == 5
        assert not re.search(r"(?<!\\)[$_`]", line)


class _Tags(html.parser.HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.open: list[str] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)
        if tag != "br":
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


@pytest.mark.parametrize("name", [*HOSTILE, '"><img src=x onerror=alert(1)>'])
def test_html_is_one_closed_table_without_the_names_tags(name: str) -> None:
    page = _Tags()
    page.feed(to_html_table(one_row(math.nan, name=name, notes=(0,))))
    assert page.open == []
    assert page.tags <= {"table", "caption", "b", "br", "thead", "tbody", "tfoot", "tr", "th", "td", "sup"}
    assert page.attributes <= {"style", "scope", "colspan"}
    assert f"v₀ = {name}".replace("\x1b", "\\x1b").replace("\u202e", "\\u202e") in page.text
    assert "NaN" in page.text


def _check_latex(text: str) -> None:
    """What can be checked without LaTeX: groups, mathematics, environments and columns are closed."""
    assert text.isascii()
    bare = re.sub(r"\\[\\{}$&%#_]", "", text)
    assert bare.count("{") == bare.count("}")
    assert bare.count("$") % 2 == 0
    assert "%" not in bare
    assert "#" not in bare
    begun, ended = re.findall(r"\\begin\{(\w+)\}", text), re.findall(r"\\end\{(\w+)\}", text)
    assert sorted(begun) == sorted(ended)
    assert not re.search(r"\\\\\s*\[", text)
    table = re.search(r"\\begin\{tabular\}\{(.*)\}\n(.*)\\end\{tabular\}", text, re.DOTALL)
    assert table is not None
    columns = len(re.findall(r"[lr]", re.sub(r"@\{[^}]*\}", "", table[1])))
    body = re.sub(r"\\begin\{array\}.*?\\end\{array\}", "", table[2].replace(r"\&", ""))
    for line in body.splitlines():
        if line != r"\hline":
            assert line.endswith(r"\\")
            assert line.count("&") + 1 + line.count(r"\multicolumn{2}") == columns


@pytest.mark.parametrize("name", HOSTILE)
def test_latex_is_well_formed_whatever_the_name(name: str) -> None:
    _check_latex(to_table(one_row(1.0, name=name, notes=(0,))))


def test_latex_sets_the_documents_function() -> None:
    text = to_table(m6("reverse"))
    assert (
        r"$v_{3} =$ & $v_{1} \cdot v_{2}$ & $1.3639$ & $\bar{v}_{3} =$ & $\bar{v}_{5}$ & $0.5000$ \\" in text
    )
    assert r"$\partial f / \partial x_{2} = 2.6955$" in text
    for sheet in (m6("forward"), m6("reverse"), training_step(), network()):
        _check_latex(to_table(sheet))


def test_latex_values() -> None:
    assert latex_value(1.5e-7) == r"1.5000 \times 10^{-7}"
    assert latex_value(-math.inf) == r"-\infty"
    assert latex_value(math.nan) == r"\mathrm{NaN}"
    assert latex_value(sympy.sin(2) / 2) == r"\frac{\sin{\left(2 \right)}}{2}"
    assert latex_value(sympy.Symbol("a_b%$")) == r"\text{a\_b\%\$}"
    assert (
        latex_value(np.array([[1, 2], [3, 4]]))
        == r"\left[\begin{array}{rr} 1 & 2 \\ 3 & 4 \end{array}\right]"
    )
    assert latex_value(np.zeros((5, 10))).startswith(r"5 \times 10\colon\; \text{min }0.0000")
    assert latex_value(mpmath.iv.mpf([1, 2])) == r"\left[1.0000, 2.0000\right]"
    assert latex_value(1 - 1j) == r"1.0000-1.0000\,i"
    assert latex_text("α₁ ≤ v̄²") == (
        r"\ensuremath{\alpha}\textsubscript{1} \ensuremath{\leq} \ensuremath{\bar{v}}\textsuperscript{2}"
    )
