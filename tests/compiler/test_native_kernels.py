"""Kernels that stand alone: convolution, pooling, positions, and what runs along an axis."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

from kernel_cases import calls, differences, random_case

import wengert
from wengert import nn
from wengert.compiler.llvm.machine import WIDTHS, this_machine

Array = Any
QUICK = 18


@pytest.mark.parametrize(
    "seed", [pytest.param(k, marks=[] if k < QUICK else pytest.mark.slow) for k in range(200)]
)
def test_a_random_row_agrees_with_eager_evaluation(seed: int) -> None:
    case = random_case(seed)
    if case is None:
        pytest.skip("settings that fit no array")
    widths = [bits for bits in WIDTHS if bits <= this_machine().vector_bits]
    problems = differences(case, widths[seed % len(widths)], at_end=bool(seed // 3 % 2))
    assert not problems, f"{case.words}: {problems}"


# -- training steps without a call
# ------------------------------------------------------------------------------------------------------------


def small_cnn() -> tuple[nn.Module, Any]:
    """A small convolutional network, and a step of its training that also counts what it gets right."""
    wengert.manual_seed(0)
    model = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Conv2d(4, 6, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2),
        nn.Flatten(), nn.Linear(6 * 9, 5),
    )  # fmt: skip
    optimizer = wengert.optim.Adam(model.parameters(), lr=0.01)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        scores = model(x)
        loss = nn.functional.cross_entropy(scores, y)
        loss.backward()
        optimizer.step()
        return loss, (wengert.argmax(scores, axis=1) == y).mean()

    return model, step


def images(count: int) -> tuple[Array, Array]:
    rng = np.random.default_rng(1)
    return rng.standard_normal((count, 1, 12, 12)).astype("float32"), rng.integers(0, 5, count)


def weights(model: nn.Module) -> list[Array]:
    return [p.data.copy() for p in model.parameters()]


def test_a_convolutional_network_trains_without_a_call() -> None:
    x, y = images(8)
    model, step = small_cnn()
    expected = [step(wengert.tensor(x), wengert.tensor(y)) for _ in range(4)]
    other, step = small_cnn()
    native = wengert.compile(step, backend="native")
    for loss, right in expected:
        found, share = native(wengert.tensor(x), wengert.tensor(y))
        assert found.item() == pytest.approx(loss.item(), rel=1e-5)
        assert share.item() == right.item()
    for a, b in zip(weights(model), weights(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-3, atol=1e-5)
    assert calls(native) == []
    assert "left to NumPy: nothing" in native.report()


def test_an_epoch_gives_the_same_bits_with_one_thread_and_with_two() -> None:
    outcomes = []
    for threads in (1, 2):
        model, step = small_cnn()
        native = wengert.compile(step, backend="native")
        losses, _ = native.epoch(images(64), batch_size=16, threads=threads)
        outcomes.append([losses.data, *weights(model)])
    for a, b in zip(*outcomes, strict=True):
        assert a.tobytes() == b.tobytes()


def test_an_autoencoder_with_transposed_convolutions_trains_without_a_call() -> None:
    def made() -> tuple[nn.Module, Any]:
        wengert.manual_seed(0)
        model = nn.Sequential(
            nn.Conv2d(1, 4, 4, stride=2, padding=1), nn.Tanh(), nn.AvgPool2d(2),
            nn.ConvTranspose2d(4, 4, 2, stride=2), nn.ReLU(),
            nn.ConvTranspose2d(4, 1, 4, stride=2, padding=1), nn.Sigmoid(),
        )  # fmt: skip
        optimizer = wengert.optim.SGD(model.parameters(), lr=0.1)

        def step(x: Any) -> Any:
            optimizer.zero_grad()
            loss = ((model(x) - x) ** 2).mean()
            loss.backward()
            optimizer.step()
            return loss

        return model, step

    x = wengert.tensor(images(4)[0])
    model, step = made()
    expected = [step(x).item() for _ in range(3)]
    other, step = made()
    native = wengert.compile(step, backend="native")
    assert [native(x).item() for _ in range(3)] == pytest.approx(expected, rel=1e-5)
    for a, b in zip(weights(model), weights(other), strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-6)
    assert calls(native) == []


# -- positions
# ------------------------------------------------------------------------------------------------------------


def word_model() -> tuple[list[Array], Any]:
    """An embedding, a running mean and a step that updates both."""
    wengert.manual_seed(0)
    model = nn.Sequential(nn.Embedding(10, 8), nn.Flatten(), nn.BatchNorm1d(24), nn.Linear(24, 2))
    optimizer = wengert.optim.Adam(model.parameters())

    def step(words: Any) -> Any:
        optimizer.zero_grad()
        loss = (model(words) ** 2).mean()
        loss.backward()
        optimizer.step()
        return loss

    state = [*model.parameters(), *(t for _, t in model.named_buffers())]
    return [t.data for t in state], step


def test_an_embedding_trains_without_a_call() -> None:
    words = wengert.tensor(np.random.default_rng(2).integers(0, 10, (6, 3)))
    expected_state, step = word_model()
    expected = [step(words).item() for _ in range(3)]
    state, step = word_model()
    native = wengert.compile(step, backend="native")
    assert [native(words).item() for _ in range(3)] == pytest.approx(expected, rel=1e-5)
    for a, b in zip(state, expected_state, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)
    assert calls(native) == []


@pytest.mark.parametrize("bad", [10, -11, 2**62, -(2**63)])
def test_a_position_outside_is_named_and_changes_nothing(bad: int) -> None:
    words = np.random.default_rng(2).integers(0, 10, (6, 3))
    state, step = word_model()
    native = wengert.compile(step, backend="native")
    native(wengert.tensor(words))
    before = [a.copy() for a in state]
    broken = words.copy()
    broken[3, 1] = bad
    with pytest.raises(IndexError, match=rf"index {bad} is out of bounds for axis 0 with size 10 \(words of"):
        native(wengert.tensor(broken))
    for a, b in zip(state, before, strict=True):
        assert a.tobytes() == b.tobytes()
    assert np.isfinite(native(wengert.tensor(words)).item())


@pytest.mark.parametrize("threads", [1, 2])
def test_an_epoch_ends_at_the_step_with_a_position_outside(threads: int) -> None:
    words = np.random.default_rng(2).integers(0, 10, (30, 3))
    expected, step = word_model()
    for start in (0, 6):
        step(wengert.tensor(words[start : start + 6]))
    words[14] = 77
    state, step = word_model()
    native = wengert.compile(step, backend="native")
    with pytest.raises(IndexError, match="index 77 is out of bounds"):
        native.epoch((words,), batch_size=6, threads=threads)
    for a, b in zip(state, expected, strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    ("function", "extent"),
    [
        (lambda x, k: wengert.take_along_axis(x, k, axis=1), 7),
        (lambda x, k: wengert.take_along_axis(x, k[:, :1], axis=1), 7),
        (lambda x, k: x[:, k], 7),
        (lambda x, k: x[k, k], 4),
        (lambda x, k: wengert.grad(lambda x: (x[k] ** 2).sum())(x), 4),
    ],
)
def test_every_use_of_positions_is_checked(function: Any, extent: int) -> None:
    x, good = wengert.tensor(np.arange(28.0).reshape(4, 7)), np.zeros((4, 2), int)
    native = wengert.compile(function, backend="native")
    native(x, wengert.tensor(good))
    assert calls(native) == []
    for bad in (extent, -extent - 1):
        broken = good.copy()
        broken[3, 0] = bad
        with pytest.raises(IndexError, match=rf"index {bad} is out of bounds for axis \d with size {extent}"):
            native(x, wengert.tensor(broken))


@pytest.mark.parametrize(
    "read",
    [
        lambda x, i, j: x[i, None],
        lambda x, i, j: x[None, i, 1:3],
        lambda x, i, j: x[-1, j],
        lambda x, i, j: x[i, j, ::-2],
        lambda x, i, j: x[..., 1:4, i, 0],
        lambda x, i, j: x[i, j, 2],
        lambda x, i, j: x[1:3, j, 0],
        lambda x, i, j: x[None, -1, j, -1:2:3],
    ],
)
def test_positions_among_slices_and_numbers(read: Any) -> None:
    rng = np.random.default_rng(4)
    x = wengert.tensor(rng.standard_normal((4, 5, 6, 3)))
    i, j = wengert.tensor(rng.integers(-4, 4, (2, 3))), wengert.tensor(rng.integers(-5, 5, 3))

    def both(x: Any, i: Any, j: Any) -> Any:
        return read(x, i, j), wengert.grad(lambda x: (read(x, i, j) ** 2).sum())(x)

    native = wengert.compile(both, backend="native")
    for found, expected in zip(native(x, i, j), both(x, i, j), strict=True):
        np.testing.assert_array_equal(found.data, expected.data)
    assert calls(native) == []


def test_two_results_of_one_kernel() -> None:
    def twice(x: Any) -> Any:
        y = wengert.cumsum(x, axis=0)
        return y, y

    native = wengert.compile(twice, backend="native")
    a, b = native(wengert.tensor([1.0, 2.0, 3.0]))
    assert a.tolist() == b.tolist() == [1.0, 3.0, 6.0]


# -- Einstein sums
# ------------------------------------------------------------------------------------------------------------

EXTENTS = dict(zip("abcdef", (2, 3, 4, 1, 5, 6), strict=True))


@pytest.mark.parametrize(
    "subscripts",
    [
        *("ab,bc->ac", "abc,acd->abd", "ab,ab->", "ab,ab->a", "a,b->ba", "abc->ca", "ab,bc,cd->ad"),
        *("bae,cfe->bfca", "ab,b->a", "abc,bd->acd", "e,ae,fe->af", "abc,->b", "ef,ab->e"),
    ],
)
def test_an_einstein_sum_and_its_gradients_need_no_call(subscripts: str) -> None:
    words = subscripts.split("->")[0].split(",")
    rng = np.random.default_rng(3)
    operands = [wengert.tensor(rng.standard_normal([EXTENTS[letter] for letter in word])) for word in words]

    def both(*given: Any) -> Any:
        def square(*given: Any) -> Any:
            return (wengert.einsum(subscripts, *given) ** 2).sum()

        gradients = wengert.grad(square, argnums=tuple(range(len(words))))(*given)
        return (wengert.einsum(subscripts, *given), *gradients)

    native = wengert.compile(both, backend="native")
    for found, expected in zip(native(*operands), both(*operands), strict=True):
        np.testing.assert_allclose(found.data, expected.data, rtol=1e-10, atol=1e-12)
    assert calls(native) == []
