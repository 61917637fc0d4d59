"""Layers: their shapes, their errors, their randomness and their second derivatives."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.nn.dropout import dropout
from wengert.nn.embedding import embedding
from wengert.random import Generator


def test_a_wrong_shape_names_the_layer_and_both_shapes() -> None:
    with pytest.raises(
        ValueError, match=r"Linear\(in_features=3.*expected an input of shape \(…, 3\), got \(5, 2\)"
    ):
        nn.Linear(3, 1)(wengert.ones(5, 2))
    with pytest.raises(ValueError, match=r"Bilinear.*\(…, 2\) and \(…, 3\), got \(5, 2\) and \(5, 4\)"):
        nn.Bilinear(2, 3, 1)(wengert.ones(5, 2), wengert.ones(5, 4))
    with pytest.raises(ValueError, match=r"BatchNorm1d.*\(batch, 3\) or \(batch, 3, length\), got \(5, 2\)"):
        nn.BatchNorm1d(3)(wengert.ones(5, 2))
    with pytest.raises(ValueError, match=r"BatchNorm2d.*\(batch, 3, height, width\), got \(5, 3\)"):
        nn.BatchNorm2d(3)(wengert.ones(5, 3))
    with pytest.raises(ValueError, match=r"layer_norm: expected an input of shape \(…, 2, 3\), got \(3, 2\)"):
        nn.LayerNorm((2, 3))(wengert.ones(3, 2))
    with pytest.raises(ValueError, match=r"PReLU.*\(batch, 3, …\), got \(5, 2\)"):
        nn.PReLU(3)(wengert.ones(5, 2))


@pytest.mark.parametrize(
    ("build", "message"),
    [
        (lambda: nn.Linear(0, 1), "in_features: expected at least 1, got 0"),
        (lambda: nn.Linear(2, 1.5), "out_features: expected a whole number, got 1.5"),
        (lambda: nn.Embedding(3, 2, padding_idx=3), "padding_idx: expected a row of 3, got 3"),
        (lambda: nn.Dropout(1.5), "p: expected the probability of a zero, from 0 to 1, got 1.5"),
        (lambda: nn.GELU("sigmoid"), "approximate: expected 'none' or 'tanh', got 'sigmoid'"),
        (lambda: nn.Softplus(0), "beta: expected a positive number, got 0"),
        (lambda: nn.Hardtanh(1, 1), "expected min_val < max_val, got 1 and 1"),
        (lambda: nn.Embedding.from_pretrained([1.0, 2.0]), r"embeddings: expected a matrix"),
    ],
)
def test_wrong_settings_are_refused_by_name(build: Callable[[], Any], message: str) -> None:
    with pytest.raises((TypeError, ValueError), match=message):
        build()


def test_layers_take_plain_arrays_and_keep_their_dtype() -> None:
    x = np.ones((4, 3), np.float32)
    layers = (nn.Linear(3, 2), nn.ReLU(), nn.BatchNorm1d(2), nn.Dropout(0.5), nn.LayerNorm(2), nn.Flatten())
    model = nn.Sequential(*layers)
    assert str(model(x).dtype) == "float32"
    assert str(model.double()(x.astype("float64")).dtype) == "float64"


@pytest.mark.parametrize(
    ("layer", "shape"),
    [
        (nn.BatchNorm1d(3, dtype="float64"), (4, 3)),
        (nn.BatchNorm2d(2, dtype="float64"), (2, 2, 2, 1)),
        (nn.LayerNorm((2, 3), dtype="float64"), (2, 2, 3)),
        (nn.Bilinear(3, 3, 2, dtype="float64"), (4, 3)),
        (nn.PReLU(dtype="float64"), (2, 3)),
    ],
    ids=lambda value: type(value).__name__,
)
def test_layers_are_differentiable_twice(layer: nn.Module, shape: tuple[int, ...]) -> None:
    x = (np.arange(np.prod(shape)) * 7 % 11 / 4 - 1.3).reshape(shape)

    def f(v: Any) -> Any:
        y = layer(v, v) if isinstance(layer, nn.Bilinear) else layer(v)
        return (y * y * y).sum()

    wengert.check_gradients(f, x, order=2)


def test_dropout_draws_the_same_entries_for_the_same_seed() -> None:
    x = wengert.ones(200, 50)
    layer = nn.Dropout(0.3)
    wengert.manual_seed(5)
    first = layer(x).numpy()
    wengert.manual_seed(5)
    np.testing.assert_array_equal(layer(x).numpy(), first)
    assert set(np.unique(first).tolist()) == {0.0, np.float32(1 / 0.7).item()}
    assert abs((first == 0).mean() - 0.3) < 0.02
    np.testing.assert_array_equal(dropout(x, 0.3, generator=Generator(5)).numpy(), first)
    assert not np.array_equal(layer(x).numpy(), first)


def test_dropout_passes_gradients_where_entries_are_kept() -> None:
    x = wengert.ones(20, requires_grad=True)
    y = nn.Dropout(0.5, generator=Generator(0))(x)
    y.sum().backward()
    np.testing.assert_array_equal(x.grad.numpy(), y.detach().numpy())


def test_dropout_at_its_ends() -> None:
    x = wengert.ones(4)
    assert nn.Dropout(0.0)(x) is x
    assert nn.Dropout(0.5).eval()(x) is x
    assert nn.Dropout(1.0)(x).tolist() == [0.0] * 4


def test_embedding_refuses_what_is_no_row() -> None:
    layer = nn.Embedding(5, 2)
    with pytest.raises(IndexError, match="expected indices from 0 to 4, got 5"):
        layer(wengert.tensor([1, 5]))
    with pytest.raises(IndexError, match="got -1"):
        layer(wengert.tensor([-1]))
    with pytest.raises(TypeError, match="expected whole numbers as indices, got float32"):
        layer(wengert.tensor([1.0]))


def test_embedding_of_a_given_table() -> None:
    table = np.arange(6.0).reshape(3, 2)
    frozen = nn.Embedding.from_pretrained(table)
    assert frozen(np.array([2, 0])).tolist() == [[4.0, 5.0], [0.0, 1.0]]
    assert not frozen.weight.requires_grad
    table[0] = 9
    assert frozen.weight.tolist()[0] == [0.0, 1.0]
    assert nn.Embedding.from_pretrained(table, freeze=False).weight.requires_grad


def test_the_padding_row_is_zero_and_stays_there() -> None:
    layer = nn.Embedding(4, 3, padding_idx=-1)
    assert layer.weight.tolist()[3] == [0.0] * 3
    layer(wengert.tensor([3, 3, 1])).sum().backward()
    assert layer.weight.grad.tolist()[3] == [0.0] * 3
    assert layer.weight.grad.tolist()[1] == [1.0] * 3
    assert embedding(np.array([3]), layer.weight, 3).shape == (1, 3)


def test_batch_norm_needs_more_than_one_value_per_channel() -> None:
    layer = nn.BatchNorm1d(2)
    with pytest.raises(ValueError, match="training needs more than one value per channel"):
        layer(wengert.ones(1, 2))
    assert layer.eval()(wengert.ones(1, 2)).shape == (1, 2)


def test_batch_norm_follows_the_unbiased_variance() -> None:
    layer = nn.BatchNorm1d(1, momentum=None, dtype="float64")
    batches = np.random.default_rng(0).normal(3.0, 2.0, (10, 8, 1))
    for batch in batches:
        layer(wengert.tensor(batch))
    np.testing.assert_allclose(layer.running_mean.numpy(), batches.mean(axis=(0, 1)), rtol=1e-12)
    np.testing.assert_allclose(
        layer.running_var.numpy(), batches.var(axis=1, ddof=1).mean(axis=0), rtol=1e-12
    )
    assert layer.num_batches_tracked.item() == 10


def test_a_state_kept_during_training_does_not_change() -> None:
    layer = nn.BatchNorm1d(2)
    state = layer.state_dict()
    layer(wengert.tensor([[1.0, 2.0], [3.0, 5.0]]))
    assert state["running_mean"].tolist() == [0.0, 0.0]
    assert state["num_batches_tracked"].item() == 0


def test_extreme_inputs_stay_finite() -> None:
    x = wengert.tensor([[-1e30, -100.0, 0.0, 100.0, 1e30]], requires_grad=True)
    for layer in (
        nn.Softmax(),
        nn.LogSoftmax(),
        nn.Softplus(),
        nn.LogSigmoid(),
        nn.Sigmoid(),
        nn.ELU(),
        nn.SiLU(),
    ):
        x.grad = None
        y = layer(x)
        y.sum().backward()
        assert np.isfinite(y.detach().numpy()).all(), layer
        assert np.isfinite(x.grad.numpy()).all(), layer
