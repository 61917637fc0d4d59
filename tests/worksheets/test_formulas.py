"""Formulas say what is computed: read back and evaluated, every one gives the value that stands beside it."""

from __future__ import annotations

import math
import unicodedata
from typing import Any

import numpy as np
import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

import wengert
from wengert.expressions import parse
from wengert.graph.simplify import EXACT, REORDERING
from wengert.worksheets.number_choice import evaluated, functions
from wengert.worksheets.worksheet import Worksheet

FUNCTIONS = ("sin", "exp", "tanh", "sigmoid", "square", "softplus", "atan")
NUMBERS = ("0", "1", "2", "3", "0.5", "-1", "-2", "0.1")
POINT = {"x": 0.75, "y": -1.25, "z": 0.5}


def _of(inner: st.SearchStrategy[str]) -> st.SearchStrategy[str]:
    return st.one_of(
        st.builds("({} {} {})".format, inner, st.sampled_from("+-*/"), inner),
        st.builds("(-{})".format, inner),
        st.builds("({}^{})".format, inner, st.sampled_from(("0", "1", "2", "3", "-1", "-2"))),
        st.builds("{}({})".format, st.sampled_from(FUNCTIONS), inner),
    )


EXPRESSIONS = st.recursive(st.sampled_from((*POINT, *POINT, *NUMBERS)), _of, max_leaves=8)


def function_of(text: str) -> Any:
    """The expression as an ordinary function of numbers, which neither shares nor simplifies anything."""
    expression = parse(text, functions())

    def f(x: Any, y: Any, z: Any) -> Any:
        return 0 * x + evaluated(expression, {"x": x, "y": y, "z": z}, float)

    try:
        f(*POINT.values())
    except ArithmeticError:  # Python's own, in what the expression computes from constants alone
        assume(False)
    return f


def usual(*values: Any) -> bool:
    """Whether the values are of ordinary size, so that rounding stays small."""
    return all(math.isfinite(v) and abs(v) < 1e6 for v in values)


def all_rows(sheet: Worksheet) -> list[tuple[str, float]]:
    """Every formula of a sheet in names that the parser reads, with its value."""
    part = "adjoint" if sheet.mode == "reverse" else "tangent"
    found = []
    for row in sheet.rows:
        formula = getattr(row, f"{part}_formula")
        found += [(row.formula.text, row.value), (formula.text, getattr(row, part))]
    return [(readable(text), float(value)) for text, value in found]


def readable(text: str) -> str:
    plain = unicodedata.normalize("NFD", text)
    for mark, letter in (("v\u0304", "b"), ("v\u0307", "t")):
        plain = plain.replace(mark, letter)
    return plain.replace("₋", "n").replace("σ", "sigmoid").replace("⁻¹", "^(-1)").replace("⁻²", "^(-2)")


def values_of(sheet: Worksheet) -> dict[str, float]:
    part = "adjoint" if sheet.mode == "reverse" else "tangent"
    known = dict(POINT)
    for row in sheet.rows:
        label = readable(row.label.text).translate(str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789"))
        letter = "b" if part == "adjoint" else "t"
        known[label] = float(row.value)
        known[letter + label.removeprefix("v")] = float(getattr(row, part))
    return known


def read_back(text: str, known: dict[str, float]) -> float:
    return float(evaluated(parse(text, functions()), known, float))


@given(EXPRESSIONS, st.sampled_from(["reverse", "forward"]))
def test_every_formula_gives_its_value(text: str, mode: str) -> None:
    sheet = wengert.explain(function_of(text), *POINT.values(), mode=mode, wrt="x")
    known = values_of(sheet)
    assume(usual(*known.values()))
    for formula, value in all_rows(sheet):
        assert read_back(formula, known) == pytest.approx(value, rel=1e-9, abs=1e-9), formula


@given(EXPRESSIONS)
def test_simplification_preserves_values(text: str) -> None:
    f = function_of(text)
    value, gradient = wengert.value_and_grad(f, argnums=(0, 1, 2))(*POINT.values())
    sheet = wengert.explain(f, *POINT.values())
    assume(usual(value, *gradient, *values_of(sheet).values()))
    assert sheet.value == value
    assert list(sheet.gradient.values()) == pytest.approx(list(gradient), rel=1e-9, abs=1e-9)


@given(EXPRESSIONS)
def test_the_title_reads_back_to_the_function(text: str) -> None:
    f = function_of(text)
    sheet = wengert.explain(f, *POINT.values())
    assume(sheet.expression != "f" and usual(*values_of(sheet).values()))
    assert read_back(readable(sheet.expression), dict(POINT)) == pytest.approx(
        sheet.value, rel=1e-9, abs=1e-9
    )


@given(EXPRESSIONS)
def test_derived_formulas_read_back_to_the_gradient(text: str) -> None:
    f = function_of(text)
    gradient = wengert.grad(f, argnums=(0, 1, 2))(*POINT.values())
    assume(usual(*gradient, *values_of(wengert.explain(f, *POINT.values())).values()))
    scalars = [np.float64(v) for v in POINT.values()]
    derived = wengert.derive(lambda x, y, z: f(x, y, z), *scalars)
    for name, expected in zip(POINT, gradient, strict=True):
        formula = readable(derived[name].text)
        assert read_back(formula, dict(POINT)) == pytest.approx(expected, rel=1e-9, abs=1e-9), formula


X, Y = np.array([[0.5, -1.5], [2.0, 0.25]]), np.array([[1.5, -0.5], [0.75, -2.0]])
PATTERNS: dict[str, list[Any]] = {
    "add": [
        lambda x, y: x + 0, lambda x, y: 0 + x, lambda x, y: x + x,
        lambda x, y: x + -y, lambda x, y: -x + y,
    ],
    "subtract": [lambda x, y: x - 0, lambda x, y: 0 - x, lambda x, y: x - -y],
    "multiply": [
        lambda x, y: x * 1, lambda x, y: 1 * x, lambda x, y: -1 * x, lambda x, y: x * -1,
        lambda x, y: x * 3, lambda x, y: -x * y, lambda x, y: x * -y,
        lambda x, y: x * wengert.broadcast_to(wengert.sum(y), shape=(2, 2)),
        lambda x, y: x * wengert.reciprocal(y), lambda x, y: wengert.reciprocal(y) * x,
        lambda x, y: x * (1 / y), lambda x, y: 3 * (0.5 * x), lambda x, y: x * (0.5 * y),
        lambda x, y: y * wengert.ratio(x, y), lambda x, y: (3 * y) * wengert.ratio(x, y),
        lambda x, y: (1 / y) * x, lambda x, y: (x / 3) * y, lambda x, y: x * (y / 3),
    ],
    "divide": [
        lambda x, y: x / 1, lambda x, y: -x / y, lambda x, y: x / -y, lambda x, y: (4 * x) / 2,
        lambda x, y: (2 * x) / 4,
    ],
    "negative": [lambda x, y: wengert.negative(-x)],
    "power": [lambda x, y: wengert.sum(x) ** 0 * x, lambda x, y: x**1, lambda x, y: x**2],
    "ones_like": [lambda x, y: x * wengert.ones_like(wengert.sum(x))],
    "zeros_like": [lambda x, y: x + wengert.zeros_like(wengert.sum(x))],
    "transpose": [
        lambda x, y: wengert.transpose(wengert.transpose(x, axis0=0, axis1=1), axis0=0, axis1=1),
        lambda x, y: wengert.transpose(-x), lambda x, y: wengert.transpose(2 * x),
        lambda x, y: wengert.transpose(x / 2), lambda x, y: wengert.transpose(wengert.transpose(x) @ y),
        lambda x, y: wengert.transpose(x @ wengert.transpose(y)),
    ],
    "reshape": [lambda x, y: wengert.reshape(x, shape=(2, 2))],
    "broadcast_to": [lambda x, y: wengert.broadcast_to(x, shape=(2, 2))],
    "matmul": [
        lambda x, y: -x @ y, lambda x, y: x @ -y, lambda x, y: (2 * x) @ y, lambda x, y: x @ (2 * y),
        lambda x, y: (x / 2) @ y, lambda x, y: x @ (y / 2),
    ],
    "outer": [lambda x, y: wengert.outer(-x[0], y[0]), lambda x, y: wengert.outer(x[0], 3 * y[0])],
    "sum": [
        lambda x, y: wengert.sum(-x) * y, lambda x, y: wengert.sum(3 * x) * y,
        lambda x, y: wengert.sum(x / 3) * y,
    ],
    "where": [lambda x, y: wengert.where(x > 0, -y, wengert.zeros_like(y))],
}  # fmt: skip


@pytest.mark.parametrize("name", sorted({*EXACT, *REORDERING}))
def test_each_rule_preserves_the_value_and_the_gradient(name: str) -> None:
    for pattern in PATTERNS[name]:
        # A training step puts the function itself through every rule, also those that may round.
        def f(x: Any, y: Any, pattern: Any = pattern) -> Any:
            return wengert.sum(wengert.sin(pattern(x, y)) * y)

        sheet = wengert.explain(f, X, Y)
        value, gradient = wengert.value_and_grad(f, argnums=(0, 1))(X, Y)
        np.testing.assert_allclose(sheet.value, value, rtol=1e-13)
        for found, expected in zip(sheet.gradient.values(), gradient, strict=True):
            np.testing.assert_allclose(found, expected, rtol=1e-12, atol=1e-14)
        inputs = (wengert.tensor(X, requires_grad=True), wengert.tensor(Y, requires_grad=True))
        rewritten = wengert.explain(
            lambda inputs=inputs, f=f: f(*inputs) * 1.0, parameters=dict(zip("xy", inputs, strict=True))
        )
        np.testing.assert_allclose(rewritten.value, value, rtol=1e-13)


def test_dropping_a_neutral_number_never_drops_a_shape() -> None:
    sheet = wengert.explain(lambda x: wengert.sum(x + np.zeros((3, 1))), np.array([1.0, 2.0]))
    assert sheet.value == 9.0
    np.testing.assert_array_equal(sheet.gradient["x"], [3.0, 3.0])


@pytest.mark.parametrize(
    ("f", "text", "latex"),
    [
        (lambda x, y: (x + y) * (x - y), "(x + y)·(x - y)", r"\left(x + y\right) \cdot \left(x - y\right)"),
        (lambda x, y: x - (y - x), "x - (y - x)", r"x - \left(y - x\right)"),
        (lambda x, y: x / (y / x), "x/(y/x)", r"\frac{x}{\frac{y}{x}}"),
        (lambda x, y: (x / y) ** 3, "(x/y)³", r"{\left(\frac{x}{y}\right)}^{3}"),
        (lambda x, y: (-x) ** 3, "(-x)³", r"{\left(-x\right)}^{3}"),
        (lambda x, y: -(x**3), "-x³", r"-{x}^{3}"),
        (lambda x, y: x ** (y + 1), "x^(y + 1)", "{x}^{y + 1}"),
        (lambda x, y: x**-2 * y, "x⁻²·y", r"{x}^{-2} \cdot y"),
        (lambda x, y: x * -2.5 + y, "-2.5·x + y", r"-2.5 \cdot x + y"),
        (lambda x, y: abs(x - y), "|x - y|", r"|x - y|"),
        (lambda x, y: x * 1e-9 + y, "1e-09·x + y", r"1 \times 10^{-9} \cdot x + y"),
    ],
)
def test_brackets_stand_where_they_are_needed(f: Any, text: str, latex: str) -> None:
    sheet = wengert.explain(f, 1.5, 0.5)
    assert sheet.expression == text
    with_names = wengert.derive(lambda x, y, z: f(x, y) + z * f(x, y), 1.5, 0.5, 2.0, wrt="z")["z"]
    assert with_names.latex == latex


def test_a_call_keeps_its_arguments_and_settings_in_latex() -> None:
    x = np.array([[1.0, 2.0], [3.0, 4.0]])
    sheet = wengert.explain(lambda x: wengert.sum(wengert.sum(x, axis=0) ** 2), x)
    assert r"\operatorname{sum}\left(v_{0}, \texttt{axis=0}\right)" in sheet.to_latex(table=True)
    assert r"\bar{v}_{3} \, \mathbf{1}_{2}" in sheet.to_latex(table=True)


# derive


@pytest.mark.parametrize(
    ("f", "gradient"),
    [
        ("x*y + sin(x)", {"x": "y + cos(x)", "y": "x"}),
        (lambda a, b: (a - b) ** 2, {"a": "2·(a - b)", "b": "2·b - 2·a"}),
        ("exp(-z^2/2)", {"z": "-z·exp(-z^2/2)"}),
    ],
)
def test_derivatives_of_numbers_are_simplified(f: Any, gradient: dict[str, str]) -> None:
    assert {name: formula.text for name, formula in wengert.derive(f).gradient.items()} == gradient


def test_derive_knows_its_inputs_by_name() -> None:
    assert list(wengert.derive("x*y", wrt="y").gradient) == ["y"]
    assert list(wengert.derive(lambda a: a * a, names=["angle"]).gradient) == ["angle"]
    assert wengert.derive(lambda a, b: a * a, 1.0, 2.0)["b"].text == "0"
    with pytest.raises(ValueError, match="'z' is no input"):
        wengert.derive("x*y", wrt="z")
    with pytest.raises(ValueError, match="no inputs"):
        wengert.derive("2*pi")


def test_derive_prints_in_a_notebook() -> None:
    latex = wengert.derive("x1^2")._repr_latex_()
    assert latex.startswith(r"$$\begin{align*}\nabla_{x_{1}} f &= ")


def test_a_long_function_is_no_formula() -> None:
    def long(x: Any) -> Any:
        for _ in range(400):
            x = wengert.sin(x)
        return x

    with pytest.raises(ValueError, match="300 operations"):
        wengert.derive(long, 1.0)
