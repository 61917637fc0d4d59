"""Starting values have PyTorch's distributions, and come from the generator that is asked."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.nn import init
from wengert.random import Generator

UNIFORM = {
    "uniform_": (lambda w, g: init.uniform_(w, -2.0, 3.0, generator=g), -2.0, 3.0),
    "xavier_uniform_": (lambda w, g: init.xavier_uniform_(w, 2.0, g), -math.sqrt(0.08), math.sqrt(0.08)),
    "kaiming_uniform_": (
        lambda w, g: init.kaiming_uniform_(w, nonlinearity="relu", generator=g),
        -math.sqrt(6 / 200),
        math.sqrt(6 / 200),
    ),
    "kaiming_uniform_fan_out": (
        lambda w, g: init.kaiming_uniform_(w, a=math.sqrt(5), mode="fan_out", generator=g),
        -1 / math.sqrt(100),
        1 / math.sqrt(100),
    ),
}
NORMAL = {
    "normal_": (lambda w, g: init.normal_(w, 1.0, 2.0, g), 1.0, 2.0),
    "xavier_normal_": (lambda w, g: init.xavier_normal_(w, generator=g), 0.0, math.sqrt(2 / 300)),
    "kaiming_normal_": (lambda w, g: init.kaiming_normal_(w, generator=g), 0.0, math.sqrt(2 / 200)),
}
Fill = Callable[[Any, Generator], Any]


@pytest.mark.parametrize(("fill", "low", "high"), UNIFORM.values(), ids=UNIFORM)
def test_even_numbers_fill_their_interval(fill: Fill, low: float, high: float) -> None:
    w = nn.Parameter(np.zeros((100, 200)))
    assert fill(w, Generator(0)) is w
    values = w.detach().numpy()
    assert low <= values.min() < low + 0.001 * (high - low)
    assert high - 0.001 * (high - low) < values.max() <= high
    assert abs(values.mean() - (low + high) / 2) < 0.01 * (high - low)


@pytest.mark.parametrize(("fill", "mean", "std"), NORMAL.values(), ids=NORMAL)
def test_gaussian_numbers_have_their_moments(fill: Fill, mean: float, std: float) -> None:
    values = fill(nn.Parameter(np.zeros((100, 200))), Generator(0)).detach().numpy()
    assert abs(values.mean() - mean) < 0.03 * std
    assert abs(values.std() / std - 1) < 0.03


def test_a_window_counts_as_inputs_and_outputs() -> None:
    assert init.fans(wengert.zeros(8, 4, 3, 3)) == (36, 72)
    with pytest.raises(ValueError, match=r"at least two axes, got shape \(3,\)"):
        init.xavier_uniform_(wengert.zeros(3))


def test_linear_layers_start_as_in_pytorch() -> None:
    layer = nn.Linear(25, 400, generator=Generator(1))
    for parameter in (layer.weight, layer.bias):
        values = parameter.detach().numpy()
        assert 0.19 < abs(values).max() <= 0.2
        assert abs(values.std() - 0.2 / math.sqrt(3)) < 0.01


@pytest.mark.parametrize("shape", [(5, 3), (3, 5), (4, 2, 3)])
def test_orthogonal_rows_or_columns(shape: tuple[int, ...]) -> None:
    w = init.orthogonal_(wengert.zeros(*shape, dtype="float64"), gain=2.0, generator=Generator(0)).numpy()
    matrix = w.reshape(shape[0], -1)
    smaller = matrix @ matrix.T if matrix.shape[0] <= matrix.shape[1] else matrix.T @ matrix
    np.testing.assert_allclose(smaller, 4 * np.eye(len(smaller)), atol=1e-12)


def test_truncated_numbers_stay_inside() -> None:
    values = init.trunc_normal_(wengert.zeros(10_000), 0.5, 1.0, -0.5, 1.0, generator=Generator(0)).numpy()
    assert -0.5 <= values.min() < -0.49
    assert 0.99 < values.max() <= 1.0
    with pytest.raises(ValueError, match="hardly any of its mass"):
        init.trunc_normal_(wengert.zeros(2), 0.0, 1.0, 9.0, 10.0)


def test_constants() -> None:
    assert init.eye_(wengert.zeros(2, 3)).tolist() == [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]]
    assert init.ones_(wengert.zeros(2)).tolist() == [1.0, 1.0]
    assert init.zeros_(nn.Parameter([3.0])).tolist() == [0.0]
    with pytest.raises(ValueError, match="eye_: expected a matrix"):
        init.eye_(wengert.zeros(2))


def test_gains() -> None:
    expected = {"linear": 1, "sigmoid": 1, "tanh": 5 / 3, "relu": math.sqrt(2), "selu": 0.75}
    for name, gain in expected.items():
        assert init.calculate_gain(name) == gain
    assert init.calculate_gain("leaky_relu", 1.0) == 1.0
    with pytest.raises(ValueError, match=r"nonlinearity: expected one of .*, got 'softmax'"):
        init.calculate_gain("softmax")
    with pytest.raises(ValueError, match="mode: expected 'fan_in' or 'fan_out', got 'fan'"):
        init.kaiming_normal_(wengert.zeros(2, 2), mode="fan")


def test_the_same_seed_starts_the_same_model() -> None:
    def build() -> Any:
        wengert.manual_seed(7)
        return nn.Sequential(nn.Linear(3, 4), nn.Embedding(5, 2)).state_dict()

    first, second = build(), build()
    for key, value in first.items():
        np.testing.assert_array_equal(value.numpy(), second[key].numpy())
    assert str(nn.Linear(2, 2).weight.dtype) == "float32"
    assert str(nn.Linear(2, 2, dtype="float64").weight.dtype) == "float64"


@pytest.mark.parity
def test_gains_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    for name in ("linear", "conv2d", "sigmoid", "tanh", "relu", "leaky_relu", "selu"):
        assert init.calculate_gain(name) == torch.nn.init.calculate_gain(name)
