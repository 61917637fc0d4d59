"""Exercises on backpropagation: a network of two layers in small whole numbers."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from wengert.ops.arithmetic import square
from wengert.ops.exponential import log2
from wengert.ops.nn import relu
from wengert.ops.reduce import sum as total
from wengert.random import Generator
from wengert.worksheets.checks.step_verdicts import check_steps
from wengert.worksheets.columns import barred
from wengert.worksheets.exercises.exercise import (
    Block,
    Cell,
    Equation,
    Exercise,
    Paragraph,
    answer,
    given,
    grid,
)
from wengert.worksheets.explain import explain
from wengert.worksheets.friendly import friendly, is_friendly
from wengert.worksheets.worksheet import Formula, Row, Worksheet

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Line:
    """A line of the exercise's table: its formula, and that of its adjoint where it has one to be found."""

    formula: Formula
    adjoint: Formula | None = None


@dataclass(frozen=True)
class Loss:
    """The end of a network: how it is computed, and the lines that it adds to the table."""

    name: str
    function: Callable[[Any, Any], Mapping[str, Any]]
    lines: Mapping[str, Line]
    equation: Formula
    remark: str


def _squared_error(u: Any, y: Any) -> dict[str, Any]:
    r = u - y
    return {"r": r, "L": 0.5 * total(square(r))}


def _cross_entropy(u: Any, y: Any) -> dict[str, Any]:
    powers = 2**u
    p = powers / total(powers)
    return {"p": p, "L": -total(y * log2(p))}


def _both(text: str, latex: str) -> Formula:
    return Formula(text, latex)


LOSSES = (
    Loss(
        "half the squared error",
        _squared_error,
        {
            "u": Line(_both("W2 h", "W_2 h"), _both("r̄", r"\bar{r}")),
            "r": Line(_both("u - y", "u - y"), _both("r", "r")),
            "L": Line(_both("½ (r1² + r2²)", r"\tfrac12 \lVert r \rVert^2"), _both("1", "1")),
        },
        _both("r = u - y,  L = ½ (r1² + r2²)", r"r = u - y, \quad L = \tfrac12 \lVert r \rVert^2"),
        "",
    ),
    Loss(
        "the cross entropy in bits",
        _cross_entropy,
        {
            "u": Line(_both("W2 h", "W_2 h"), _both("p - y", "p - y")),
            "p": Line(_both("2^u / (the sum of 2^u)", r"2^{u} \big/ \sum_j 2^{u_j}")),
            "L": Line(_both("-log2 of p where y is 1", r"-\log_2 p_y"), _both("1", "1")),
        },
        _both(
            "p = 2^u / (the sum of 2^u),  L = -(y1 log2 p1 + y2 log2 p2)",
            r"p = 2^{u} \big/ \textstyle\sum_j 2^{u_j}, \quad L = -\sum_i y_i \log_2 p_i",
        ),
        "The softmax has 2 in the place of e, and the loss is counted in bits, so that the numbers stay "
        "simple. As with e, the adjoint of $u$ is $p - y$.",
    ),
)
LAYERS = {
    "z": Line(_both("W1 x", "W_1 x"), _both("h̄ where z > 0, else 0", r"\bar{h} \odot [z > 0]")),
    "h": Line(_both("relu(z)", r"\mathrm{ReLU}(z)"), _both("W2ᵀ ū", r"W_2^{\top} \bar{u}")),
}
WEIGHTS = {"W1": _both("z̄ xᵀ", r"\bar{z}\, x^{\top}"), "W2": _both("ū hᵀ", r"\bar{u}\, h^{\top}")}
LATEX = {"W1": "W_1", "W2": "W_2"}


def exercise_on_backpropagation(seed: int, generator: Generator) -> Exercise:
    """A forward and a backward pass, with matrices."""
    loss = LOSSES[int(generator.integers(0, len(LOSSES), 1)[0])]
    while True:
        sheet = _network(loss, generator)
        if _is_worth_it(sheet):
            return _laid_out(seed, loss, sheet)


def _network(loss: Loss, generator: Generator) -> Worksheet:
    def matrix(rows: int, columns: int, low: int, high: int) -> Array:
        return generator.integers(low, high + 1, (rows, columns)).astype(float)

    units = 2 + int(generator.integers(0, 2, 1)[0])
    weights = matrix(units, 2, -2, 2), matrix(2, units, -2, 2)
    x, y = matrix(2, 1, -1, 3), matrix(2, 1, -2, 3)
    if loss is LOSSES[1]:
        y = np.array([[1.0], [0.0]]) if generator.integers(0, 2, 1)[0] else np.array([[0.0], [1.0]])

    def network(W1: Any, W2: Any, x: Any, y: Any) -> Any:
        z = W1 @ x
        h = relu(z)
        u = W2 @ h
        return loss.function(u, y)["L"]

    whole = explain(network, *weights, x, y, wrt=["W1", "W2"])
    return _renamed(whole, loss)


def _renamed(sheet: Worksheet, loss: Loss) -> Worksheet:
    """The rows of the exercise's lines, by its names; the steps between them have no rows."""
    lines = {**LAYERS, **loss.lines}
    inputs = [row for row in sheet.rows if not row.args]
    found = [_as_input(row) for row in inputs]
    for name, row in zip(lines, _rows_of(sheet, loss), strict=True):
        found.append(_as_line(name, row, lines[name]))
    return replace(sheet, rows=tuple(found), output=found[-1].id)


def _rows_of(sheet: Worksheet, loss: Loss) -> list[Row]:
    """The rows that compute z, h, u, then r or p, and L, in this order."""
    computed = [row for row in sheet.rows if row.args]
    middle = "subtract" if loss is LOSSES[0] else "divide"
    wanted = ["matmul", "relu", "matmul", middle]
    found: list[Row] = []
    for row in computed:
        if len(found) < len(wanted) and row.op == wanted[len(found)]:
            found.append(row)
    return [*found, computed[-1]]


def _as_input(row: Row) -> Row:
    latex = LATEX.get(row.name, row.name)
    told = WEIGHTS.get(row.name)
    adjoint = row.adjoint if told else None
    terms = tuple(replace(term, formula=told, partial=None) for term in row.terms) if told else ()
    return replace(row, label=Formula(row.name, latex), adjoint=adjoint, adjoint_formula=told, terms=terms)


def _as_line(name: str, row: Row, line: Line) -> Row:
    told = line.adjoint
    return replace(
        row,
        name=name,
        label=Formula(name, name),
        formula=line.formula,
        adjoint=row.adjoint if told else None,
        adjoint_formula=told,
        terms=(),
    )


def _is_worth_it(sheet: Worksheet) -> bool:
    """Whether all is friendly, some units are on and some are off, and no gradient vanishes."""
    z, value = sheet["z"].value, sheet["L"]
    shown = [row.value for row in sheet.rows if row is not value]
    adjoints = [row.adjoint for row in sheet.rows if row.adjoint is not None]
    if not all(map(is_friendly, (*shown, *adjoints))):
        return False
    on = z > 0
    if not (on.any() and (~on).any()) or (z == 0).any() or np.abs(z).max() > 8:
        return False
    if any((np.asarray(row.value) == 0).all() for row in sheet.rows):
        return False
    mixed = all(np.count_nonzero(row.adjoint) >= 2 for row in sheet.rows if row.name in ("W1", "W2", "u"))
    few_zeros = all(np.count_nonzero(sheet[name].value == 0) <= 1 for name in ("W1", "W2", "x"))
    return mixed and few_zeros and np.count_nonzero(sheet["x"].value) == 2


# -- the sheet -----------------------------------------------------------------------------------------------


def _laid_out(seed: int, loss: Loss, sheet: Worksheet) -> Exercise:
    numbers = [f"{row.name} = {friendly(row.value)}" for row in sheet.rows if not row.args]
    latex = [f"{row.label.latex} = {friendly(row.value).latex}" for row in sheet.rows if not row.args]
    layers = Formula(
        "z = W1 x,  h = relu(z),  u = W2 h", r"z = W_1 x, \quad h = \mathrm{ReLU}(z), \quad u = W_2 h"
    )
    ending = loss.equation
    blocks: list[Block] = [
        Paragraph(f"A network of two layers without biases, with {loss.name} as its loss:"),
        Equation(Formula(f"{layers.text},  {ending.text}", rf"{layers.latex}, \quad {ending.latex}")),
        Paragraph("has these weights, and sees this example:"),
        Equation(Formula(",  ".join(numbers), r",\quad ".join(latex))),
        *([Paragraph(loss.remark)] if loss.remark else []),
        Paragraph(
            "Work forwards, and then backwards: the adjoint of a line is the derivative of the loss with "
            "respect to it, in its own shape. The derivative of relu at 0 is taken as 0. Write an array row "
            "by row, as [[1], [2]]."
        ),
        grid(
            ("line", "formula", "value", "adjoint formula", "adjoint"),
            [_row(row) for row in (*_computed(sheet), *_weights(sheet))],
            room=(0, 0, 6, 9, 6),
            height=3.2,
        ),
        Paragraph("The adjoints of the weights are what a step of gradient descent subtracts a multiple of."),
    ]
    title = f"Backpropagation, worksheet {seed}"
    return Exercise("backprop", seed, title, tuple(blocks), lambda table: check_steps(sheet, table), sheet)


def _computed(sheet: Worksheet) -> list[Row]:
    return [row for row in sheet.rows if row.args]


def _weights(sheet: Worksheet) -> list[Row]:
    return [row for row in reversed(sheet.rows) if row.name in WEIGHTS]


def _row(row: Row) -> list[Cell]:
    has_adjoint = row.adjoint_formula is not None
    accent = barred(row.label)
    told = row.adjoint_formula
    formula = None if told is None else Formula(f"{accent} = {told}", f"{accent.latex} = {told.latex}")
    is_weight = not row.args
    return [
        given(row.label.text, row.label.latex),
        given("" if is_weight else row.formula.text, "" if is_weight else row.formula.latex),
        given("") if is_weight else answer(friendly(row.value)),
        answer(formula) if has_adjoint else given(""),
        answer(friendly(row.adjoint)) if has_adjoint else given(""),
    ]
