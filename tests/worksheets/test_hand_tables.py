"""Reading what people write: numbers, names of lines, tables."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.worksheets.checks.hand_labels import Labels
from wengert.worksheets.checks.hand_tables import read_table
from wengert.worksheets.checks.written_numbers import as_written, read_number

SHEET = wengert.explain("(x1*x2*sin(x3) + exp(x1*x2))/x3", 1.0, 1.5, 2.0)


@pytest.mark.parametrize(
    ("text", "value", "half"),
    [
        ("2.6955", 2.6955, 5e-5),
        ("2,6955", 2.6955, 5e-5),
        ("−0.50", -0.5, 5e-3),
        ("≈ 2.7", 2.7, 0.05),
        ("$2.5$", 2.5, 0.05),
        ("**2.5**", 2.5, 0.05),
        ("1.5e-3", 0.0015, 5e-5),
        ("1.5·10⁻³", 0.0015, 5e-5),
        (r"1.5 \cdot 10^{-3}", 0.0015, 5e-5),
        ("0.333…", 0.333, 1e-3),
        ("3", 3.0, 0.0),
        ("1/4", 0.25, 0.0),
        (r"\frac{1}{4}", 0.25, 0.0),
        ("sqrt(2)/2", 0.5**0.5, 0.0),
        ("pi/2", np.pi / 2, 0.0),
    ],
)
def test_numbers(text: str, value: float, half: float) -> None:
    found = read_number(text)
    assert found is not None
    assert (found.value, found.half) == pytest.approx((value, half))


@pytest.mark.parametrize("text", ["", "  ", "?", "____", "…", "-", "—"])
def test_blanks(text: str) -> None:
    assert read_number(text) is None


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("[[1, 2], [3, 4]]", [[1, 2], [3, 4]]),
        ("[1.5 2.5]", [1.5, 2.5]),
        ("[1,5 2,5]", [1.5, 2.5]),
        ("[1/2; 3]", [0.5, 3]),
        (r"(2, 1)<br>\[1.0\]<br>\[2.0\]", [[1], [2]]),
    ],
)
def test_arrays(text: str, value: Any) -> None:
    found = read_number(text)
    assert found is not None
    assert np.array_equal(found.value, np.array(value, dtype=float))


@pytest.mark.parametrize("text", ["x1", "2 apples", "1e999", "[[1, 2], [3]]", "1/0", "__import__('os')"])
def test_what_is_no_number(text: str) -> None:
    with pytest.raises(ValueError, match=r"not a number|no value|an exponent|not an array"):
        read_number(text)


def test_numbers_of_a_program() -> None:
    assert as_written(2.6955).agrees(2.69549)
    assert not as_written(2.6954).agrees(2.69549)
    assert as_written(np.array([2.6955, 0.5])).agrees(np.array([2.69549, 0.49996]))
    with pytest.raises(TypeError, match="expected a number"):
        as_written(None)


@pytest.mark.parametrize(
    ("text", "row", "part"),
    [
        *((text, 1, None) for text in ("v1", "V1", "v_1", "v₁", "$v_{1}$", "`v1`")),
        *((text, -1, None) for text in ("v-1", "v₋₁", "v−1", "v_{-1}", "x2", "x_2", "x₂")),
        *((text, 1, "adjoint") for text in ("v̄₁", r"\bar{v}_1", "v1_bar", "vbar1", "v1bar", "adjoint of v1")),
        *((text, 1, "tangent") for text in ("v̇₁", r"$\dot{v}_{1}$", "v1_dot", "vdot1", "∂v₁/∂x2")),
        *((text, 1, "derivative") for text in ("dv1", "v1'", "v1.grad", "df/dv1", "∂f/∂v₁")),
        ("f", 6, None),
    ],
)
def test_names_of_lines(text: str, row: int, part: str | None) -> None:
    assert Labels(SHEET).find(text) == (row, part)


@pytest.mark.parametrize("text", ["v7", "q", "1", "value", ""])
def test_names_of_no_line(text: str) -> None:
    assert Labels(SHEET).find(text) is None


EXPECTED = {(1, "primal"): 1.5, (1, "derivative"): 2.6955, (2, "primal"): 0.9093, (2, "derivative"): 0.75}
TABLES: dict[str, Any] = {
    "markdown": "| line | value | adjoint |\n|---|---:|---|\n| v1 | 1.5 | 2.6955 |\n| v₂ | 0.9093 | 0.75 |",
    "markdown with other headings": "| v | v_i | v̄_i |\n|--|--|--|\n|v1|1.5|2.6955|\n|v2|0.9093|0.75|",
    "the derivative first": "| line | v̄ | value |\n|--|--|--|\n| v1 | 2.6955 | 1.5 |\n| v2 | 0.75 | 0.9093 |",
    "formulas between": (
        "| line | formula | value | adjoint formula | adjoint |\n|--|--|--|--|--|\n"
        "| v1 | x1*x2 | 1.5 | v̄₁ = v̄₄·v₄ + v̄₃·v₂ | 2.6955 |\n| v2 | sin(x3) | 0.9093 | v̄₃·v₁ | 0.75 |"
    ),
    "two tables": (
        "Values:\n\n| line | value |\n|--|--|\n| v1 | 1.5 |\n| v2 | 0.9093 |\n\nAdjoints:\n\n"
        "| line | adjoint |\n|--|--|\n| v1 | 2.6955 |\n| v2 | 0.75 |\n"
    ),
    "commas": "name,value,grad\nv1,1.5,2.6955\nv2,0.9093,0.75",
    "commas without headings": "v1,1.5,2.6955\nv2,0.9093,0.75",
    "semicolons and decimal commas": "Zeile;value;bar\nv1;1,5;2,6955\nv2;0,9093;0,75",
    "tabs": "v\tvalue\tadjoint\nv1\t1.5\t2.6955\nv2\t0.9093\t0.75",
    "quoted decimal commas": 'v,value,adjoint\nv1,"1,5","2,6955"\nv2,"0,9093","0,75"',
    "numbers of lines": "i,value,adjoint\n1,1.5,2.6955\n2,0.9093,0.75",
    "lines": "v1 = 1.5\nv2 = sin(x3) = 0.9093\n\nv̄1 = 2.6955\ndv2 = 0,75",
    "several in a line": "v1 = 1.5, v2 = 0.9093\nv1_bar = 2.6955; v2_bar = 0.75",
    "pairs": {"v1": (1.5, 2.6955), "v2": (0.9093, 0.75)},
    "numbers as keys": {1: (1.5, 2.6955), 2: (0.9093, 0.75)},
    "by line": {"v1": {"value": 1.5, "adjoint": 2.6955}, "v2": {"value": 0.9093, "adjoint": 0.75}},
    "by part": {"value": {"v1": 1.5, "v2": 0.9093}, "adjoint": {"v1": 2.6955, "v2": 0.75}},
    "accents": {"v1": 1.5, "v2": "0.9093", "v̄1": "2,6955", "v2_bar": "3/4"},
}


@pytest.mark.parametrize("form", list(TABLES))
def test_tables(form: str) -> None:
    found = read_table(TABLES[form], SHEET)
    assert {place: number.value for place, number in found.entries.items()} == EXPECTED
    assert (found.extra, found.twice) == ([], [])


def test_files(tmp_path: Path) -> None:
    path = tmp_path / "homework.md"
    path.write_text("\ufeff" + TABLES["markdown"], encoding="utf-8")
    for given in (path, str(path)):
        assert len(read_table(given, SHEET).entries) == 4
    path.write_bytes(b"\xff\xfe\x00")
    with pytest.raises(ValueError, match="expected a text file in UTF-8"):
        read_table(path, SHEET)


def test_a_line_that_occurs_twice() -> None:
    found = read_table("v1,1.5\nv2,0.9\nv1,1.6", SHEET)
    assert found.twice == ["v1"]
    assert found.entries[1, "primal"].value == 1.6
