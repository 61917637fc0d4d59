"""Known values at the edges: extremes, kinks, infinities, NaN, and the rule for dtypes."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.ops import Constant
from wengert.tensors import Tensor


def gradient(f: Any, *entries: float) -> list[float]:
    """The gradient of the sum of f over an array."""
    found: list[float] = wengert.grad(lambda x: wengert.sum(f(x)))(np.array(entries)).tolist()
    return found


@pytest.mark.parametrize("make", [float, np.float64, lambda x: np.array([x])])
def test_log_sigmoid_and_softplus_far_out(make: Any) -> None:
    assert wengert.log_sigmoid(make(1000.0)) == 0.0
    assert wengert.log_sigmoid(make(-1000.0)) == -1000.0
    assert wengert.softplus(make(1000.0)) == 1000.0
    assert wengert.softplus(make(-1000.0)) == 0.0
    assert wengert.sigmoid(make(1000.0)) == 1.0
    assert wengert.sigmoid(make(-1000.0)) == 0.0


def test_derivatives_far_out() -> None:
    assert gradient(wengert.log_sigmoid, 1000.0, -1000.0, math.inf, -math.inf) == [0.0, 1.0, 0.0, 1.0]
    assert gradient(wengert.softplus, 1000.0, -1000.0, math.inf, -math.inf) == [1.0, 0.0, 1.0, 0.0]
    assert gradient(wengert.sigmoid, 1000.0, -1000.0) == [0.0, 0.0]
    assert gradient(wengert.tanh, 1000.0, -1000.0) == [0.0, 0.0]
    assert gradient(wengert.silu, 1000.0, -1000.0) == [1.0, 0.0]
    assert gradient(wengert.elu, 1000.0, -1000.0) == [1.0, 0.0]
    assert gradient(wengert.gelu, 1000.0, -1000.0) == [1.0, 0.0]
    assert gradient(wengert.mish, 1000.0, -1000.0) == [1.0, 0.0]
    selu = gradient(wengert.selu, 1000.0, -1000.0)
    assert selu == [pytest.approx(1.0507009873554805), 0.0]


@pytest.mark.parametrize("make", [float, lambda x: np.array([x])])
def test_second_derivatives_far_out_are_finite(make: Any) -> None:
    for op in ("log_sigmoid", "softplus", "sigmoid", "tanh", "silu", "elu", "selu", "gelu", "mish"):
        for x in (1000.0, -1000.0):
            f = getattr(wengert, op)
            twice = wengert.grad(lambda t, f=f: wengert.sum(wengert.grad(lambda s: wengert.sum(f(s)))(t)))
            assert float(np.sum(twice(make(x)))) == 0.0, (op, x)


def test_tiny_probabilities_keep_their_digits() -> None:
    assert wengert.softplus(-40.0) == pytest.approx(math.exp(-40), rel=1e-15)
    assert wengert.log_sigmoid(np.array([40.0]))[0] == pytest.approx(-math.exp(-40), rel=1e-15)
    assert wengert.expm1(np.array([1e-18]))[0] == 1e-18
    assert wengert.log1p(np.array([1e-18]))[0] == 1e-18
    assert gradient(wengert.log_sigmoid, 40.0)[0] == pytest.approx(math.exp(-40), rel=1e-15)


def test_logsumexp_of_large_and_infinite_entries() -> None:
    inf = math.inf
    for entries, value, weights in [
        ([1000.0, 1000.0], 1000 + math.log(2), [0.5, 0.5]),
        ([-1000.0, -1000.0], -1000 + math.log(2), [0.5, 0.5]),
        ([1000.0, -1000.0], 1000.0, [1.0, 0.0]),
        ([0.0, -inf], 0.0, [1.0, 0.0]),
    ]:
        assert wengert.logsumexp(np.array(entries)) == pytest.approx(value, rel=1e-15)
        assert gradient(wengert.logsumexp, *entries) == pytest.approx(weights)
    assert wengert.logsumexp(np.array([-inf, -inf])) == -inf
    assert wengert.logsumexp(np.array([inf, 0.0])) == inf


def test_softmax_of_large_and_infinite_entries() -> None:
    assert wengert.softmax(np.array([1000.0, -1000.0, 1000.0])).tolist() == [0.5, 0.0, 0.5]
    assert wengert.softmax(np.array([0.0, -math.inf])).tolist() == [1.0, 0.0]
    logs = wengert.log_softmax(np.array([1000.0, 0.0]))
    assert logs.tolist() == [0.0, -1000.0]
    first = wengert.grad(lambda x: wengert.log_softmax(x)[0])
    assert first(np.array([-1000.0, 1000.0])).tolist() == [1.0, -1.0]


def test_the_norm_has_derivative_zero_at_zero() -> None:
    for order in (1, 2, 3, math.inf):
        f = wengert.grad(lambda x, order=order: wengert.norm(x, ord=order))
        assert f(np.zeros(3)).tolist() == [0.0, 0.0, 0.0], order
    rows = wengert.grad(lambda x: wengert.sum(wengert.norm(x, axis=1)))(np.array([[3.0, 4.0], [0.0, 0.0]]))
    np.testing.assert_allclose(rows, [[0.6, 0.8], [0.0, 0.0]], rtol=1e-15)
    _, tangent = wengert.jvp(wengert.norm, (np.zeros(3),), (np.ones(3),))
    assert tangent == 0.0
    same = np.array([[1.0, 2.0]])
    distances = wengert.grad(lambda x: wengert.sum(wengert.pairwise_distances(x, same)))
    assert distances(same).tolist() == [[0.0, 0.0]]


def test_the_second_derivative_of_a_norm_at_zero_is_no_nan() -> None:
    f = wengert.grad(lambda x: wengert.sum(wengert.grad(wengert.norm)(x)))
    assert np.isfinite(f(np.zeros(3))).all()


def test_choices_at_kinks() -> None:
    assert gradient(wengert.relu, 0.0, -0.0) == [0.0, 0.0]
    assert gradient(wengert.abs, 0.0, -0.0) == [0.0, 0.0]
    assert gradient(wengert.leaky_relu, 0.0) == [0.01]
    assert gradient(wengert.hardtanh, -1.0, 1.0, 0.5) == [0.0, 0.0, 1.0]
    assert gradient(wengert.elu, 0.0) == [1.0]
    assert gradient(lambda x: wengert.clip(x, -1.0, 1.0), -1.0, 1.0, 2.0) == [1.0, 1.0, 0.0]
    assert wengert.grad(wengert.relu)(0.0) == 0.0
    assert wengert.grad(wengert.abs)(0.0) == 0.0


def test_ties_share_the_derivative() -> None:
    assert gradient(wengert.max, 1.0, 3.0, 3.0) == [0.0, 0.5, 0.5]
    assert gradient(wengert.min, 1.0, 1.0, 3.0) == [0.5, 0.5, 0.0]
    assert wengert.grad(wengert.maximum, (0, 1))(2.0, 2.0) == (0.5, 0.5)
    assert wengert.grad(wengert.minimum, (0, 1))(2.0, 2.0) == (0.5, 0.5)
    _, tangent = wengert.jvp(wengert.max, (np.array([3.0, 3.0]),), (np.array([1.0, 0.0]),))
    assert tangent == 0.5


def test_where_itself_never_leaks_from_the_branch_not_taken() -> None:
    taken = np.array([True, False])
    for hostile in (np.array([1.0, math.nan]), np.array([1.0, math.inf])):
        branches = wengert.grad(lambda a, b: wengert.sum(wengert.where(taken, a, b) * 2.0), (0, 1))
        first, second = branches(hostile, hostile[::-1].copy())
        assert (first.tolist(), second.tolist()) == ([2.0, 0.0], [0.0, 2.0])
    _, tangent = wengert.jvp(
        lambda a: wengert.where(taken, a, 0.0), (np.ones(2),), (np.array([1.0, math.nan]),)
    )
    assert tangent.tolist() == [1.0, 0.0]


def test_an_infinite_adjoint_passes_a_selection_without_nan() -> None:
    for f in (
        wengert.relu,
        wengert.abs,
        lambda x: wengert.maximum(x, 0.0),
        lambda x: wengert.clip(x, 0.5, 1.0),
    ):
        _, pull_back = wengert.vjp(f, np.array([-1.0, 0.75]))
        (adjoint,) = pull_back(np.array([math.inf, math.inf]))
        assert not np.isnan(adjoint).any()


def test_ieee_without_warnings_or_exceptions() -> None:
    x = np.array([-1.0, 0.0, 4.0])
    assert [str(v) for v in wengert.log(x)] == ["nan", "-inf", str(math.log(4))]
    assert [str(v) for v in wengert.divide(1.0, x)] == ["-1.0", "inf", "0.25"]
    assert math.isnan(wengert.divide(np.zeros(1), 0.0)[0])
    assert wengert.exp(np.array([1000.0]))[0] == math.inf
    assert math.isnan(wengert.sqrt(x)[0])
    assert [str(v) for v in wengert.power(x, -1.0)] == ["-1.0", "inf", "0.25"]
    assert wengert.exp(np.array([200.0], "float32"))[0] == math.inf
    t = Tensor(np.array([0.0, 1.0]), requires_grad=True)
    (1 / t).sum().backward()
    assert t.grad.tolist() == [-math.inf, -1.0]
    assert gradient(wengert.log, 0.0) == [math.inf]
    assert gradient(wengert.sqrt, 0.0) == [math.inf]


def test_the_power_of_zero() -> None:
    assert gradient(lambda x: x**2, 0.0) == [0.0]
    assert gradient(lambda x: x**1, 0.0) == [1.0]
    assert gradient(lambda x: x**3.0, -2.0) == [12.0]
    assert gradient(lambda x: 0.0**x, 2.0) == [0.0]


def test_the_product_of_zeros() -> None:
    assert gradient(wengert.prod, 0.0, 2.0, 3.0) == [6.0, 0.0, 0.0]
    assert gradient(wengert.prod, 0.0, 0.0, 3.0) == [0.0, 0.0, 0.0]
    twice = wengert.hessian(wengert.prod)(np.array([0.0, 0.0, 3.0]))
    assert twice.tolist() == [[0.0, 3.0, 0.0], [3.0, 0.0, 0.0], [0.0, 0.0, 0.0]]


DTYPES = [
    (np.array([1, 2]), np.array([1.0, 2.0], "float32"), "float32"),
    (np.array([1, 2]), 0.5, "float32"),
    (np.array([1, 2]), 3, "int64"),
    (np.array([True]), 3, "int64"),
    (np.array([True]), 0.5, "float32"),
    (np.array([1, 2], "int32"), np.array([1, 2], "int64"), "int64"),
    (np.array([1.0, 2.0], "float32"), 0.1, "float32"),
    (np.array([1.0, 2.0], "float32"), np.array([1.0, 2.0]), "float64"),
    (np.array([1.0, 2.0], "float32"), np.float32(3.0), "float32"),
    (np.array([1.0]), 2, "float64"),
    (np.array([1.0], "float32"), 1j, "complex64"),
]


@pytest.mark.parametrize("a, b, dtype", DTYPES)
def test_the_dtype_of_a_product(a: Any, b: Any, dtype: str) -> None:
    assert wengert.multiply(a, b).dtype == dtype
    assert wengert.multiply(b, a).dtype == dtype
    assert (Tensor(a) * b).dtype == dtype
    assert (b * Tensor(a)).dtype == dtype


def test_whole_numbers_become_the_default_float() -> None:
    whole = np.array([1, 2])
    for op in (
        wengert.sin,
        wengert.exp,
        wengert.sqrt,
        wengert.mean,
        wengert.sigmoid,
        wengert.reciprocal,
        wengert.std,
    ):
        assert op(whole).dtype == "float32", op
    assert wengert.divide(whole, whole).dtype == "float32"
    assert wengert.sum(whole).dtype == "int64"
    assert wengert.relu(whole).dtype == "int64"
    assert wengert.abs(whole).dtype == "int64"
    assert wengert.matmul(whole, np.array([1.0, 2.0], "float32")).dtype == "float32"


def test_constants_take_the_dtype_they_meet() -> None:
    assert (np.array([1.0], "float32") * Constant("0.1")).dtype == "float32"
    assert wengert.selu(np.array([1.0], "float32")).dtype == "float32"
    assert wengert.gelu(np.array([1.0], "float32")).dtype == "float32"


def test_strings_and_dates_are_refused() -> None:
    with pytest.raises(TypeError, match="expected numbers"):
        wengert.add(np.array(["a"]), np.array(["b"]))


def test_stop_gradient_keeps_the_value() -> None:
    def f(x: Any) -> Any:
        return x * wengert.stop_gradient(x)

    assert f(3.0) == 9.0
    assert wengert.grad(f)(3.0) == 3.0
    assert gradient(f, 3.0, 4.0) == [3.0, 4.0]
    assert wengert.jvp(f, (3.0,), (1.0,)) == (9.0, 3.0)


def test_real_and_imaginary_parts() -> None:
    turn = np.array([1.0 + 2.0j, 3.0 - 1.0j])
    x = np.array([0.5, -2.0])
    for part, factor in ((wengert.real, turn.real), (wengert.imag, turn.imag)):

        def f(x: Any, part: Any = part) -> Any:
            return part(x * turn)

        np.testing.assert_allclose(f(x), x * factor)
        _, tangent = wengert.jvp(f, (x,), (np.ones(2),))
        np.testing.assert_allclose(tangent, factor)
        (adjoint,) = wengert.vjp(f, x)[1](np.ones(2))
        np.testing.assert_allclose(adjoint, factor)
