"""Every row of the table on plain numbers, in every number system that can do it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from fractions import Fraction
from typing import Any

import pytest
from cases import Sample, is_differentiable, samples

import wengert
from wengert.ops import UnsupportedOperation

mpmath = pytest.importorskip("mpmath")
sympy = pytest.importorskip("sympy")

SCALAR = pytest.mark.parametrize("sample", samples(lambda s: s.is_scalar))

REFUSED = {
    "complex": {
        "abs": "greater",
        "atan2": "atan2",
        "ceil": "ceil",
        "clip": "maximum",
        "elu": "elu",
        "erf": "erf",
        "floor": "floor",
        "gelu": "erf",
        "greater": "greater",
        "greater_equal": "greater_equal",
        "hardtanh": "maximum",
        "leaky_relu": "leaky_relu",
        "less": "less",
        "less_equal": "less_equal",
        "log_sigmoid": "maximum",
        "maximum": "maximum",
        "minimum": "minimum",
        "mish": "maximum",
        "relu": "maximum",
        "round": "round",
        "selu": "selu",
        "sign": "sign",
        "softplus": "maximum",
    },
    "interval": {
        "acos": "acos",
        "asin": "asin",
        "atan": "atan",
        "atan2": "atan2",
        "ceil": "ceil",
        "erf": "erf",
        "floor": "floor",
        "gelu": "erf",
        "round": "round",
        "sign": "sign",
    },
    "sympy": {"round": "round"},
}
"""For a number system, the rows that it refuses, and the operation that the refusal names."""

RATIONAL = {
    "abs", "add", "ceil", "clip", "divide", "elu", "floor", "hardtanh", "leaky_relu", "maximum",
    "minimum", "multiply", "negative", "ratio", "reciprocal", "relu", "round", "rsqrt", "selu", "sign",
    "sqrt", "square", "subtract", "sum_of_products", "where",
}  # fmt: skip
"""The rows whose samples, as fractions, have fractions for value and derivatives."""


@pytest.fixture(autouse=True)
def fifty_digits() -> Iterator[None]:
    with mpmath.workdps(50):
        yield


def call(sample: Sample) -> tuple[Callable[..., Any], list[Any]]:
    """A function of the sample's numbers that can vary (conditions stay), and these numbers."""
    args = list(sample.case.args[0] if sample.op.arity is None else sample.case.args)
    varied = [k for k, a in enumerate(args) if not isinstance(a, bool)]
    params = {**sample.op.parameters, **sample.case.params}

    def f(*numbers: Any) -> Any:
        full = list(args)
        for k, x in zip(varied, numbers, strict=True):
            full[k] = x
        return sample.op.apply(tuple(full), params)

    return f, [args[k] for k in varied]


def derivatives(f: Callable[..., Any], numbers: list[Any]) -> list[Any]:
    """Every partial derivative by reverse mode; forward mode is checked to give the same."""
    value, pull_back = wengert.vjp(f, *numbers)
    one = value * 0 + 1
    reverse = list(pull_back(one))
    for k, partial in enumerate(reverse):
        tangents = [x * 0 + (1 if j == k else 0) for j, x in enumerate(numbers)]
        _, forward = wengert.jvp(f, numbers, tangents)
        assert _same(forward, partial), f"argument {k}: forward {forward}, reverse {partial}"
    return reverse


def _same(a: Any, b: Any) -> bool:
    if isinstance(a, (mpmath.iv.mpf,)):
        return bool(_low(a) <= _high(b) and _low(b) <= _high(a))
    if isinstance(a, sympy.Basic) or isinstance(b, sympy.Basic):
        return bool(abs(sympy.N(sympy.sympify(a) - sympy.sympify(b), 40)) < 1e-38)
    return bool(abs(a - b) <= 1e-12 * (1 + abs(a)))


def in_digits(sample: Sample, digits: int) -> tuple[Any, list[Any]]:
    """Value and derivatives by mpmath's numbers, with so many digits."""
    f, numbers = call(sample)
    with mpmath.workdps(digits):
        exact = [mpmath.mpf(x) for x in numbers]
        return f(*exact), (derivatives(f, exact) if is_differentiable(sample) else [])


def refuses(sample: Sample, system: str, numbers: list[Any], f: Callable[..., Any]) -> bool:
    """Whether the row is one that the number system refuses; then the refusal is checked."""
    named = REFUSED[system].get(sample.op.name)
    if named is None:
        return False
    with pytest.raises(UnsupportedOperation, match=f"{system} numbers have no operation '{named}'"):
        f(*numbers)
        derivatives(f, numbers)
    return True


@SCALAR
def test_floats(sample: Sample) -> None:
    f, numbers = call(sample)
    numbers = list(map(float, numbers))
    value, partials = in_digits(sample, 50)
    assert f(*numbers) == pytest.approx(_as_float(value), rel=1e-14)
    if is_differentiable(sample):
        found = derivatives(f, numbers)
        assert all(type(p) is float for p in found)
        assert found == pytest.approx(list(map(_as_float, partials)), rel=1e-13)
        wengert.check_gradients(f, *numbers)


def _as_float(value: Any) -> Any:
    return value if isinstance(value, bool) else float(value)


@SCALAR
def test_complex_numbers(sample: Sample) -> None:
    """Off the real line; the derivative is the same along both axes, as it is for a holomorphic function."""
    f, numbers = call(sample)
    points = [complex(x, 0.25) for x in numbers]
    if refuses(sample, "complex", points, f):
        return
    if not is_differentiable(sample):
        assert f(*points) == f(*numbers)
        return
    for k, partial in enumerate(derivatives(f, points)):
        for step in (1e-3, 1e-3j):
            assert partial == pytest.approx(_central(f, points, k, step), rel=1e-9, abs=1e-10)


def _central(f: Callable[..., Any], points: list[complex], k: int, step: complex) -> complex:
    total = 0j
    for n, weight in ((1, 8), (-1, -8), (2, -1), (-2, 1)):
        total += weight * f(*points[:k], points[k] + n * step, *points[k + 1 :])
    return total / (12 * step)


@SCALAR
def test_fractions(sample: Sample) -> None:
    f, numbers = call(sample)
    exact = [Fraction(x) for x in numbers]
    value, partials = in_digits(sample, 50)
    found = f(*exact)
    if isinstance(value, bool):
        assert found == value
        return
    assert _agree(_to_mpf(found), value, 45)
    if not is_differentiable(sample):
        return
    gradient = derivatives(f, exact)
    assert all(_agree(_to_mpf(a), b, 45) for a, b in zip(gradient, partials, strict=True))
    rational = all(isinstance(x, Fraction) for x in (found, *gradient))
    assert rational == (sample.op.name in RATIONAL)


def _to_mpf(x: Any) -> Any:
    if isinstance(x, (Fraction, int)):
        return mpmath.mpf(x.numerator) / x.denominator
    return mpmath.mpf(str(sympy.N(x, 55)))


def _agree(a: Any, b: Any, digits: int) -> bool:
    return bool(abs(a - b) <= mpmath.mpf(10) ** -digits * max(1, abs(b)))


@SCALAR
def test_fifty_digits(sample: Sample) -> None:
    f, numbers = call(sample)
    value, partials = in_digits(sample, 50)
    more, finer = in_digits(sample, 70)
    if isinstance(value, bool):
        assert value == more
        return
    assert _agree(value, more, 45)
    assert all(_agree(a, b, 45) for a, b in zip(partials, finer, strict=True))
    for k, partial in enumerate(partials):
        order = tuple(int(j == k) for j in range(len(numbers)))
        by_mpmath = mpmath.diff(f, tuple(map(mpmath.mpf, numbers)), order)
        assert _agree(partial, by_mpmath, 45)


def _low(x: Any) -> Any:
    return mpmath.make_mpf(x._mpi_[0])


def _high(x: Any) -> Any:
    return mpmath.make_mpf(x._mpi_[1])


@SCALAR
@pytest.mark.parametrize("radius", [0, 2.0**-7])
def test_intervals(sample: Sample, radius: float) -> None:
    """The interval holds the value at its middle and at its ends, and is hardly wider than it must be."""
    f, numbers = call(sample)
    boxes = [mpmath.iv.mpf([x - radius, x + radius]) for x in numbers]
    if refuses(sample, "interval", boxes, f):
        return
    found = f(*boxes)
    if not is_differentiable(sample):
        undecided = sample.op.name == "equal" and numbers[0] == numbers[1] and radius > 0
        assert found is None if undecided else found == f(*map(mpmath.mpf, numbers))
        return
    gradient = derivatives(f, boxes)
    for shift in (-radius, 0, radius):
        point = [mpmath.mpf(x) + shift for x in numbers]
        for interval, value in zip((found, *gradient), (f(*point), *derivatives(f, point)), strict=True):
            assert _low(interval) <= value <= _high(interval)
            assert _high(interval) - _low(interval) <= 1e-13 + 100 * radius


@SCALAR
def test_symbols(sample: Sample) -> None:
    """The formula of the derivative, with numbers put in, is the number's derivative."""
    f, numbers = call(sample)
    if not is_differentiable(sample):
        return
    symbols = list(sympy.symbols(f"x:{len(numbers)}", real=True))
    if refuses(sample, "sympy", symbols, f):
        return
    value, partials = in_digits(sample, 50)
    at = {s: sympy.Rational(x) for s, x in zip(symbols, numbers, strict=True)}
    found, pull_back = wengert.vjp(f, *symbols)
    for formula, number in zip((found, *pull_back(sympy.Integer(1))), (value, *partials), strict=True):
        assert _agree(_to_mpf(sympy.sympify(formula).subs(at)), number, 40)


@pytest.mark.parametrize(
    "sample", samples(lambda s: s.is_scalar and s.op.arity != 1 and is_differentiable(s))
)
def test_python_numbers_beside_fifty_digits_cost_none(sample: Sample) -> None:
    f, numbers = call(sample)
    value, partials = in_digits(sample, 50)
    for k, partial in enumerate(partials):

        def along(x: Any, k: int = k) -> Any:
            return f(*numbers[:k], x, *numbers[k + 1 :])

        x = mpmath.mpf(numbers[k])
        for found, expected in ((along(x), value), *((d, partial) for d in derivatives(along, [x]))):
            assert _agree(found, expected, 45)
        fraction = derivatives(along, [Fraction(numbers[k])])[0]
        assert not isinstance(fraction, float)
        assert _agree(_to_mpf(fraction), partial, 45)


def test_python_numbers_keep_their_digits_in_second_derivatives() -> None:
    twice = wengert.grad(wengert.grad(lambda x: 2**x))
    assert _agree(twice(mpmath.mpf(3)), 8 * mpmath.log(2) ** 2, 45)
    thirds = wengert.grad(wengert.grad(lambda x: (x * 0.1) ** 3 / 3))
    assert thirds(Fraction(7)) == Fraction(14, 1000)
    assert thirds(sympy.Symbol("x")) == sympy.Symbol("x") / 500
    assert wengert.hvp(lambda x: (x * 0.1) ** 3 / 3, (Fraction(7),), (Fraction(1),)) == Fraction(14, 1000)


def test_an_interval_holds_the_quotient_by_a_python_number() -> None:
    slope = wengert.grad(lambda x: x / 3 + 0.1 * x)(mpmath.iv.mpf(1))
    assert _low(slope) < mpmath.mpf(13) / 30 < _high(slope)
    assert _high(slope) - _low(slope) < 1e-14


def test_symbols_give_the_formula() -> None:
    x, y = sympy.symbols("x y", positive=True)
    partials = wengert.vjp(lambda x, y: wengert.sin(x * y) + wengert.log(x), x, y)[1](sympy.Integer(1))
    assert sympy.simplify(partials[0] - (y * sympy.cos(x * y) + 1 / x)) == 0
    assert sympy.simplify(partials[1] - x * sympy.cos(x * y)) == 0


def test_a_whole_power_of_a_fraction_is_exact_to_every_order() -> None:
    x = Fraction(2, 3)
    assert wengert.grad(lambda x: x**3)(x) == Fraction(4, 3)
    assert wengert.grad(wengert.grad(lambda x: x**3))(x) == 4
    assert wengert.jvp(lambda x: 1 / x, (x,), (Fraction(1),)) == (Fraction(3, 2), Fraction(-9, 4))


def test_refusals_name_rows_of_the_table() -> None:
    known = {s.values[0].op.name for s in samples()}
    assert all(known >= rows.keys() for rows in REFUSED.values())
    assert known >= RATIONAL


def test_floats_follow_ieee_and_never_raise() -> None:
    assert math.isnan(wengert.log(-1.0))
    assert wengert.log(0.0) == -math.inf
    assert wengert.divide(1.0, 0.0) == math.inf
    assert wengert.divide(-1.0, 0.0) == -math.inf
    assert math.isnan(wengert.divide(0.0, 0.0))
    assert wengert.exp(1000.0) == math.inf
    assert math.isnan(wengert.sqrt(-1.0))
    assert math.isnan(wengert.power(-8.0, 1 / 3))
    assert wengert.power(0.0, -1.0) == math.inf
    assert wengert.power(10.0, 400.0) == math.inf
    assert math.isnan(wengert.sin(math.inf))
