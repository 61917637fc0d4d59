"""`Scalar`: operators, functions, number systems, and the tape behind them."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from fractions import Fraction
from typing import Any

import pytest

import wengert
from wengert.scalar import Scalar, dot, dots

Operator = Callable[[Any, Any], Any]
OPERATORS = [operator.add, operator.sub, operator.mul, operator.truediv, operator.pow]
FUNCTIONS = [
    "abs",
    "acos",
    "asin",
    "atan",
    "ceil",
    "cos",
    "cosh",
    "elu",
    "erf",
    "exp",
    "expm1",
    "floor",
    "gelu",
    "hardtanh",
    "leaky_relu",
    "log",
    "log1p",
    "log2",
    "log_sigmoid",
    "mish",
    "negative",
    "reciprocal",
    "relu",
    "round",
    "rsqrt",
    "selu",
    "sigmoid",
    "sign",
    "silu",
    "sin",
    "sinh",
    "softplus",
    "sqrt",
    "square",
    "tan",
    "tanh",
]


def slope(f: Callable[[float], float], x: float) -> float:
    """The derivative by central differences."""
    return (f(x + 1e-6) - f(x - 1e-6)) / 2e-6


@pytest.mark.parametrize("op", OPERATORS)
def test_operators_of_two_scalars(op: Operator) -> None:
    x, y = Scalar(1.5), Scalar(2.5)
    z = op(x, y)
    z.backward()
    assert z.data == op(1.5, 2.5)
    assert x.grad == pytest.approx(slope(lambda v: op(v, 2.5), 1.5), rel=1e-6)
    assert y.grad == pytest.approx(slope(lambda v: op(1.5, v), 2.5), rel=1e-6)


@pytest.mark.parametrize("constant", [2, 2.5])
@pytest.mark.parametrize("op", OPERATORS)
def test_operators_with_a_python_number_on_either_side(op: Operator, constant: float) -> None:
    for f in (lambda v: op(v, constant), lambda v: op(constant, v)):
        x = Scalar(1.5)
        z = f(x)
        z.backward()
        assert z.data == f(1.5)
        assert x.grad == pytest.approx(slope(f, 1.5), rel=1e-6)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_functions_and_methods_agree_with_differences(name: str) -> None:
    function = getattr(wengert, name)
    at = 0.3
    for _ in range(2):  # the second call takes the quick way
        x, y = Scalar(at), Scalar(at)
        by_function, by_method = function(x), abs(y) if name == "abs" else getattr(y, name)()
        by_function.backward()
        by_method.backward()
        assert by_function.data == by_method.data == function(at)
        assert x.grad == y.grad == pytest.approx(slope(function, at), rel=1e-6, abs=1e-9)


def test_unary_minus_and_plus() -> None:
    x = Scalar(2.0)
    z = -x * +x
    z.backward()
    assert (z.data, x.grad) == (-4.0, -4.0)


def test_a_number_used_twice_collects_both_ways() -> None:
    x = Scalar(3.0)
    y = x * x
    (y + y * x).backward()
    assert x.grad == 2 * 3 + 3 * 9


def test_gradients_add_up_until_they_are_cleared() -> None:
    x = Scalar(2.0)
    (x * 3).backward()
    (x * 4).backward()
    assert x.grad == 7.0


@pytest.mark.parametrize("fused", [False, True])
def test_dot_is_the_sum_of_products(fused: bool) -> None:
    w, x, b = [Scalar(2.0), Scalar(-1.0)], [Scalar(3.0), Scalar(4.0)], Scalar(0.5)
    z = dot(w, x, b) if fused else w[0] * x[0] + w[1] * x[1] + b
    z.backward()
    assert z.data == 2.5
    assert [v.grad for v in (*w, *x, b)] == [3.0, 4.0, 2.0, -1.0, 1.0]


@pytest.mark.parametrize(
    ("weights", "inputs", "bias", "value", "gradients"),
    [
        ([Scalar(2.0)], [3], 0, 6.0, [3.0]),
        ([Scalar(2.0)], [3.0], 1.0, 7.0, [3.0]),
        ([2.0], [Scalar(3.0)], Scalar(1.0), 7.0, [2.0, 1.0]),
        ([Scalar(2.0), 5.0], [Scalar(3.0), 1], Scalar(1.0), 12.0, [3.0, 2.0, 1.0]),
        ([Scalar(Fraction(1, 3))], [Scalar(Fraction(3))], 0, Fraction(1), [Fraction(3), Fraction(1, 3)]),
        ([Scalar(1j)], [2.0], 0, 2j, [2.0]),
    ],
)
def test_dot_mixes_scalars_and_plain_numbers(
    weights: list[Any], inputs: list[Any], bias: Any, value: Any, gradients: list[Any]
) -> None:
    z = dot(weights, inputs, bias)
    z.backward()
    assert z.data == value
    assert type(z.data) is type(value)
    scalars = [v for v in (*weights, *inputs, bias) if isinstance(v, Scalar)]
    assert [v.grad for v in scalars] == gradients


def test_dot_of_plain_numbers_is_a_plain_number() -> None:
    assert dot([1.0, 2.0], [3.0, 4.0]) == 11.0
    assert dot([], [], 2.0) == 2.0


def test_dot_adds_up_what_an_argument_receives_twice() -> None:
    w, x = Scalar(2.0), Scalar(3.0)
    dot([w, w], [x, x], w).backward()
    assert (w.grad, x.grad) == (7.0, 4.0)


def test_dot_leaves_constants_alone() -> None:
    w, c = Scalar(2.0), Scalar(3.0, requires_grad=False)
    dot([w, c], [c, w], c).backward()
    assert (w.grad, c.grad) == (6.0, None)


def test_dot_can_be_differentiated_twice() -> None:
    def f(w: Any, x: Any) -> Any:
        return dot([w, x], [x * w, w], w) ** 2

    value = wengert.hessian(f, argnums=(0, 1))(2.0, 3.0)
    # f = (w²x + wx + w)²
    w, x = 2.0, 3.0
    u, uw, ux = w * w * x + w * x + w, 2 * w * x + x + 1, w * w + w
    assert value[0][0] == pytest.approx(2 * uw * uw + 2 * u * 2 * x)
    assert value[0][1] == pytest.approx(2 * uw * ux + 2 * u * (2 * w + 1))
    assert value[1][1] == pytest.approx(2 * ux * ux)


def test_dot_keeps_nested_derivatives_apart() -> None:
    w = Scalar(2.0)
    inner = wengert.grad(lambda x: dot([x, w], [w, x], 0.0))(3.0)
    assert float(inner) == 4.0
    inner.backward()
    assert w.grad == 2.0


def test_operators_keep_nested_derivatives_apart() -> None:
    def f(x: Any) -> Any:
        return x * wengert.grad(lambda y: x + y)(1.0)

    assert wengert.grad(f)(1.0) == 1.0


def test_dots_names_the_counts_that_differ() -> None:
    with pytest.raises(ValueError, match="got 1 weights and 2 inputs"):
        dots([([1.0], 0.0)], [1.0, 2.0])


def test_signed_zeros_and_infinities_survive_dot() -> None:
    w, x = [Scalar(-0.0), Scalar(math.inf)], [Scalar(1.0), Scalar(1.0)]
    z = dot(w, x, Scalar(-0.0))
    z.backward()
    assert z.data == math.inf
    assert [math.copysign(1, v.grad) for v in (x[0], w[0])] == [-1.0, 1.0]


@pytest.mark.parametrize(
    ("f", "value", "gradient"),
    [
        (lambda x: x * x + 1 / x, Fraction(4, 9) + Fraction(3, 2), Fraction(4, 3) - Fraction(9, 4)),
        (lambda x: x**3 - x, Fraction(8, 27) - Fraction(2, 3), Fraction(1, 3)),
        (lambda x: (x - 1).relu() + abs(-x), Fraction(2, 3), Fraction(1)),
        (lambda x: wengert.square(x), Fraction(4, 9), Fraction(4, 3)),
    ],
)
def test_fractions_stay_exact(f: Callable[[Any], Any], value: Fraction, gradient: Fraction) -> None:
    x = Scalar(Fraction(2, 3))
    z = f(x)
    z.backward()
    assert (z.data, x.grad) == (value, gradient)
    assert isinstance(x.grad, Fraction)


def test_functions_of_fractions_are_symbols() -> None:
    sympy = pytest.importorskip("sympy")
    x = Scalar(Fraction(1, 2))
    z = wengert.sin(x)
    z.backward()
    assert z.data == sympy.sin(sympy.Rational(1, 2))
    assert x.grad == sympy.cos(sympy.Rational(1, 2))


def test_complex_numbers() -> None:
    x = Scalar(1 + 2j)
    z = x * x
    z.backward()
    assert (z.data, x.grad) == ((1 + 2j) ** 2, 2 + 4j)


def test_integers_become_floats() -> None:
    assert repr(Scalar(3)) == "Scalar(3.0)"


@pytest.mark.parametrize("data", ["1", b"1", [1.0], None])
def test_what_is_no_number_is_refused(data: Any) -> None:
    with pytest.raises(TypeError):
        Scalar(data) + 1


def test_repr_shows_the_gradient_when_there_is_one() -> None:
    x = Scalar(2.0)
    assert repr(x) == "Scalar(2.0)"
    (x * x).backward()
    assert repr(x) == "Scalar(2.0, grad=4.0)"


def test_conversions() -> None:
    x = Scalar(2.5)
    assert (float(x), int(x), x.item(), bool(x), bool(Scalar(0.0))) == (2.5, 2, 2.5, True, False)


def test_comparisons_look_at_the_values() -> None:
    x, y = Scalar(1.0), Scalar(2.0)
    assert bool(x < y)
    assert bool(x <= 1)
    assert bool(y > x)
    assert bool(x == 1.0)
    assert bool(x != y)
    assert not bool(x > y)


def test_scalars_are_told_apart_by_identity() -> None:
    x, y = Scalar(1.0), Scalar(1.0)
    assert len({x, y}) == 2
    assert {x: "x"}[x] == "x"


def test_division_by_zero_follows_ieee() -> None:
    zero = Scalar(0.0)
    assert (1 / zero).data == math.inf
    assert (Scalar(-1.0) / zero).data == -math.inf
    assert math.isnan((zero / zero).data)
    assert (zero**-1).data == math.inf


def test_functions_outside_their_domain_follow_ieee() -> None:
    assert math.isnan(wengert.log(Scalar(-1.0)).data)
    assert wengert.log(Scalar(0.0)).data == -math.inf
    assert math.isnan(wengert.sqrt(Scalar(-1.0)).data)
    assert wengert.exp(Scalar(1000.0)).data == math.inf
    assert math.isnan((Scalar(-8.0) ** (1 / 3)).data)


@pytest.mark.parametrize("name", ["relu", "maximum", "minimum"])
def test_nan_is_passed_on(name: str) -> None:
    rest = () if name == "relu" else (1.0,)
    assert math.isnan(getattr(wengert, name)(Scalar(math.nan), *rest).data)
    if rest:
        assert math.isnan(getattr(wengert, name)(1.0, Scalar(math.nan)).data)


def test_an_untaken_branch_adds_nothing_and_leaves_a_zero() -> None:
    x = Scalar(0.0)
    wengert.relu(wengert.log(x)).backward()  # relu is flat at -inf, and log's slope there is infinite
    assert x.grad == 0.0


def test_backward_frees_the_graph_unless_it_is_retained() -> None:
    x = Scalar(2.0)
    y = x * x
    y.backward(retain_graph=True)
    y.backward()
    assert x.grad == 8.0
    with pytest.raises(RuntimeError, match="retain_graph=True"):
        y.backward()


def test_backward_needs_something_that_requires_a_gradient() -> None:
    with pytest.raises(RuntimeError, match="depends on nothing that requires a gradient"):
        (Scalar(1.0, requires_grad=False) * 2).backward()


def test_no_grad_and_detach_record_nothing() -> None:
    x = Scalar(2.0)
    with wengert.no_grad():
        quiet = [x * x, x.relu(), dot([x], [x], x), 1 - x]
    assert [q.requires_grad for q in quiet] == [False] * 4
    (x.detach() * x).backward()
    assert x.grad == 2.0


def test_second_derivatives_through_create_graph() -> None:
    x = Scalar(2.0)
    (x**3).backward(create_graph=True)
    first = x.grad
    x.grad = None
    first.backward()
    assert (first.data, x.grad.data if isinstance(x.grad, Scalar) else x.grad) == (12.0, 12.0)


def test_a_million_operations_need_no_recursion() -> None:
    x = Scalar(1.0)
    y = x
    for _ in range(1_000_000):
        y = y + x
    y.backward()
    assert x.grad == 1_000_001.0
    unswept = x
    for _ in range(200_000):
        unswept = unswept * x
    del unswept  # freed without a sweep, and without recursion
