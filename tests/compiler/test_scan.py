"""`wengert.scan`: a loop over time, eager, differentiated, batched and compiled."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn

rng = np.random.default_rng(0)
W = rng.normal(size=(3, 3)) * 0.5
XS = rng.normal(size=(7, 3))
H = rng.normal(size=3)
BACKENDS = ["eager", "numpy", "native"]


@pytest.fixture(params=BACKENDS)
def run(request: pytest.FixtureRequest) -> Any:
    """A function as it is, and compiled on each back end."""
    if request.param == "eager":
        return lambda f: f
    if request.param == "native":
        pytest.importorskip("llvmlite")
    return wengert.compile(backend=request.param)


def recurrent(w: Any, h: Any, xs: Any) -> Any:
    def step(carry: Any, x: Any) -> Any:
        new = wengert.tanh(w @ carry["state"] + x)
        return {"state": new}, (new * 2.0, (new**2).sum())

    last, (states, energies) = wengert.scan(step, {"state": h}, xs)
    return last["state"], states, energies


def by_hand(w: Any, h: Any, xs: Any) -> Any:
    states = []
    for x in xs:
        h = np.tanh(w @ h + x)
        states.append(h)
    return h, 2 * np.array(states), (np.array(states) ** 2).sum(axis=1)


def loss(w: Any, h: Any, xs: Any) -> Any:
    last, states, energies = recurrent(w, h, xs)
    return (states[2] * states[-1]).sum() + last.sum() ** 2 + wengert.exp(energies).mean()


def test_a_loop_carries_state_and_collects_results(run: Any) -> None:
    for found, expected in zip(run(recurrent)(W, H, XS), by_hand(W, H, XS), strict=True):
        np.testing.assert_allclose(found, expected, rtol=1e-12)


def test_gradients_are_those_of_finite_differences() -> None:
    wengert.check_gradients(loss, W, H, XS)


def test_all_modes_of_differentiation_agree(run: Any) -> None:
    gradients = run(wengert.grad(loss, argnums=(0, 1, 2)))(W, H, XS)
    expected = wengert.grad(loss, argnums=(0, 1, 2))(W, H, XS)
    for found, gradient in zip(gradients, expected, strict=True):
        np.testing.assert_allclose(found, gradient, rtol=1e-9)
    direction = np.cos(XS)
    _, slope = run(lambda x, t: wengert.jvp(lambda v: loss(W, H, v), (x,), (t,)))(XS, direction)
    assert float(slope) == pytest.approx((gradients[2] * direction).sum())
    hessian = run(wengert.hessian(lambda h: loss(W, h, XS)))(H)
    columns = wengert.jacobian(wengert.grad(lambda h: loss(W, h, XS)), mode="reverse")(H)
    np.testing.assert_allclose(hessian, columns, rtol=1e-9)


def test_batches(run: Any) -> None:
    many = np.stack([XS, XS[::-1], 2 * XS])
    found = run(wengert.vmap(wengert.grad(loss), in_axes=(None, None, 0)))(W, H, many)
    for gradient, xs in zip(found, many, strict=True):
        np.testing.assert_allclose(gradient, wengert.grad(loss)(W, H, xs), rtol=1e-9)
    states = np.stack([H, -H])
    last, _, _ = run(wengert.vmap(recurrent, in_axes=(None, 0, None)))(W, states, XS)
    np.testing.assert_allclose(last[1], by_hand(W, -H, XS)[0], rtol=1e-12)


def test_a_training_step_through_time(run: Any) -> None:
    """Parameters outside, a batch of sequences, Adam."""
    xs = wengert.tensor(rng.normal(size=(6, 4, 2)))
    expected, found = through_time(lambda f: f, xs), through_time(run, xs)
    np.testing.assert_allclose(found, expected, rtol=1e-9)
    assert expected[-1] < expected[0]


def through_time(compiled: Any, xs: Any) -> list[float]:
    """The losses of some steps of training."""
    wengert.manual_seed(0)
    cell, head = nn.Linear(2 + 5, 5).double(), nn.Linear(5, 1).double()
    optimizer = wengert.optim.Adam([*cell.parameters(), *head.parameters()], lr=0.05)

    def advance(h: Any, x: Any) -> Any:
        h = cell(wengert.concatenate([x, h], axis=1)).tanh()
        return h, head(h)

    def step(xs: Any) -> Any:
        optimizer.zero_grad()
        _, scores = wengert.scan(advance, wengert.zeros(4, 5, dtype="float64"), xs)
        error = ((scores[:, :, 0] - xs.sum(axis=2)) ** 2).mean()
        error.backward()
        optimizer.step()
        return error

    step = compiled(step)
    return [step(xs).item() for _ in range(8)]


def test_without_xs_and_without_results(run: Any) -> None:
    def newton(root: Any, nothing: Any) -> Any:
        assert nothing is None
        near = abs(root * root - 2.0) < 1e-12
        return wengert.where(near, root, (root + 2.0 / root) / 2), None

    root, nothing = run(lambda start: wengert.scan(newton, start, length=9))(np.array(1.0))
    assert float(root) == pytest.approx(2**0.5)
    assert nothing is None


def test_plain_numbers_as_carry() -> None:
    total, sums = wengert.scan(lambda c, x: (c + x, c), 0.0, np.arange(4.0))
    assert float(total) == 6.0 and sums.tolist() == [0.0, 0.0, 1.0, 3.0]
    power, powers = wengert.scan(lambda c, _: (c * 2, c), 1.0, length=4)
    assert power == 16.0 and powers.tolist() == [1.0, 2.0, 4.0, 8.0]
    assert wengert.scan(lambda c, _: (c + 1, c), 0, length=3)[1].tolist() == [0, 1, 2]
    slope = wengert.grad(lambda c: wengert.scan(lambda c, x: (c * c * x, c), c, np.arange(1.0, 4.0))[1].sum())
    assert slope(1.1) == pytest.approx(1 + 2 * 1.1 + 8 * 1.1**3)


def test_a_long_loop_is_differentiated_without_recursion() -> None:
    decay = wengert.grad(lambda h: wengert.scan(lambda h, x: (h * 0.999 + x, None), h, np.zeros(3000))[0])
    assert decay(1.0) == pytest.approx(0.999**3000)


def test_elementwise_recurrences_compile(run: Any) -> None:
    """Nothing of what depends on the step before may be taken for alike terms."""
    found = run(lambda xs: wengert.scan(lambda c, x: (c * 0.5 + x, c), xs[0], xs))(XS)
    expected = wengert.scan(lambda c, x: (c * 0.5 + x, c), XS[0], XS)
    for one, other in zip(found, expected, strict=True):
        np.testing.assert_allclose(one, other, rtol=1e-12)


def identity(carry: Any, x: Any) -> Any:
    return carry, x


@pytest.mark.parametrize(
    ("call", "kind", "words"),
    [
        (lambda: wengert.scan(identity, 0.0), ValueError, "got neither"),
        (lambda: wengert.scan(identity, 0.0, XS, 5), ValueError, "length is 5, but xs has 7 steps"),
        (
            lambda: wengert.scan(identity, 0.0, (XS, XS[:4])),
            ValueError,
            r"first axes of xs should agree in length, got arrays of shapes \(7, 3\), \(4, 3\)",
        ),
        (lambda: wengert.scan(identity, 0.0, XS[:0]), ValueError, "expected at least one step, got 0"),
        (lambda: wengert.scan(identity, 0.0, length=0), ValueError, "expected at least one step, got 0"),
        (lambda: wengert.scan(identity, 0.0, [1.0, 2.0]), TypeError, "leaf 0 is 1.0, which has no axis"),
        (lambda: wengert.scan(lambda c, x: c, 0.0, XS), TypeError, r"return a pair \(carry, y\), got float"),
        (
            lambda: wengert.scan(lambda c, x: ((c, c), x), H, XS),
            TypeError,
            r"keep its nesting, but step 0 turned \* into \(\*, \*\)",
        ),
        (
            lambda: wengert.scan(lambda c, x: ({"b": c["a"]}, x), {"a": H}, XS),
            TypeError,
            r"turned \{'a': \*\} into \{'b': \*\}",
        ),
        (
            lambda: wengert.scan(lambda c, x: (c.sum(), x), H, XS),
            ValueError,
            r"step 0 turned leaf 0 from \(3,\) into \(\); give init the shape",
        ),
        (
            lambda: wengert.scan(lambda c, x: (c + x, x), H.astype(np.float32), XS),
            TypeError,
            "step 0 turned leaf 0 from float32 into float64; convert init",
        ),
        (
            lambda: wengert.scan(lambda c, x: (c + 1, x[: int(c)]), 1, XS),
            ValueError,
            r"one shape at every step, but leaf 0 has \(1,\) and \(2,\) and \(3,\)",
        ),
    ],
)
def test_what_does_not_fit_is_explained(call: Any, kind: type[Exception], words: str) -> None:
    with pytest.raises(kind, match=words):
        call()


def test_results_keep_one_nesting() -> None:
    with pytest.raises(TypeError, match="y should keep its nesting, but step 1"):
        wengert.scan(lambda c, x: (c + 1, x if c < 1 else (x, x)), 0, XS)


def test_a_branch_on_the_carry_is_refused_at_its_line() -> None:
    def step(carry: Any, x: Any) -> Any:
        if carry.sum() > 0:
            carry = carry + x
        return carry, x

    with pytest.raises(wengert.CaptureError, match=r"(?s)if carry.sum.*wengert.where"):
        wengert.compile(lambda h, xs: wengert.scan(step, h, xs))(H, XS)
