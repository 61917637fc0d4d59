"""`wengert.explain` as a stranger meets it: any function, every number system, and what it refuses."""

from __future__ import annotations

import cProfile
import math
from fractions import Fraction
from typing import Any

import mpmath
import numpy as np
import pytest
import sympy

import wengert
from wengert.expressions import parse
from wengert.worksheets.number_choice import functions
from wengert.worksheets.worksheet import Worksheet

SCALE = np.array([[0.1, 0.7], [0.2, 1.3]])


def formulas(sheet: Worksheet) -> list[str]:
    return [row.formula.text for row in sheet.rows]


# number systems


@pytest.mark.parametrize("f", ["x/3 + 0.1*x^2", lambda x: x / 3 + 0.1 * x**2])
def test_exact_numbers_stay_exact(f: Any) -> None:
    sheet = wengert.explain(f, Fraction(1, 2), numbers="exact")
    assert str(sheet.value) == str(Fraction(1, 6) + Fraction(1, 40))
    assert str(sheet.gradient["x"]) == str(Fraction(1, 3) + Fraction(1, 10))


def test_exact_numbers_keep_what_is_irrational_as_a_formula() -> None:
    sheet = wengert.explain("sin(x)*pi", 2, numbers="exact")
    assert sheet.value == sympy.pi * sympy.sin(2)
    assert sheet.gradient["x"] == sympy.pi * sympy.cos(2)


def test_symbols_give_formulas() -> None:
    x, y = sympy.symbols("x y", real=True)
    sheet = wengert.explain(lambda x, y: wengert.exp(x * y) / y, 1.0, 2.0, numbers="symbolic")
    assert sympy.simplify(sheet.gradient["y"] - sympy.diff(sympy.exp(x * y) / y, y)) == 0


def test_an_array_of_symbols_has_a_symbol_for_each_place() -> None:
    sheet = wengert.explain(lambda x: wengert.sum(x * x * x), np.ones(2), numbers="symbolic")
    assert str(sheet.value) == "x[0]**3 + x[1]**3"
    assert [str(entry) for entry in sheet.gradient["x"]] == ["3*x[0]**2", "3*x[1]**2"]


CONTINUOUS = [
    "(x*1.5*sin(2) + exp(1.5*x))/2",
    "log(1 + x^2)*tanh(x)",
    "sqrt(x)*cos(x) - tan(x)",
    "x^x + 1/x",
    "softplus(x)*sigmoid(x)",
    "erf(x) + sinh(x)*log1p(x)",
]


def in_mpmath(text: str, x: Any) -> Any:
    own = {
        "log": mpmath.log, "sqrt": mpmath.sqrt, "sin": mpmath.sin, "cos": mpmath.cos, "exp": mpmath.exp,
        "tanh": mpmath.tanh, "tan": mpmath.tan, "erf": mpmath.erf, "sinh": mpmath.sinh, "log1p": mpmath.log1p,
        "softplus": lambda z: mpmath.log(1 + mpmath.exp(z)), "sigmoid": lambda z: 1 / (1 + mpmath.exp(-z)),
    }  # fmt: skip

    def literal(digits: str) -> Any:
        fraction = Fraction(digits)
        return mpmath.mpf(fraction.numerator) / fraction.denominator

    return parse(text, own).evaluate({"x": x}, own, literal, {})


@pytest.mark.parametrize("text", CONTINUOUS)
def test_fifty_digits_are_right(text: str) -> None:
    sheet = wengert.explain(text, Fraction(7, 10), numbers="mp:50")
    with mpmath.workdps(80):
        x = mpmath.mpf(7) / 10
        value, slope = in_mpmath(text, x), mpmath.diff(lambda x: in_mpmath(text, x), x)
        assert abs(sheet.value - value) < abs(value) * mpmath.mpf(10) ** -49
        assert abs(sheet.gradient["x"] - slope) < abs(slope) * mpmath.mpf(10) ** -48
    assert len(sheet.to_text().split("f = ")[-1].split()[0]) >= 50


@pytest.mark.parametrize("text", CONTINUOUS[:5])
def test_intervals_hold_the_value(text: str) -> None:
    sheet = wengert.explain(text, Fraction(7, 10), numbers="interval")
    sharp = wengert.explain(text, Fraction(7, 10), numbers="mp:50")
    for bound, number in ((sheet.value, sharp.value), (sheet.gradient["x"], sharp.gradient["x"])):
        assert bound.a <= number <= bound.b
        assert bound.delta < 1e-12


def test_numbers_and_arrays_of_the_function_belong_to_the_number_system() -> None:
    def scaled(x: Any) -> Any:
        return wengert.sum(SCALE @ x) / 3

    sheet = wengert.explain(scaled, np.array([0.5, 0.25]), numbers="exact")
    assert [str(entry) for entry in sheet.gradient["x"]] == ["1/10", "2/3"]
    assert str(sheet.value) == str((Fraction("0.3") / 2 + Fraction(2) / 4) / 3)


@pytest.mark.parametrize("name", sorted(set(functions()) - {"power", "pow"}))
@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_every_function_of_an_expression(name: str, mode: str) -> None:
    op = functions()[name]
    args = [float(a) for a in op.sample[0].args]  # type: ignore[attr-defined]
    names = ["x", "y", "z"][: len(args)]
    sheet = wengert.explain(f"{name}({', '.join(names)})", *args, mode=mode, wrt=names[-1])
    assert float(sheet.value) == pytest.approx(float(op(*args)))
    if op.differentiable:  # type: ignore[attr-defined]
        expected = wengert.grad(op, argnums=len(args) - 1)(*args)
        assert float(sheet.gradient[names[-1]]) == pytest.approx(float(expected))


def test_an_unknown_number_system_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"float, exact, symbolic, interval, mp:DIGITS, got 'decimal'"):
        wengert.explain("x", 1.0, numbers="decimal")


# what the table says


def test_duplicates_are_shared() -> None:
    sheet = wengert.explain(lambda x, y: wengert.sin(x * y) + wengert.exp(x * y), 2.0, 1.0)
    assert formulas(sheet) == ["x", "y", "v₋₁·v₀", "sin(v₁)", "exp(v₁)", "v₂ + v₃"]


@pytest.mark.parametrize("f", ["1*x + 0", "x/1 - 0", "-(-x)", "0 + x^1", lambda x: 0 + 1 * x])
def test_what_changes_nothing_has_no_row(f: Any) -> None:
    sheet = wengert.explain(f, 3.0)
    assert formulas(sheet) == ["x"]
    assert (sheet.value, sheet.gradient["x"], sheet.rows[0].adjoint_formula.text) == (3.0, 1.0, "1")  # type: ignore[union-attr]


def test_simplification_never_rounds_the_function_itself() -> None:
    def f(x: Any) -> Any:
        return 3.0 * (0.1 * x) * (1 / x)

    for x in (0.1, 0.7, 1.1, 2.3):
        assert wengert.explain(f, x).value == f(x)


def test_a_quotient_by_a_number_stays_one() -> None:
    sheet = wengert.explain(lambda x: x * x / 3, 2)
    assert sheet.rows[1].adjoint_formula.text == "v̄₂/3"  # type: ignore[union-attr]


def test_a_power_of_zero_is_one_everywhere() -> None:
    sheet = wengert.explain("x^0", 0.0)
    assert (sheet.value, sheet.gradient["x"]) == (1.0, 0.0)


def test_kinks_have_footnotes() -> None:
    sheet = wengert.explain("relu(x) + abs(x) + maximum(x, y)", 0.0, 0.0)
    assert len(sheet.footnotes) == 3
    assert [row.notes for row in sheet.rows if row.op == "relu"] == [(0,)]
    assert sheet.gradient == {"x": 0.5, "y": 0.5}


def test_nan_is_noted_where_it_is_born() -> None:
    sheet = wengert.explain("log(x)*y", -1.0, 2.0)
    (note,) = sheet.footnotes
    assert "v₁" in note and "x > 0" in note and "x = -1" in note
    assert [row.notes for row in sheet.rows] == [(), (), (0,), ()]
    assert math.isnan(sheet.value)
    assert "NaN" in sheet.to_text()


def test_nan_that_comes_in_is_not_born_here() -> None:
    assert wengert.explain("log(x)", math.nan).footnotes == ()


def test_what_is_undefined_in_exact_numbers_says_so() -> None:
    sheet = wengert.explain("log(x)", 0, numbers="exact")
    assert "undefined" in sheet.to_text()
    assert "x > 0" in sheet.footnotes[0]


@pytest.mark.parametrize("count", [1, 3, 12])
def test_inputs_count_up_to_zero(count: int) -> None:
    sheet = wengert.explain(lambda *x: math.prod(x), *[1.5] * count)
    assert [row.id for row in sheet.rows[:count]] == list(range(1 - count, 1))
    assert sheet.rows[0].label.text == "v" + str(1 - count).translate(
        str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
    )


def test_names_come_from_the_functions_variables() -> None:
    def f(x: Any) -> Any:
        half = x / 2
        return wengert.sin(half)

    sheet = wengert.explain(f, 1.0)
    assert sheet["half"].formula.text == "v₀/2"
    assert sheet["half"].line is not None and sheet["half"].line.endswith("half = x / 2")
    assert list(wengert.explain(f, 1.0, names=["angle"]).gradient) == ["angle"]


def test_text_has_no_source_line() -> None:
    assert {row.line for row in wengert.explain("x*x + 1", 2.0).rows} == {None}


def test_nested_arguments_are_named_by_their_place() -> None:
    sheet = wengert.explain(lambda p, xs: p["w"] * xs[0] + p["b"] * xs[1], {"w": 2.0, "b": 1.0}, [3.0, 4.0])
    assert sheet.gradient == {"p.w": 3.0, "p.b": 4.0, "xs[0]": 2.0, "xs[1]": 1.0}


def test_arrays_of_the_surroundings_are_named() -> None:
    shift = np.array([1.0, 2.0])
    sheet = wengert.explain(lambda x: wengert.sum(SCALE @ x + shift), np.ones(2))
    assert [row.name for row in sheet.rows if row.op == "constant"] == ["SCALE", "shift"]
    np.testing.assert_allclose(sheet.gradient["x"], SCALE.sum(axis=0))


def test_tensors_of_the_surroundings_are_named() -> None:
    weight = wengert.tensor([1.0, 2.0], requires_grad=True)
    sheet = wengert.explain(lambda x: (weight * x).sum(), np.array([3.0, 4.0]))
    assert sheet["weight"].op == "constant"
    np.testing.assert_allclose(sheet.gradient["x"], [1.0, 2.0])
    np.testing.assert_allclose(sheet["weight"].g, [3.0, 4.0])
    assert weight.grad is None


# functions of every kind


def test_branches_and_loops_of_python() -> None:
    def f(x: Any) -> Any:
        y = x
        for _ in range(3):
            y = y * x if y > 0 else -y
        return y

    assert wengert.explain(f, 2.0).gradient["x"] == 32.0
    assert wengert.explain(f, -2.0).gradient["x"] == -4.0


def test_integers_count_as_floats() -> None:
    assert wengert.explain(lambda x: x * x / 4, 3).gradient == {"x": 1.5}


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_constants_and_unused_inputs(mode: str) -> None:
    constant = wengert.explain(lambda x: 3.0, 2.0, mode=mode)
    assert (constant.value, constant.gradient) == (3.0, {"x": 0.0})
    assert formulas(constant) == ["x", "3"]
    assert [row.id for row in constant.rows] == [0, 1]
    unused = wengert.explain(lambda x, y: x * x, 2.0, 5.0, wrt="y", mode=mode)
    assert unused.gradient == {"y": 0.0}
    identity = wengert.explain(lambda x: x, 2.0, mode=mode)
    assert (identity.expression, identity.gradient) == ("x", {"x": 1.0})


def test_a_constant_expression_needs_no_input() -> None:
    sheet = wengert.explain("2*pi", numbers="exact")
    assert (sheet.value, sheet.gradient, len(sheet.rows)) == (2 * sympy.pi, {}, 1)


def test_selections_and_reductions_of_arrays() -> None:
    x = np.array([1.0, -2.0, 3.0])
    where = wengert.explain(lambda x: wengert.sum(wengert.where(x > 0, x, -2 * x)), x)
    np.testing.assert_array_equal(where.gradient["x"], [1, -2, 1])
    np.testing.assert_array_equal(wengert.explain(lambda x: wengert.max(x), x).gradient["x"], [0, 0, 1])
    indexed = wengert.explain(lambda x: x[0] * x[1] + x[1:].sum(), x)
    np.testing.assert_array_equal(indexed.gradient["x"], [-2, 2, 1])
    assert "v₀[1:]" in formulas(indexed)
    product = wengert.explain(lambda A, b: (A @ b)[0], SCALE, x[:2])
    np.testing.assert_allclose(product.gradient["A"], [[1, -2], [0, 0]])
    assert "v₋₁ @ v₀" in formulas(product)


def test_numpys_functions_are_the_tables() -> None:
    sheet = wengert.explain(lambda x: np.sum(np.sin(x) * np.array([1.0, 2.0])), np.array([0.5, 1.5]))
    np.testing.assert_allclose(sheet.gradient["x"], [math.cos(0.5), 2 * math.cos(1.5)])
    assert "sin(v₀)" in formulas(sheet)


@pytest.mark.parametrize("mode", ["reverse", "forward"])
def test_the_derivative_of_a_derivative(mode: str) -> None:
    def f(x: Any) -> Any:
        return wengert.sin(x) * x**3

    x = 2.0
    sheet = wengert.explain(wengert.grad(f), x, mode=mode)
    assert sheet.value == pytest.approx(3 * x**2 * math.sin(x) + x**3 * math.cos(x))
    second = 6 * x * math.sin(x) + 6 * x**2 * math.cos(x) - x**3 * math.sin(x)
    assert sheet.gradient["x"] == pytest.approx(second)
    assert sheet.rows[-1].id == sheet.output
    assert not any("ones_like" in text or "1·" in text for text in formulas(sheet))


def test_a_tensor_is_explained_by_its_array() -> None:
    w = wengert.tensor([1.0, 2.0], requires_grad=True)
    sheet = wengert.explain(lambda w: (w * w).sum(), w)
    np.testing.assert_allclose(sheet.gradient["w"], [2.0, 4.0])
    assert w.grad is None


def test_thousands_of_operations_have_a_row_each() -> None:
    count = 3000
    sheet = wengert.explain("*".join(["x"] * count), 1.0)
    assert len(sheet.rows) == count
    assert sheet.gradient["x"] == count


def test_a_formula_that_would_double_at_every_step_is_not_written_out() -> None:
    def squarings(x: Any) -> Any:
        for _ in range(60):
            x = x * x
        return x

    assert wengert.explain(squarings, 1.0).expression == "squarings"
    with pytest.raises(ValueError, match="name intermediate values"):
        wengert.derive(squarings, 1.0)


def test_a_profiler_that_runs_is_left_alone() -> None:
    profile = cProfile.Profile()
    try:
        profile.enable()
    except ValueError:
        pytest.skip("another profiling tool is active")
    try:
        assert wengert.explain(lambda x: x * x, 3.0).gradient == {"x": 6.0}
    finally:
        profile.disable()


# training steps


def test_a_step_that_fails_leaves_its_parameters_as_they_were() -> None:
    w = wengert.Scalar(2.0, requires_grad=True)
    w.grad = 5.0

    def step() -> Any:
        (w * w).backward()
        raise RuntimeError("stop")

    with pytest.raises(RuntimeError, match="stop"):
        wengert.explain(step, parameters={"w": w})
    assert (w.data, w.grad) == (2.0, 5.0)


def test_a_step_of_tensors() -> None:
    w = wengert.tensor([1.0, 2.0], requires_grad=True)

    def step(x: Any) -> Any:
        loss = ((w * x).sum() - 1) ** 2
        loss.backward()
        with wengert.no_grad():
            w.sub_(0.1 * w.grad)
        return loss

    sheet = wengert.explain(step, np.array([1.0, 1.0]), parameters={"w": w})
    np.testing.assert_allclose(sheet.gradient["w"], [4.0, 4.0])
    np.testing.assert_allclose(sheet["w"].update, [0.6, 1.6])
    np.testing.assert_allclose(w.detach().numpy(), [1.0, 2.0])


# refusals


@pytest.mark.parametrize(
    ("f", "args", "words", "error", "says"),
    [
        (lambda x: x, (1.0,), {"wrt": "y"}, ValueError, "'y' is no input; the inputs are x"),
        (lambda x: x, (1.0,), {"mode": "sideways"}, ValueError, "'forward' or 'reverse', got 'sideways'"),
        (lambda x, y: x * y, (1.0, 2.0), {"mode": "forward"}, ValueError, "name one of x, y"),
        (lambda x: x * 2, (np.ones(3),), {}, ValueError, r"one number, got shape \(3,\); sum it"),
        (lambda x: (x, x), (1.0,), {}, ValueError, "got a tuple"),
        (lambda x: None, (1.0,), {}, ValueError, "got None"),
        (lambda x: x, (1.0, 2.0), {}, TypeError, "was given 2 arguments: too many"),
        (lambda x, y: x, (1.0,), {}, TypeError, "was given 1 arguments: missing .* 'y'"),
        (lambda x, y: x, (1.0, 1.0), {"names": ["a"]}, ValueError, "got 1 for 2 arguments"),
        (lambda x, y: x, (1.0, 1.0), {"names": ["a", "a"]}, ValueError, "got 'a' twice"),
        ("x*y", (1.0,), {}, ValueError, "inputs x, y; got 1 values"),
        (3.0, (1.0,), {}, TypeError, "a function or an expression as text, got float"),
        (lambda x: x, ("a",), {}, TypeError, "x: expected a number or an array, got 'a'"),
        (lambda x: x, (None,), {}, TypeError, "x: expected a number or an array, got None"),
        (lambda x: wengert.sum(x * x), (np.array([1, 2]),), {}, TypeError, "integers .* pass floats"),
        (lambda x, k: x * k[0], (1.0, np.array([1])), {"wrt": "k"}, TypeError, "'k' holds integers"),
        (lambda x: float(x) * 2, (1.0,), {}, TypeError, "keep the computation in wengert's operations"),
        (lambda x: math.sin(x), (1.0,), {}, TypeError, "math module"),
        (lambda x: sum(range(x)), (3,), {}, TypeError, "An index or a count"),
        (lambda x: np.linalg.cond(x), (SCALE,), {}, TypeError, "no operation of that name"),
        ("sinn(x)", (1.0,), {}, ValueError, "did you mean 'sin'"),
    ],
)
def test_refusals_say_what_was_expected(
    f: Any, args: tuple[Any, ...], words: dict[str, Any], error: type[Exception], says: str
) -> None:
    with pytest.raises(error, match=says):
        wengert.explain(f, *args, **words)


def test_integer_arrays_may_accompany_floats() -> None:
    sheet = wengert.explain(lambda x, k: wengert.sum(x * k), np.array([1.5, 2.5]), np.array([2, 3]))
    assert list(sheet.gradient) == ["x"]
    np.testing.assert_array_equal(sheet.gradient["x"], [2, 3])
    assert sheet["k"].adjoint is None


def test_a_value_that_was_kept_from_a_finished_step_is_refused() -> None:
    w, kept = wengert.Scalar(1.0, requires_grad=True), []

    def step() -> Any:
        kept.append(w * 2)
        return w * w

    wengert.explain(step, parameters={"w": w})
    with pytest.raises(RuntimeError, match="must not store"):
        kept[0] + 1
