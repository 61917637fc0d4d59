"""Compiled functions of arrays, tensors and numbers, and nests of derivatives."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn

pytestmark = pytest.mark.usefixtures("executor")
rng = np.random.default_rng(1)
A = rng.normal(size=(5, 4))
V = rng.normal(size=4)


def value(x: Any) -> Any:
    return (wengert.tanh(x) * x + x[0] * wengert.exp(-x * x)).sum()


def model(w: Any, x: Any) -> Any:
    return wengert.tanh(x @ w).sum() ** 2


NESTS = {
    "value": (value, (V,)),
    "grad": (wengert.grad(value), (V,)),
    "value_and_grad": (wengert.value_and_grad(value), (V,)),
    "hessian": (wengert.hessian(value), (V,)),
    "jacobian": (wengert.jacobian(lambda x: wengert.sin(A @ x)), (V,)),
    "jvp": (lambda x, t: wengert.jvp(value, (x,), (t,)), (V, np.ones(4))),
    "hvp": (lambda x, t: wengert.hvp(value, (x,), (t,)), (V, np.ones(4))),
    "vmap of grad": (wengert.vmap(wengert.grad(model), in_axes=(None, 0)), (V, A)),
    "grad of vmap": (wengert.grad(lambda w: wengert.vmap(model, in_axes=(None, 0))(w, A).sum()), (V,)),
    "third derivative": (
        wengert.grad(wengert.grad(wengert.grad(lambda x: x**4 * wengert.sin(x)))),
        (0.7,),
    ),
    "nests of arguments": (
        wengert.grad(lambda p: (p["w"] * p["b"][0]).sum() + p["b"][1] ** 2),
        ({"w": V, "b": (2.0, 3.0)},),
    ),
}


def same(a: Any, b: Any) -> None:
    if isinstance(b, dict):
        assert list(a) == list(b)
        a, b = list(a.values()), list(b.values())
    if isinstance(b, (tuple, list)):
        assert type(a) is type(b) and len(a) == len(b)
        for x, y in zip(a, b, strict=True):
            same(x, y)
    elif type(b) is float:
        assert type(a) is float
        assert a == pytest.approx(b, rel=1e-9)
    else:
        assert np.asarray(a).dtype == np.asarray(b).dtype
        np.testing.assert_allclose(np.asarray(a), np.asarray(b), rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("name", NESTS)
def test_a_nest_compiles_to_the_same_values(name: str) -> None:
    function, args = NESTS[name]
    compiled = wengert.compile(function)
    for _ in range(2):
        same(compiled(*args), function(*args))
    scaled = [wengert.autodiff.trees.mapped(lambda leaf: leaf * 0.5, a) for a in args]
    same(compiled(*scaled), function(*scaled))
    assert compiled.recompilations == []


def test_results_keep_nesting_types_and_plain_values() -> None:
    compiled = wengert.compile(lambda x, t, s: {"a": [x + 1, t * 2], "b": (s * 2, "word", 3, None)})
    found = compiled(np.ones(2), wengert.ones(2), 1.5)
    assert isinstance(found["a"][1], wengert.Tensor) and type(found["a"][0]) is np.ndarray
    assert found["b"] == (3.0, "word", 3, None) and type(found["b"][0]) is float


def test_results_are_new_arrays() -> None:
    compiled = wengert.compile(lambda x: (x * 2, x))
    x = np.ones(3)
    first, second = compiled(x), compiled(x)
    assert not np.shares_memory(first[0], second[0]) and not np.shares_memory(first[1], x)


def test_weak_numbers_stay_weak() -> None:
    compiled = wengert.compile(lambda x, rate: rate * x)
    assert compiled(np.ones(2, np.float32), 0.5).dtype == np.float32
    assert compiled(np.ones(2, np.float32), 0.25).tolist() == [0.25, 0.25]
    assert compiled.recompilations == []


@pytest.mark.parametrize(
    "odd",
    [
        A.T,
        A[::2, ::-1],
        np.frombuffer(b"\0" + A.tobytes(), np.uint8)[1:].view(np.float64).reshape(A.shape),
        A.astype(">f8"),
        np.broadcast_to(V, (3, 4)),
        np.zeros((0, 4)),
        np.float64(3.0),
        np.array(2.0),
    ],
    ids=["transposed", "strided", "misaligned", "big-endian", "broadcast", "empty", "scalar", "0-d"],
)
def test_any_memory_layout_is_taken(odd: Any) -> None:
    compiled = wengert.compile(lambda x: wengert.exp(x) * 2 + x)
    for _ in range(2):
        np.testing.assert_allclose(compiled(odd), np.exp(odd) * 2 + odd)


def test_another_int_text_or_structure_compiles_again() -> None:
    compiled = wengert.compile(lambda x, n, mode="sum": x.sum() * n if mode == "sum" else x.max() * n)
    x = np.arange(4.0)
    assert (compiled(x, 2), compiled(x, 3), compiled(x, 3, mode="max")) == (12.0, 18.0, 9.0)
    assert compiled(x, True) == 6.0  # True is not 1
    assert compiled.recompilations[0] == "n: 2 became 3"
    assert compiled.recompilations[1] == "mode: new"
    assert "3 program" not in compiled.report() and "4 program" in compiled.report()
    compiled(x, 2)
    assert len(compiled.recompilations) == 3


def test_the_report_says_what_changed() -> None:
    compiled = wengert.compile(lambda x, batch: x.sum() + batch["rows"].sum())
    compiled(np.ones((32, 16)), {"rows": np.ones(3)})
    compiled(np.ones((8, 16)), {"rows": np.ones(3)})
    compiled(np.ones((8, 16)), {"rows": np.ones(3, np.float32)})
    compiled(np.ones((8, 16)), {"rows": wengert.ones(3)})
    assert compiled.recompilations == [
        "x: shape (32, 16) became (8, 16)",
        "batch.rows: array of float64 became array of float32",
        "batch.rows: array of float32 became tensor of float32",
    ]


SCALE = 2.0
TABLE = np.array([1.0, 2.0])


def scaled(x: Any) -> Any:
    return helper(x) * SCALE


def helper(x: Any) -> Any:
    return x + TABLE


def test_globals_are_read_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    compiled = wengert.compile(scaled)
    x = np.zeros(2)
    assert compiled(x).tolist() == [2.0, 4.0]
    monkeypatch.setitem(globals(), "SCALE", 3.0)
    assert compiled(x).tolist() == [3.0, 6.0]
    monkeypatch.setitem(globals(), "TABLE", np.array([5.0, 5.0]))
    assert compiled(x).tolist() == [15.0, 15.0]
    TABLE[0] = 7.0  # the content is read at each call
    assert compiled(x).tolist() == [21.0, 15.0]
    assert len(compiled.recompilations) == 2


def test_methods_modules_and_decorators() -> None:
    class Model:
        def __init__(self) -> None:
            self.w = wengert.ones(3)

        @wengert.compile
        def decorated(self, x: Any) -> Any:
            return (self.w * x).sum()

        def plain(self, x: Any) -> Any:
            return (self.w * x).sum()

    m = Model()
    bound = wengert.compile(m.plain)
    for factor in (1.0, 2.0):
        m.w.data = m.w.data * factor
        assert (
            bound(np.ones(3, np.float32)).item() == 3 * factor == m.decorated(np.ones(3, np.float32)).item()
        )

    @wengert.compile(backend="numpy")
    def named(x: Any) -> Any:
        """Its own words."""
        return x

    assert named.__name__ == "named" and named.__doc__ == "Its own words."
    layer = nn.Linear(3, 2)
    x = wengert.ones(4, 3)
    np.testing.assert_allclose(wengert.compile(layer)(x).numpy(), layer(x).detach().numpy(), rtol=1e-6)


def test_a_compiled_function_inlines_into_others() -> None:
    square = wengert.compile(lambda x: x * x)
    assert wengert.grad(lambda x: square(x) + square(3.0))(2.0) == 4.0
    twice = wengert.compile(lambda x: square(x) + 1)
    assert twice(np.array(3.0)) == 10.0
    assert wengert.vmap(square)(np.arange(3.0)).tolist() == [0, 1, 4]
    x = wengert.tensor([2.0], requires_grad=True)
    wengert.compile(wengert.grad(lambda x: square(x).sum()))(np.ones(2))
    assert square(x).tolist() == [4.0]


def test_draws_are_those_of_eager_code() -> None:
    stream = wengert.Generator(3)

    def sample(x: Any) -> Any:
        noise = wengert.randn(3, generator=stream)
        kept = stream.bernoulli(0.5, (3,))
        order = stream.permutation(3)
        shift = stream.integers(0, 10, 3)
        spread = wengert.uniform(-1.0, 1.0, (3,), generator=stream)
        return x * noise * kept + spread, order, shift

    compiled = wengert.compile(sample)
    x = wengert.ones(3)
    for seed in (3, 3, 9):
        stream.manual_seed(seed)
        expected = [sample(x) for _ in range(2)]
        counter = stream.counter
        stream.manual_seed(seed)
        found = [compiled(x) for _ in range(2)]
        assert stream.counter == counter
        for (a, p, q), (b, r, s) in zip(found, expected, strict=True):
            np.testing.assert_allclose(a.numpy(), b.numpy(), rtol=1e-6)
            assert p.tolist() == r.tolist() and q.tolist() == s.tolist()


def test_a_checkpoint_draws_once() -> None:
    def loss(x: Any) -> Any:
        return wengert.checkpoint(lambda v: (nn.functional.dropout(v, 0.5) * v).sum())(x)

    compiled = wengert.compile(wengert.grad(loss))
    x = np.arange(1.0, 9.0)
    for seed in (0, 1):
        wengert.manual_seed(seed)
        expected = wengert.grad(loss)(x)
        wengert.manual_seed(seed)
        np.testing.assert_allclose(compiled(x), expected)


def test_arguments_receive_gradients_and_updates() -> None:
    def step(w: Any, x: Any) -> Any:
        loss = (w * x).sum() ** 2
        loss.backward()
        return loss

    compiled, found = wengert.compile(step), []
    for run in (step, compiled):
        w = wengert.tensor([1.0, 2.0], requires_grad=True)
        for _ in range(2):
            run(w, np.array([1.0, 3.0], np.float32))
        found.append(w.grad.tolist())
    assert found[0] == found[1]


def test_threads_capture_one_after_the_other() -> None:
    results: dict[int, Any] = {}
    w = wengert.tensor([2.0, 3.0], requires_grad=True)

    def work(k: int) -> None:
        compiled = wengert.compile(wengert.value_and_grad(lambda x: ((x * w.detach()) ** k).sum()))
        outside = w * 2  # the other threads' captures record nothing of this
        results[k] = (compiled(np.ones(2, np.float32)), outside.tolist(), w.data is array)

    array = w.data
    threads = [threading.Thread(target=work, args=(k,)) for k in range(1, 9)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for k, ((total, gradient), outside, untouched) in results.items():
        assert total.item() == pytest.approx(2**k + 3**k) and outside == [4.0, 6.0] and untouched
        assert gradient.tolist() == pytest.approx([k * 2**k, k * 3**k])
    assert len(results) == 8


def test_names_are_the_users() -> None:
    layers = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    optimizer = wengert.optim.Adam(layers.parameters())
    seen = wengert.zeros(2)

    @wengert.compile
    def step(batch: Any) -> Any:
        optimizer.zero_grad()
        hidden = layers(batch)
        error = (hidden - seen).square().mean()
        error.backward()
        optimizer.step()
        return error

    step(wengert.ones(4, 3))
    captured = step.latest.captured
    names = [b.name for b in captured.buffers]
    assert names[:3] == ["layers.0.weight", "layers.0.bias", "seen"]
    assert "exp_avg of layers.0.weight" in names and "exp_avg_sq of layers.0.bias" in names
    assert {"batch", "hidden", "error", "lr", "betas[0]"} <= set(captured.names.values())
    assert [name for name, _ in captured.sections] == ["forward", "backward", "update"]
    assert any(node.line and "hidden = layers(batch)" in node.line for node in step.graph)


@pytest.mark.parametrize("pair", [(1.0, 2.0), (1, 2), (1, 2.0), (True, 2)])
def test_numbers_behind_a_condition_have_the_eager_dtype(pair: tuple[Any, Any]) -> None:
    def choose(x: Any) -> Any:
        return wengert.where(x > 0, *pair)

    x = np.array([1.0, -1.0])
    found, expected = wengert.compile(choose)(x), choose(x)
    assert found.dtype == expected.dtype
    assert found.tolist() == expected.tolist()
