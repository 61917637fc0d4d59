"""Verdicts on tables that were filled in by hand."""

from __future__ import annotations

import random
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from planted_slips import planted

import wengert
from wengert.scalar import optim
from wengert.worksheets.checks.slips import KINDS
from wengert.worksheets.checks.step_verdicts import check_steps
from wengert.worksheets.checks.table_verdict import TableVerdict
from wengert.worksheets.worksheet import Worksheet

TEXTBOOK = "(x1*x2*sin(x3) + exp(x1*x2))/x3"


def sheet(mode: str = "reverse") -> Worksheet:
    return wengert.explain(TEXTBOOK, 1.0, 1.5, 2.0, mode=mode, wrt="x2" if mode == "forward" else None)


RIGHT = {
    "v1": (1.5, 2.6955),
    "v2": (0.9093, 0.75),
    "v3": (1.3639, 0.5),
    "v4": (4.4817, 0.5),
    "v5": (5.8456, 0.5),
    "v6": 2.9228,
    "x1": (1, 4.0432),
    "x2": (1.5, 2.6955),
    "x3": (2, -1.7735),
}


def with_slip(**wrong: object) -> TableVerdict:
    return check_steps(sheet(), {**RIGHT, **wrong})


# -- right tables --------------------------------------------------------------------------------------------


@pytest.mark.parametrize("mode", ["forward", "reverse"])
def test_the_worksheets_own_tables_are_right(mode: str) -> None:
    for text in (sheet(mode).to_markdown(), sheet(mode).to_csv()):
        verdict = check_steps(sheet(mode), text)
        assert verdict
        assert not verdict.missing
        assert str(verdict).startswith("Right: all 18 numbers.")


def test_of_matrices_too() -> None:
    def f(W: object, x: object) -> object:
        return wengert.sum(wengert.tanh(W @ x) ** 2)  # type: ignore[operator]

    made = wengert.explain(f, np.array([[0.5, -1.0], [2.0, 0.25]]), np.array([[1.0], [0.5]]))
    for text in (made.to_markdown(), made.to_csv()):
        assert check_steps(made, text)


@pytest.mark.parametrize("numbers", ["exact", "mp:30"])
def test_other_number_systems(numbers: str) -> None:
    pytest.importorskip("sympy")
    made = wengert.explain("x^2/(1 + x)", 0.5, numbers=numbers)
    assert check_steps(made, {"v1": (0.25, "2/3"), "v2": (1.5, "-1/9"), "v3": "1/6", "x": (0.5, "5/9")})


def test_few_digits_and_fractions_are_right() -> None:
    assert with_slip(x1=(1, "4.04"), x2=(1.5, "2.7"), v3=("1.36", "1/2"))


def test_a_table_of_one_part_only() -> None:
    adjoints = {name: value[1] for name, value in RIGHT.items() if isinstance(value, tuple)}
    assert check_steps(sheet(), {"adjoint": adjoints})


def test_numbers_that_were_rounded_on_the_way_are_right() -> None:
    made = wengert.explain("exp(x)*exp(x)*exp(x)", 1.3)
    verdict = check_steps(made, {"v1": 3.67, "v2": 13.47, "v3": 49.43})
    assert verdict
    assert [line.label for line in verdict.of("rounded")] == [
        "v₂",
        "v₃",
    ]  # 13.4637 and 49.4024 from unrounded numbers


# -- slips ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("line", "wrong", "label", "kind"),
    [
        ("v1", (1.5, 2.2408), "v̄₁", "missing term"),
        ("v1", (1.5, 0.4546), "v̄₁", "missing term"),
        ("x3", (2, 1.7735), "v̄₀", "sign"),
        ("x3", (2, "-1.1493"), "v̄₀", "sign"),  # of one term
        ("v2", (0.9093, 0.5), "v̄₂", "dropped factor"),
        ("x3", (2, "-0.7114"), "v̄₀", "dropped factor"),
        ("x1", (1, 8.0865), "v̄₋₂", "factor"),
        ("x1", (1, "4.0431"), "v̄₋₂", "rounding"),
        ("x1", (1, "4.0400"), "v̄₋₂", "rounding"),
        ("v4", (4.4818, 0.5), "v₄", "rounding"),
        ("v2", (0.0349, 0.75), "v₂", "operation"),
        ("v5", (3.1178, 0.5), "v₅", "operation"),
        ("v3", (1.3639, 0.4567), "v̄₃", "unknown"),
    ],
)
def test_the_first_wrong_line_and_its_slip(
    line: str, wrong: tuple[object, object], label: str, kind: str
) -> None:
    verdict = with_slip(**{line: wrong})
    assert not verdict
    assert verdict.first is not None
    assert verdict.first.label == label
    assert verdict.first.slip is not None
    assert (verdict.first.slip.kind, len(verdict.slips)) == (kind, 1)


def test_the_verdict_in_words() -> None:
    verdict = with_slip(v1=(1.5, 2.2408), x1=(1, 3.3613), x2=(1.5, 2.2408))
    assert str(verdict) == (
        "Wrong: v̄₁ = v̄₄·v₄ + v̄₃·v₂\n"
        "  written 2.2408, but it should be 2.6955\n"
        "  likely slip, missing term: v₁ is used twice, in v₃ and v₄; "
        "the term v̄₃·v₂ = 0.4546 is left out\n"
        "Carried forward, and right given the numbers before: v̄₋₁ and v̄₋₂.\n"
        "14 of 17 numbers are right."
    )


def test_a_second_slip_after_the_first_is_told_too() -> None:
    verdict = with_slip(v1=(1.5, 2.2408), x1=(1, -3.3613), x2=(1.5, 2.2408))
    assert [(line.label, line.slip.kind) for line in verdict.slips if line.slip] == [
        ("v̄₁", "missing term"),
        ("v̄₋₂", "sign"),
    ]
    assert [line.label for line in verdict.carried] == ["v̄₋₁"]


def test_a_forgotten_transpose() -> None:
    W, x = np.array([[1.0, 2.0], [3.0, -1.0]]), np.array([[1.0], [2.0]])
    made = wengert.explain(lambda W, x: wengert.sum((W @ x) ** 2) / 2, W, x)
    r = W @ x
    for name, wrong in (("x", W @ r), ("W", x @ r.T), ("x", (W.T @ r).T)):
        part = {"adjoint": {"W": r @ x.T, "x": W.T @ r, "v1": r, name: wrong}}
        verdict = check_steps(made, part)
        assert verdict.first is not None
        assert verdict.first.name == name
        assert verdict.first.slip is not None
        assert verdict.first.slip.kind == "transpose"


def test_the_updates_of_a_training_step() -> None:
    w = wengert.Scalar(2.0)
    optimizer = optim.SGD([w], lr=0.1)

    def step() -> wengert.Scalar:
        loss = (w * 3 - 1) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    made = wengert.explain(step, parameters={"w": w})
    assert not check_steps(made, {"w": (2, 30, -1)}).slips
    wrong = {5: "sign", -28: "dropped factor"}
    for value, kind in wrong.items():
        first = check_steps(made, {"w": (2, 30, value)}).first
        assert first is not None
        assert first.slip is not None
        assert (first.part, first.slip.kind) == ("update", kind)


# -- tables that do not match --------------------------------------------------------------------------------


def test_missing_and_extra_lines_are_named() -> None:
    table = {name: value for name, value in RIGHT.items() if name not in ("v4", "x2")}
    verdict = check_steps(sheet(), {**table, "v9": 1.0, "area": 2.0})
    assert not verdict
    assert [line.label for line in verdict.missing] == ["v₄", "v̄₄", "v̄₋₁"]
    assert verdict.extra == ("v9", "area")
    assert "Missing: v₄, v̄₄ and v̄₋₁." in str(verdict)
    assert "Not checked: 'v9' is no line of the worksheet." in str(verdict)


def test_a_line_that_stands_twice_is_told_and_the_last_one_is_read() -> None:
    verdict = check_steps(wengert.explain("x*y", 2.0, 3.0), "v1 = 5\nv1 = 6\n")
    assert verdict.twice == ("v1",) and not verdict.slips
    assert "Written twice, and the last one was read: v1." in str(verdict)


def test_hostile_names_do_not_reach_the_terminal() -> None:
    text = str(check_steps(sheet(), {**RIGHT, "\x1b[2J<script>": 1.0}))
    assert "\x1b" not in text


def test_a_table_of_another_function() -> None:
    with pytest.raises(ValueError, match=r"no line of the dict belongs to the worksheet.*got the names a, b"):
        check_steps(sheet(), {"a": 1.0, "b": 2.0})
    with pytest.raises(ValueError, match="v1: 'abc' is not a number"):
        check_steps(sheet(), {"v1": "abc"})
    with pytest.raises(TypeError, match="table: expected a dict, text or a path"):
        check_steps(sheet(), 3)
    with pytest.raises(FileNotFoundError):
        check_steps(sheet(), Path("no-such-table.md"))


def test_symbols_are_nothing_to_compare_with() -> None:
    pytest.importorskip("sympy")
    with pytest.raises(ValueError, match="expected numbers to compare with, got symbolic values"):
        check_steps(wengert.explain("x^2", 1.0, numbers="symbolic"), {"v1": 1})


# -- how well it does ----------------------------------------------------------------------------------------


def test_planted_slips_are_found_and_named() -> None:
    """Of 500 random tables with a planted slip; see ``planted_slips``."""
    found, named, missed = 0, 0, Counter[tuple[str, str]]()
    for number in range(500):
        case = planted(random.Random(f"wrong {number}"))
        assert case.slip is not None
        first = check_steps(case.sheet, case.table).first
        part = "primal" if first is not None and first.part == "primal" else "derivative"
        if first is None or (first.row, part) != (case.row, case.slip.part):
            missed[case.slip.kind, "not found"] += 1
            continue
        assert first.slip is not None
        assert first.slip.kind in KINDS
        found += 1
        named += first.slip.kind == case.slip.kind
        if first.slip.kind != case.slip.kind:
            missed[case.slip.kind, first.slip.kind] += 1
    assert (found / 500 >= 0.95, named / 500 >= 0.80) == (True, True), (found, named, missed)


def test_right_tables_are_never_blamed() -> None:
    for number in range(200):
        case = planted(random.Random(f"right {number}"), with_slip=False)
        verdict = check_steps(case.sheet, case.table)
        assert not verdict.slips, f"{number}: {verdict}"
