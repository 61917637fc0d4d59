"""What stands behind a worksheet: terms of the chain rule, the program, the modules and the source."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from sheets import EXPRESSION, a_training_step

import wengert
from wengert.ops.op import lookup
from wengert.worksheets.worksheet import Recording, Ref, Worksheet


def results(recording: Recording) -> list[Any]:
    """Every step of a recording, carried out by the operations' own functions."""
    values: list[Any] = []
    for step in recording.steps:
        if step.op in ("input", "parameter", "constant"):
            values.append(step.value)
        else:
            args = tuple(values[a.step] if isinstance(a, Ref) else a for a in step.args)
            values.append(lookup(step.op).apply(args, step.params))
    return values


SHEETS: dict[str, Callable[[], Worksheet]] = {
    "reverse": lambda: wengert.explain(EXPRESSION, 1.0, 1.5, 2.0),
    "forward": lambda: wengert.explain(EXPRESSION, 1.0, 1.5, 2.0, mode="forward", wrt="x2"),
    "exact": lambda: wengert.explain("x^2/(1+x) + x*sin(x)", 1, numbers="exact"),
    "matrices": lambda: wengert.explain(
        lambda A, x: wengert.sum(wengert.tanh(A @ x) ** 2), np.eye(2), np.ones(2)
    ),
    "several uses": lambda: wengert.explain("x*x*x - x/x + maximum(x, 2)", 3.0),
    "training step": a_training_step,
}


@pytest.mark.parametrize("name", SHEETS)
def test_a_derivative_is_the_sum_of_its_terms(name: str) -> None:
    sheet = SHEETS[name]()
    checked = 0
    for row in sheet.rows:
        derivative = row.adjoint if sheet.mode == "reverse" else row.tangent
        if row.terms:
            total = sum((term.value for term in row.terms[1:]), row.terms[0].value)
            np.testing.assert_allclose(np.asarray(total, float), np.asarray(derivative, float), rtol=1e-6)
            checked += 1
    assert checked >= 2


@pytest.mark.parametrize("name", SHEETS)
def test_the_recording_computes_what_the_rows_say(name: str) -> None:
    sheet = SHEETS[name]()
    recording = sheet.recording
    values = results(recording)
    for row in sheet.rows:
        assert np.all(np.asarray(values[recording.primal[row.id]] == row.value))
        if row.id in recording.derivative and row.adjoint is not None:
            assert np.all(np.asarray(values[recording.derivative[row.id]] == row.adjoint))
        if row.update is not None:
            assert np.all(np.asarray(values[recording.update[row.id]] == row.update))
        for term, step in zip(row.terms, recording.terms.get(row.id, ()), strict=True):
            assert np.all(np.asarray(values[step] == term.value))


def test_a_term_names_its_reader_and_the_local_partial() -> None:
    sheet = wengert.explain(EXPRESSION, 1.0, 1.5, 2.0)
    first, second = sheet["x3"].terms
    assert (first.row, str(first.formula), str(first.partial)) == (2, "v̄₂·cos(v₀)", "cos(v₀)")
    assert (second.row, str(second.formula), str(second.partial)) == (6, "-v̄₆·v₆/v₀", "-v₆/v₀")
    assert second.partial_value == pytest.approx(-sheet.value / 2)


def test_rows_know_the_modules_and_the_lines_they_come_from() -> None:
    sheet = a_training_step()
    modules = {row.op: row.module for row in sheet.rows}
    assert modules["relu"] == ("model", "1")
    assert modules["tanh"] == ("model", "2", "1")
    assert modules["cross_entropy"] == modules["parameter"] == ()
    assert sheet.source is not None and sheet.source.name == "step"
    lines = {row.line_number for row in sheet.rows if row.module}
    (number,) = lines
    assert number is not None and "model(x)" in sheet.source.lines[number - sheet.source.first]


def test_an_expression_has_no_source() -> None:
    sheet = wengert.explain("x * x", 2.0)
    assert sheet.source is None and all(row.line_number is None for row in sheet.rows)
