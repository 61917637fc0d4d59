"""Every row of the table on NumPy arrays: its derivatives in every mode and order, eager and traced."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from cases import Sample, is_differentiable, leaves, samples, weighted, weights

import wengert
from wengert.numbers.graph import Graph, Node
from wengert.ops import rows
from wengert.ops.kinds import Elementwise, Select
from wengert.tensors import Tensor

EVERY = pytest.mark.parametrize("sample", samples())
DIFFERENTIABLE = pytest.mark.parametrize("sample", samples(is_differentiable))

WITHOUT_SAMPLE = {
    "component": "takes a tuple, so it has no call of its own",
    "eigensystem": "has complex results, up to phase and length: test_factorisations",
    "identity_mask": "a constant of the shape",
    "imag": "needs complex numbers: test_stability",
    "near_equal": "answers one truth value, for error messages",
    "stop_gradient": "its derivative is not that of its value: test_stability",
}


def assert_close(found: Any, expected: Any, rtol: float = 1e-9, atol: float = 1e-10) -> None:
    for a, b in zip(leaves(found), leaves(expected), strict=True):
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=rtol, atol=atol)


def test_every_row_has_samples() -> None:
    assert {op.name for op in rows() if not op.sample} == set(WITHOUT_SAMPLE)


@DIFFERENTIABLE
def test_derivatives_of_first_and_second_order(sample: Sample) -> None:
    """Forward against finite differences and reverse against forward; then the same of the gradient."""
    f, args = sample.call()
    wengert.check_gradients(f, *args)


@DIFFERENTIABLE
def test_nested_transforms_agree(sample: Sample) -> None:
    """Forward over reverse, reverse over reverse, reverse over forward, and create_graph on tensors."""
    f, args = sample.call()
    total = weighted(f, args)
    direction = weights(args, seed=1)
    positions = tuple(range(len(args)))
    gradient = wengert.grad(total, positions)

    def slope(*xs: Any) -> Any:
        terms = [wengert.sum(g * v) for g, v in zip(gradient(*xs), direction, strict=True)]
        return sum(terms[1:], terms[0])

    expected = list(leaves(wengert.hvp(total, args, direction)))
    assert_close(wengert.grad(slope, positions)(*args), expected)
    assert_close(wengert.grad(lambda *xs: wengert.jvp(total, xs, direction)[1], positions)(*args), expected)
    tensors = [Tensor(x, requires_grad=True) for x in args]
    total(*tensors).backward(create_graph=True)
    first = [t.grad for t in tensors]
    assert_close([g.data for g in first], gradient(*args))
    for t in tensors:
        t.grad = None
    again = sum(wengert.sum(g * v) for g, v in zip(first, direction, strict=True))
    if again.requires_grad:
        again.backward()
    assert_close([np.zeros_like(t.data) if t.grad is None else t.grad.data for t in tensors], expected)


@DIFFERENTIABLE
def test_float32_stays_float32(sample: Sample) -> None:
    if "dtype" in sample.case.params:
        pytest.skip("the sample names a dtype")
    f, args = sample.call("float32")
    value, pull_back = wengert.vjp(f, *args)
    assert {y.dtype for y in leaves(value)} == {np.dtype("float32")}
    for x, adjoint in zip(args, pull_back(_like(value, weights(leaves(value)))), strict=True):
        assert (adjoint.dtype, adjoint.shape) == (x.dtype, x.shape)
    _, tangent = wengert.jvp(f, args, weights(args))
    assert {t.dtype for t in leaves(tangent)} == {np.dtype("float32")}
    precise, exact = sample.call("float64")
    assert_close(value, precise(*exact), rtol=2e-5, atol=2e-5)


def _like(value: Any, parts: list[Any]) -> Any:
    return tuple(parts) if isinstance(value, tuple) else parts[0]


def _takes_numbers(sample: Sample) -> bool:
    return isinstance(sample.op, (Elementwise, Select)) and sample.is_scalar and sample.op.arity != 1


@pytest.mark.parametrize("sample", samples(_takes_numbers))
def test_python_numbers_are_weak(sample: Sample) -> None:
    """A Python number beside a float32 array does not change its dtype, nor that of its gradient."""
    for k, number in enumerate(sample.case.args):
        if isinstance(number, bool):
            continue
        x = np.array([number, number], "float32")
        call = [np.array([a] * 2) if isinstance(a, bool) else a for a in sample.case.args]

        def f(x: Any, k: int = k, call: list[Any] = call) -> Any:
            return sample.op(*call[:k], x, *call[k + 1 :])

        value, pull_back = wengert.vjp(f, x)
        (adjoint,) = pull_back(np.ones_like(value))
        assert (value.dtype, adjoint.dtype) == (np.dtype("float32"), np.dtype("float32"))
        plain = sample.op(*sample.case.args)
        assert_close(value, np.array([plain, plain]), rtol=1e-6)


@EVERY
def test_vmap_is_loop_and_stack(sample: Sample) -> None:
    f, args = sample.call()
    if not args:
        pytest.skip("no argument to count examples by")
    batches = [np.stack([x, x * 1.0625, x * 0.9375]) for x in args]
    looped = [leaves(f(*(b[k] for b in batches))) for k in range(3)]
    assert_close(wengert.vmap(f)(*batches), [np.stack(parts) for parts in zip(*looped, strict=True)])
    for fixed in range(1, len(args)):
        axes = [None if k == fixed else 0 for k in range(len(args))]
        mixed = [args[k] if k == fixed else b for k, b in enumerate(batches)]
        calls = [[args[j] if j == fixed else b[k] for j, b in enumerate(batches)] for k in range(3)]
        looped = [leaves(f(*xs)) for xs in calls]
        found = wengert.vmap(f, in_axes=axes)(*mixed)
        assert_close(found, [np.stack(parts) for parts in zip(*looped, strict=True)])


@DIFFERENTIABLE
def test_vmap_of_the_gradient_is_loop_and_stack(sample: Sample) -> None:
    f, args = sample.call()
    gradient = wengert.grad(weighted(f, args), tuple(range(len(args))))
    batches = [np.stack([x, x * 1.0625]) for x in args]
    looped = [gradient(*(b[k] for b in batches)) for k in range(2)]
    assert_close(wengert.vmap(gradient)(*batches), [np.stack(parts) for parts in zip(*looped, strict=True)])


@EVERY
def test_traced_is_eager(sample: Sample) -> None:
    """A graph's nodes carry the eager values, and so do those of its tangents and its reverse sweep."""
    f, args = sample.call()
    if not args:
        pytest.skip("no argument to trace")
    graph = Graph()
    nodes = [graph.leaf("input", x) for x in args]
    traced = f(*nodes)
    assert all(isinstance(y, Node) for y in leaves(traced))
    assert_close([y.value for y in leaves(traced)], f(*args), rtol=0, atol=0)
    if not is_differentiable(sample):
        return
    tangents = weights(args)
    _, expected = wengert.jvp(f, args, tangents)
    _, found = wengert.jvp(f, nodes, [graph.leaf("input", t) for t in tangents])
    assert_close(list(map(_number, leaves(found))), expected, rtol=1e-14, atol=1e-14)
    value, pull_back = wengert.vjp(f, *args)
    adjoints = weights(leaves(value))
    _, pull_back_nodes = wengert.vjp(f, *nodes)
    found = pull_back_nodes(_like(value, [graph.leaf("input", a) for a in adjoints]))
    assert_close(list(map(_number, found)), pull_back(_like(value, adjoints)), rtol=1e-14, atol=1e-14)


def _number(x: Any) -> Any:
    return x.value if isinstance(x, Node) else x


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("rows", [3, 300])
def test_where_selects_bits_and_never_computes_with_what_it_leaves_out(dtype: str, rows: int) -> None:
    rng = np.random.default_rng(0)
    special = np.array([np.nan, np.inf, -np.inf, -0.0, 0.0, 1.5, np.finfo(dtype).tiny / 2], dtype)
    condition = rng.random((rows, 40)) > 0.5
    a, b = rng.choice(special, (2, rows, 40)).astype(dtype)
    found = wengert.where(condition, a, b)
    expected = np.where(condition, a, b)
    assert found.dtype == dtype
    assert found.tobytes() == expected.tobytes()
    assert wengert.where(condition.T, a.T, b.T).T.tobytes() == expected.tobytes()
