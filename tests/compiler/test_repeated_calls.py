"""Calls of a compiled function after the first one: what is taken for the same call, and what they return."""

from __future__ import annotations

import dataclasses
import threading
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert

pytestmark = pytest.mark.usefixtures("executor")
V = np.linspace(0.5, 2.0, 6)


def parts(x: Any) -> Any:
    return x * 2, x.sum(), x * x


def agree(compiled: Any, function: Callable[..., Any], *args: Any, **words: Any) -> None:
    """The compiled function returns what the function does, of the same shapes and dtypes."""
    found = wengert.autodiff.trees.leaves(compiled(*args, **words))
    wanted = wengert.autodiff.trees.leaves(function(*args, **words))
    for a, b in zip(found, wanted, strict=True):
        assert np.shape(a) == np.shape(b)
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-6)


def warm(function: Callable[..., Any], *args: Any, **words: Any) -> Any:
    """The function compiled, and called until nothing is new about a call."""
    compiled = wengert.compile(function)
    for _ in range(3):
        agree(compiled, function, *args, **words)
    return compiled


def misaligned(array: Any) -> Any:
    return np.frombuffer(b"\0" + array.tobytes(), np.uint8)[1:].view(array.dtype)


@pytest.mark.parametrize(
    "other",
    [
        V + 1,
        V[::-1],
        np.repeat(V, 2)[::2],
        misaligned(V),
        V.astype(np.float32),
        V.astype(">f8"),
        V.reshape(2, 3),
        V[:5],
        np.arange(6),
        np.array(3.0),
        wengert.tensor(V),
        [*V],
    ],
    ids=lambda other: f"{type(other).__name__} {getattr(other, 'dtype', '')} {np.shape(other)}",
)
def test_another_array_is_taken_as_it_is(other: Any) -> None:
    def function(x: Any) -> Any:
        return parts(x) if hasattr(x, "sum") else x[0] * 2 + x[5]

    compiled = warm(function, V.copy())
    for argument in (other, V, other):
        agree(compiled, function, argument)
    if isinstance(other, np.ndarray):
        frozen = other.copy()
        frozen.flags.writeable = False
        agree(compiled, function, frozen)


def test_an_array_may_change_its_entries_its_shape_and_its_dtype_in_place() -> None:
    x = V.copy()
    compiled = warm(parts, x)
    x[2] = 7.0
    agree(compiled, parts, x)
    x.shape = (3, 2)
    agree(compiled, parts, x)
    x.shape = (6,)
    agree(compiled, parts, x)
    y = V.copy().view(np.int64)
    agree(compiled, parts, y)


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5])
def test_results_keep_their_values(count: int) -> None:
    compiled = wengert.compile(lambda x: tuple(x * k for k in range(1, count + 1)))
    kept = [compiled(np.full(4, float(k))) for k in range(4)]
    for k, results in enumerate(kept):
        assert [r.tolist() for r in results] == [[float(k * n)] * 4 for n in range(1, count + 1)]
    arrays = [array for results in kept for array in results]
    assert not any(np.shares_memory(a, b) for k, a in enumerate(arrays) for b in arrays[:k])


def test_large_results_keep_their_values_beside_small_ones() -> None:
    compiled = wengert.compile(lambda x: (x + 1, x[0] * 2))
    kept = [compiled(np.full(20_000, float(k))) for k in range(4)]
    assert [(a[-1], float(b)) for a, b in kept] == [(k + 1, 2 * k) for k in range(4)]


def test_what_is_returned_may_be_written_into() -> None:
    compiled = wengert.compile(lambda x: x + 1)
    x = np.zeros(3)
    first = compiled(x)
    first += 100
    assert compiled(x).tolist() == [1.0, 1.0, 1.0]
    assert first.tolist() == [101.0, 101.0, 101.0]


def test_a_replaced_variable_is_noticed() -> None:
    scale, shift, power = np.array([2.0]), 1.0, 2

    def function(x: Any) -> Any:
        return (x * scale) ** power + shift

    compiled = warm(function, V)
    scale = np.array([3.0])
    agree(compiled, function, V)
    shift = 0.5
    agree(compiled, function, V)
    power = 3
    agree(compiled, function, V)
    scale[0] = 5.0
    agree(compiled, function, V)


@pytest.mark.parametrize("around", [V.copy(), np.repeat(V, 2)[::2]], ids=["contiguous", "strided"])
def test_an_array_outside_is_read_at_every_call(around: Any) -> None:
    def function(x: Any) -> Any:
        return x * around

    compiled = warm(function, V)
    around[1] = 9.0
    agree(compiled, function, V)


def test_the_default_dtype_and_no_grad_belong_to_a_call() -> None:
    halves = wengert.compile(lambda x: x / 2)
    assert [halves(np.arange(6)).dtype for _ in range(3)] == [np.float32] * 3
    wengert.set_default_dtype("float64")
    try:
        assert halves(np.arange(6)).dtype == np.float64
    finally:
        wengert.set_default_dtype("float32")
    assert halves(np.arange(6)).dtype == np.float32
    w = wengert.tensor([2.0, 3.0], requires_grad=True)
    compiled = warm(lambda x: wengert.tensor(1.0 * (x * w).requires_grad) * x, V[:2])
    with wengert.no_grad():
        assert compiled(V[:2]).tolist() == [0.0, 0.0]
    assert compiled(V[:2]).tolist() == V[:2].tolist()


def test_numbers_nests_and_words() -> None:
    def function(p: Any, rate: float, *, scale: Any = 1.0, kind: str = "sum") -> Any:
        total = (p["w"] * p["b"][0]).sum() * rate * scale
        return {"total": total, "kind": [p["b"][1] + rate]} if kind == "sum" else {"total": total}

    def nest(k: float) -> Any:
        return {"w": V * k, "b": (V + k, np.float64(k))}

    compiled = warm(function, nest(1.0), 0.5)
    for k in (2.0, -3.0):
        agree(compiled, function, nest(k), k / 4)
        agree(compiled, function, nest(k), k / 4, scale=3.0)
        agree(compiled, function, nest(k), k / 4, scale=V[0])
        agree(compiled, function, nest(k), k / 4, kind="none")
        agree(compiled, function, dict(reversed(nest(k).items())), rate=k / 4)
        agree(compiled, function, {**nest(k), "more": 1}, k / 4)
        agree(compiled, function, nest(k), np.float32(k))


def test_a_changed_object_among_the_arguments_is_noticed() -> None:
    @dataclasses.dataclass(unsafe_hash=True)
    class Setting:
        factor: float

    def function(x: Any, setting: Setting) -> Any:
        return x * setting.factor

    setting = Setting(2.0)
    compiled = warm(function, V, setting)
    setting.factor = 3.0
    agree(compiled, function, V, setting)
    agree(compiled, function, V, Setting(4.0))


def test_tensors_that_begin_to_require_a_gradient_receive_it() -> None:
    def function(x: Any) -> Any:
        y = (x * x).sum()
        if x.requires_grad:
            y.backward()
        return y

    x = wengert.tensor([1.0, 2.0])
    compiled = wengert.compile(function)
    for _ in range(3):
        assert compiled(x).item() == 5.0
    assert x.grad is None
    x.requires_grad_()
    for k in range(1, 4):
        assert compiled(x).item() == 5.0
        assert x.grad.tolist() == [2.0 * k, 4.0 * k]


def test_threads_get_their_own_results() -> None:
    compiled = warm(parts, V)
    wrong: list[Any] = []

    def work(k: int) -> None:
        x = np.full(6, float(k))
        for _ in range(300):
            double, total, square = compiled(x)
            if double[0] != 2 * k or total != 6 * k or square[5] != k * k:
                wrong.append((k, double, total, square))

    workers = [threading.Thread(target=work, args=(k,)) for k in range(4)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    assert not wrong


def test_a_call_that_failed_is_forgotten() -> None:
    def function(x: Any, k: Any) -> Any:
        return x[k] * 2

    x, good, bad = wengert.tensor(V), np.array([1, 2]), np.array([1, 60])
    compiled = warm(function, x, good)
    for _ in range(2):
        with pytest.raises(IndexError, match="60"):
            compiled(x, bad)
        agree(compiled, function, x, good)


def test_a_bound_function_of_a_number_computes_it() -> None:
    compiled = wengert.compile(lambda x, y: (x * 2.0, y + 1))
    y = np.zeros(2)
    again = compiled.bind(3.0, y)
    assert again()[0] == 6.0
    y[:] = 4.0
    number, array = again()
    assert number == 6.0
    assert array.tolist() == [5.0, 5.0]


def test_many_programs_take_turns() -> None:
    compiled = wengert.compile(parts)
    for _ in range(3):
        for size in range(12):
            agree(compiled, parts, np.arange(float(size)))


def test_backward_outside_the_function_names_compile() -> None:
    w = wengert.tensor([1.0, 2.0], requires_grad=True)
    loss = wengert.compile(lambda x: (w * x).sum())(wengert.ones(2))
    with pytest.raises(RuntimeError, match=r"wengert\.compile .*call backward\(\) inside"):
        loss.backward()


@pytest.mark.parametrize("data", [((),), ([],), (np.zeros((0, 3)),)], ids=str)
def test_an_epoch_wants_rows(data: Any) -> None:
    with pytest.raises(ValueError, match=r"epoch: expected at least one row, got TensorDataset\(float"):
        wengert.compile(lambda x: x.sum()).epoch(data)
