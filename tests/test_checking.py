"""`check_gradients`: it passes what is right, and names what is wrong."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert.autodiff.checking import ENTRIES, GradientMismatch
from wengert.ops.kinds import Elementwise
from wengert.ops.op import TABLE
from wengert.tensors import Tensor


@pytest.fixture
def faulty(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Give a row of the table a wrong partial for the length of a test."""

    def replace(name: str, *partials: Any) -> None:
        op = TABLE[name]
        assert isinstance(op, Elementwise)
        monkeypatch.setattr(op, "partials", partials)

    return replace


def test_numbers_without_arrays() -> None:
    wengert.check_gradients(lambda x, y: wengert.exp(x) / y, 0.5, 3.0, order=3)


def test_arrays_of_float64() -> None:
    wengert.check_gradients(lambda a, b: wengert.tanh(a @ b), np.array([[0.5, 1.0], [2.0, -1.0]]), np.ones(2))


def test_float32_is_checked_with_its_own_step() -> None:
    x = np.linspace(0.2, 1.5, 6, dtype="float32").reshape(2, 3)
    wengert.check_gradients(lambda x: wengert.sin(x) * wengert.log(x), x)


def test_nested_arguments_and_values() -> None:
    layers = {"hidden": [np.full((2, 2), 0.25), np.zeros(2)], "scale": 1.5}

    def network(layers: Any, x: Any) -> Any:
        w, b = layers["hidden"]
        h = wengert.sigmoid(x @ w + b)
        return {"out": (h * layers["scale"]).sum(), "parts": (h, h > 0.5)}

    wengert.check_gradients(network, layers, np.array([1.0, -2.0]))


def test_tensors_are_arguments_and_values() -> None:
    weights = Tensor(np.array([1.0, 2.0]), requires_grad=True)
    wengert.check_gradients(lambda x: wengert.exp(x * weights), Tensor(np.array([0.5, -0.5])))


def test_a_small_argument_of_a_logarithm_is_not_stepped_over() -> None:
    wengert.check_gradients(wengert.log, 1e-3)
    wengert.check_gradients(lambda x, y: wengert.log(x) * y, 1e-3, 1e3)


def test_a_wrong_partial_is_named(faulty: Any) -> None:
    faulty("atan2", *(lambda a, b, y: a * 0 + 7.0 for _ in range(2)))
    second = np.array([False, True])
    with pytest.raises(
        GradientMismatch, match=r"first derivative in forward mode, argument 1, entry \[1\], .* entry \[1\]"
    ) as found:
        wengert.check_gradients(
            lambda a, b: a + wengert.where(second, wengert.atan2(2.0, b), b),
            np.zeros(2),
            np.array([1.0, 3.0]),
        )
    assert found.value.found == 7.0
    assert found.value.expected == pytest.approx(-2 / 13)
    assert (found.value.mode, found.value.order) == ("forward", 1)


def test_a_wrong_second_derivative_is_named(faulty: Any) -> None:
    # its value is right, and its derivative hides the argument from the second sweep
    faulty("square", lambda x, y: 2 * wengert.stop_gradient(x))
    with pytest.raises(GradientMismatch, match="second derivative in forward mode, argument 0") as found:
        wengert.check_gradients(wengert.square, 3.0)
    assert found.value.order == 2
    wengert.check_gradients(wengert.square, 3.0, order=1)


def test_reverse_that_disagrees_with_forward_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(TABLE["cumsum"], "transpose", lambda g, x, *, axis: wengert.cumsum(g, axis=axis))
    with pytest.raises(GradientMismatch, match="reverse mode, argument 0, entry \\[0\\]") as found:
        wengert.check_gradients(lambda x: wengert.cumsum(x, axis=0), np.array([1.0, 2.0, 3.0]))
    assert found.value.reference == "forward mode"


def test_a_rule_that_is_wrong_in_one_of_many_entries_is_seen() -> None:
    f = wengert.custom_jvp(lambda x: x * x)
    last = np.arange(5000) == 4999
    f.defjvp(
        lambda primals, tangents: (f(primals[0]), wengert.where(last, 0.0, 2.0) * primals[0] * tangents[0])
    )
    assert last.size > ENTRIES
    with pytest.raises(GradientMismatch, match="a direction through every entry"):
        wengert.check_gradients(f, np.linspace(1.0, 2.0, 5000), order=1)


def test_a_nan_is_no_agreement() -> None:
    with pytest.raises(GradientMismatch):
        wengert.check_gradients(lambda x: x * wengert.log(-x * x), 2.0)


def test_tolerances_are_the_callers(faulty: Any) -> None:
    faulty("sin", lambda x, y: wengert.cos(x) * 1.001)
    wengert.check_gradients(wengert.sin, 0.5, order=1, rtol=0.01)
    with pytest.raises(GradientMismatch):
        wengert.check_gradients(wengert.sin, 0.5, order=1)


def test_arguments_that_have_no_derivative_are_refused() -> None:
    with pytest.raises(TypeError, match="argument 1: expected floating-point numbers or arrays, got int64"):
        wengert.check_gradients(lambda x, y: x * y, 1.0, np.array([1, 2]))


def test_wrong_order_and_mode() -> None:
    with pytest.raises(ValueError, match="order should be 1 or more, got 0"):
        wengert.check_gradients(wengert.sin, 1.0, order=0)
    with pytest.raises(ValueError, match="'forward', 'reverse' or both"):
        wengert.check_gradients(wengert.sin, 1.0, modes=["backward"])
