"""Passes: what a program computes stays, and what it costs goes down."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from canonical_programs import evaluated, programs
from hypothesis import given, settings

import wengert
import wengert.nn.functional as F
from wengert.compiler import capture
from wengert.compiler.lowering import lowered
from wengert.compiler.passes import PASSES, optimized, vector_products_summed
from wengert.compiler.programs import Program
from wengert.ops.op import later

EVERY_PASS = [
    *PASSES,
    ("all", lambda program: optimized(program)[0]),
    ("all, with vector products as sums", lambda program: vector_products_summed(optimized(program)[0])),
]


def captured(function: Callable[..., Any], *arrays: Any) -> Program:
    """The program of a function of arrays."""
    return lowered(
        capture.captured(function, arrays, {}, arrays, [(f"x{k}", a) for k, a in enumerate(arrays)])
    )


def operations(program: Program) -> list[str]:
    return [line.name for line in program.lines() if line.op is not None]


def of_size(program: Program, entries: int) -> list[str]:
    """The operations that compute at least so many entries, views left out."""
    views = ("reshape", "permute", "broadcast_to", "getitem")
    return [
        line.name
        for line in program.lines()
        if line.op is not None and line.name not in views and line.entries >= entries
    ]


# -- programs drawn at random
# ------------------------------------------------------------------------------------------------------------


def agree(found: np.ndarray, expected: np.ndarray) -> None:
    assert found.shape == expected.shape
    assert found.dtype == expected.dtype
    assert np.array_equal(np.isnan(found), np.isnan(expected))
    finite = np.isfinite(expected)
    assert np.array_equal(found[~finite], expected[~finite], equal_nan=True)
    scale = max(1.0, float(np.abs(expected[finite]).max(initial=0)))
    np.testing.assert_allclose(found[finite], expected[finite], atol=scale * tolerance(expected), rtol=1e-5)


def tolerance(array: np.ndarray) -> float:
    return 1e-4 if array.dtype == np.float32 else 1e-10


def check(improve: Callable[[Program], Program], program: Program, arrays: list[np.ndarray]) -> None:
    for found, expected in zip(evaluated(improve(program), arrays), evaluated(program, arrays), strict=True):
        agree(found, expected)


def with_some(arrays: list[np.ndarray], *special: float) -> list[np.ndarray]:
    random = np.random.default_rng(0)
    return [
        np.where(random.random(a.shape) < 0.2, random.choice(special, a.shape), a).astype(a.dtype)
        if a.dtype.kind == "f"
        else a
        for a in arrays
    ]


@pytest.mark.parametrize(("name", "improve"), EVERY_PASS, ids=[name for name, _ in EVERY_PASS])
@given(drawn=programs(smooth=False))
@settings(max_examples=60, deadline=None)
def test_a_pass_keeps_what_a_random_program_computes(name, improve, drawn) -> None:
    """Small whole numbers leave no room for rounding, so a comparison goes the same way before and after."""
    program, arrays = drawn
    check(improve, program, arrays)
    check(improve, program, with_some(arrays, np.nan))
    if name in ("numbers", "simplification", "arrangements", "sharing"):
        check(improve, program, with_some(arrays, np.nan, np.inf, -np.inf))


@pytest.mark.slow
@given(drawn=programs(smooth=False))
@settings(max_examples=4000, deadline=None)
def test_every_pass_keeps_what_many_random_programs_compute(drawn) -> None:
    program, arrays = drawn
    for _, improve in EVERY_PASS:
        check(improve, program, with_some(arrays, np.nan))


@given(drawn=programs(smooth=True))
@settings(max_examples=60, deadline=None)
def test_all_passes_keep_what_a_random_smooth_program_computes(drawn) -> None:
    program, arrays = drawn
    check(EVERY_PASS[-1][1], program, arrays)


# -- what a program costs
# ------------------------------------------------------------------------------------------------------------


def residuals(x: Any, A: Any, y: Any) -> Any:
    return 0.25 * ((y - (A @ x) ** 2) ** 2).sum()


def test_a_traced_hessian_is_one_product_with_a_weighted_matrix() -> None:
    m, n = 100, 20
    random = np.random.default_rng(0)
    A, x = random.normal(size=(m, n)), random.normal(size=n)
    y = (A @ x) ** 2 + random.normal(size=m)

    def everything(x: Any, A: Any, y: Any) -> Any:
        value, gradient = wengert.value_and_grad(residuals)(x, A, y)
        return value, gradient, wengert.hessian(residuals)(x, A, y)

    program = captured(everything, x, A, y)
    better, _ = optimized(program)
    assert operations(program).count("matmul") == 4
    assert operations(better).count("matmul") == 3  # A x, the gradient's Aᵀr, and Aᵀ(w A)
    assert sorted(of_size(better, n * m)) == ["multiply"]
    assert sorted(of_size(better, n * n)) == ["matmul", "multiply"]
    q = A @ x
    value, gradient, curvature = evaluated(better, [x, A, y])
    np.testing.assert_allclose(value, 0.25 * np.sum((y - q * q) ** 2), rtol=1e-12)
    np.testing.assert_allclose(gradient, A.T @ ((q * q - y) * q), rtol=1e-10)
    np.testing.assert_allclose(curvature, A.T @ ((3 * q * q - y)[:, None] * A), rtol=1e-10)


def test_a_tied_autoencoder_needs_five_products_and_one_residual() -> None:
    m, n, r = 50, 20, 4
    random = np.random.default_rng(0)
    X, A = random.normal(size=(m, n)), random.normal(size=(n, r))

    def loss(A: Any, X: Any) -> Any:
        E = X - (X @ A) @ A.T
        return (E * E).sum() / m

    program = captured(lambda A, X: wengert.value_and_grad(loss)(A, X), A, X)
    better, _ = optimized(program)
    assert operations(better).count("matmul") == 5  # X A, (X A) Aᵀ, E A, Xᵀ(E A) and Eᵀ(X A)
    assert sorted(of_size(better, m * n)) == ["matmul", "multiply", "subtract"]  # X A Aᵀ, E·E, and E
    E = X - X @ A @ A.T
    np.testing.assert_allclose(
        evaluated(better, [A, X])[1], -2 / m * (X.T @ (E @ A) + E.T @ (X @ A)), rtol=1e-10
    )


def test_cross_entropy_shares_its_exponentials_with_its_gradient() -> None:
    random = np.random.default_rng(0)
    x, targets = random.normal(size=(6, 5)), random.integers(0, 5, 6)

    def gradient(x: Any, targets: Any) -> Any:
        return wengert.value_and_grad(F.cross_entropy)(x, targets)

    better, _ = optimized(captured(gradient, x, targets))
    names = operations(better)
    assert names.count("exp") == 1
    assert [line.name for line in better.lines() if line.shape == (6, 1)].count("sum") == 1


def test_the_derivative_of_relu_selects_with_the_number_zero() -> None:
    program = captured(wengert.grad(lambda x: (later.relu(x) * 2.0).sum()), np.array([[-1.0, 2.0]]))
    better, _ = optimized(program)
    assert operations(better) == ["greater", "where"]
    assert evaluated(better, [np.array([[-1.0, 2.0]])])[0].tolist() == [[0.0, 2.0]]


# -- single rules
# ------------------------------------------------------------------------------------------------------------

X = np.array([[1.0, -2.0, 0.5], [3.0, 0.25, -1.0]])
V = np.array([2.0, -1.0, 4.0])


@pytest.mark.parametrize(
    ("function", "left"),
    [
        (lambda x, v: x + 0, []),
        (lambda x, v: x * 1 - 0, []),
        (lambda x, v: later.negative(-x), []),
        (lambda x, v: x - (-x), ["multiply"]),
        (lambda x, v: (x * -1) * (v * -1), ["multiply"]),
        (lambda x, v: x / 4, ["multiply"]),
        (lambda x, v: x / 3, ["divide"]),
        (lambda x, v: x * 0, ["multiply"]),
        (lambda x, v: x - x, ["subtract"]),
        (lambda x, v: x / x, ["divide"]),
        (lambda x, v: x**2, ["multiply"]),
        (lambda x, v: (x * x) ** 0.5, ["multiply", "sqrt"]),
        (lambda x, v: (2.0 * x) * (0.5 * x), ["multiply"]),
        (lambda x, v: x.T.T, []),
        (lambda x, v: (x.T + 1.0).exp().T, ["add", "exp"]),
        (lambda x, v: x.reshape(3, 2).reshape(2, 3), []),
        (lambda x, v: x.sum(axis=0, keepdims=True).sum(axis=0), ["sum", "reshape"]),
        (lambda x, v: x.sum(axis=0).sum(), ["sum", "reshape"]),
        (lambda x, v: (x.reshape(2, 1, 3) + 1.0).reshape(2, 3), ["reshape", "add", "reshape"]),
        (lambda x, v: later.broadcast_to(v, shape=(2, 3)) * x, ["multiply"]),
        (lambda x, v: later.broadcast_to(v, shape=(2, 3)).exp(), ["exp", "broadcast_to"]),
        (lambda x, v: later.max(later.broadcast_to(v, shape=(2, 3)), axis=0), []),
        (lambda x, v: later.where(x > 0, v, v), ["broadcast_to"]),
        (lambda x, v: x @ x.T, ["permute", "matmul"]),
        (lambda x, v: (x @ v.reshape(3, 1)) @ v.reshape(1, 3), ["reshape", "matmul", "multiply"]),
        (lambda x, v: (x.T @ x).T, ["permute", "matmul"]),
        (lambda x, v: x @ np.eye(3), ["matmul"]),
        (lambda x, v: wengert.jacobian(lambda u: x @ u)(v), []),
        (lambda x, v: wengert.jacobian(lambda u: x @ u, mode="forward")(v), []),
        (lambda x, v: later.abs(-x), ["abs"]),
        (lambda x, v: x + v - v, ["add", "subtract"]),
        (lambda x, v: x * v + v * x, ["multiply", "multiply"]),
    ],
)
def test_a_rule_leaves_only_what_is_needed(function: Callable[..., Any], left: list[str]) -> None:
    program = captured(function, X, V)
    better, _ = optimized(program)
    assert operations(better) == left
    np.testing.assert_allclose(evaluated(better, [X, V])[0], evaluated(program, [X, V])[0], rtol=1e-12)


def test_no_rule_loses_a_nan() -> None:
    bad = np.array([np.nan, np.inf, -np.inf, 0.0])
    for function in (
        lambda x: x * 0,
        lambda x: x - x,
        lambda x: x / x,
        lambda x: 0 * (2 * x),
        lambda x: 0 / x,
    ):
        program = captured(function, bad)
        better, _ = optimized(program)
        assert (
            np.isnan(evaluated(better, [bad])[0]).tolist() == np.isnan(evaluated(program, [bad])[0]).tolist()
        )


def test_numbers_are_folded_in_the_dtype_of_their_line() -> None:
    x = np.ones(2, "float32")
    program = captured(lambda x: x * np.float32(0.1) * np.float32(3.0), x)
    better, _ = optimized(program)
    (number,) = [line for line in better.lines() if line.is_number]
    assert number.dtype == np.float32
    assert number.number == float(np.float32(0.1) * np.float32(3.0))


def test_the_steps_show_the_program_before_and_after() -> None:
    program = captured(lambda x: (x + 0) * 1, X)
    better, steps = optimized(program, keep_steps=True)
    assert [step.name for step in steps] == [name for name, _ in PASSES]
    assert steps[0].before is program
    assert steps[-1].after is better
    assert all(after.before is before.after for before, after in itertools.pairwise(steps))
    assert str(steps[1]).startswith("simplification: ")


def test_a_program_twice_optimized_stays() -> None:
    once, _ = optimized(captured(wengert.grad(residuals), V, X, np.ones(2)))
    twice, _ = optimized(once)
    assert operations(twice) == operations(once)
