"""The functional forms: activations, one-hot codes, directions."""

from __future__ import annotations

import inspect
import math
from typing import Any

import numpy as np
import pytest

import wengert
import wengert.nn.functional as F
from wengert import tensor

X = np.array([[0.5, -2.0, 3.0], [1.0, 0.25, -0.75]])


def test_every_public_name_is_there() -> None:
    assert F.__all__ == sorted(F.__all__)
    assert all(callable(getattr(F, name)) for name in F.__all__)


@pytest.mark.parametrize(
    ("name", "settings"),
    [
        ("relu", {}),
        ("leaky_relu", {"negative_slope": 0.2}),
        ("elu", {"alpha": 0.5}),
        ("selu", {}),
        ("silu", {}),
        ("mish", {}),
        ("gelu", {}),
        ("gelu", {"approximate": "tanh"}),
        ("sigmoid", {}),
        ("tanh", {}),
        ("logsigmoid", {}),
        ("softplus", {}),
        ("softplus", {"beta": 2.0}),
        ("hardtanh", {"min_val": -0.5, "max_val": 0.75}),
        ("softmax", {"dim": 1}),
        ("softmax", {"dim": 0}),
        ("log_softmax", {"dim": 1}),
        ("normalize", {}),
        ("normalize", {"p": 1.0, "dim": 0}),
    ],
)
@pytest.mark.parity
def test_functions_of_pytorch(name: str, settings: dict[str, Any]) -> None:
    torch = pytest.importorskip("torch")
    theirs = torch.tensor(X, requires_grad=True)
    expected = getattr(torch.nn.functional, name)(theirs, **settings)
    expected.backward(torch.arange(6.0, dtype=torch.float64).reshape(2, 3))
    ours = tensor(X, requires_grad=True)
    found = getattr(F, name)(ours, **settings)
    found.backward(np.arange(6.0).reshape(2, 3))
    np.testing.assert_allclose(found.data, expected.detach(), rtol=1e-12)
    np.testing.assert_allclose(ours.grad.data, theirs.grad, rtol=1e-11, atol=1e-14)


def test_one_hot() -> None:
    codes = F.one_hot(tensor([[0, 2], [1, 1]]), num_classes=4)
    assert (codes.shape, codes.dtype) == ((2, 2, 4), np.dtype("int64"))
    assert codes.argmax(axis=-1).tolist() == [[0, 2], [1, 1]]
    assert F.one_hot(np.array([0, 2], "uint8")).tolist() == [[1, 0, 0], [0, 0, 1]]
    assert F.one_hot(tensor(3)).tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(
    ("indices", "classes", "error", "message"),
    [
        ([0, 5], 3, ValueError, "from 0 to 2, got 5"),
        ([0, -1], -1, ValueError, "got -1"),
        ([0.5], 3, TypeError, r"whole numbers as indices, got float32; pass indices.long\(\)"),
        (np.zeros(0, int), -1, ValueError, "pass num_classes"),
    ],
)
def test_one_hot_names_what_is_wrong(indices: Any, classes: int, error: Any, message: str) -> None:
    with pytest.raises(error, match=message):
        F.one_hot(tensor(indices), classes)


def test_directions() -> None:
    np.testing.assert_allclose(wengert.norm(F.normalize(X), axis=1), [1, 1])
    assert F.normalize(np.zeros((1, 3))).tolist() == [[0, 0, 0]]
    found = F.cosine_similarity(X, -2 * X)
    np.testing.assert_allclose(found, [-1, -1])
    assert F.cosine_similarity(X[0], X[1], dim=0) == pytest.approx(
        X[0] @ X[1] / math.sqrt((X[0] @ X[0]) * (X[1] @ X[1]))
    )
    assert F.cosine_similarity(X, 0 * X).tolist() == [0, 0]


@pytest.mark.parametrize(
    ("name", "first"),
    [
        ("linear", "x weight bias"),
        ("embedding", "indices weight"),
        ("mse_loss", "input target reduction"),
        ("cross_entropy", "input target weight ignore_index reduction label_smoothing"),
        ("binary_cross_entropy_with_logits", "input target weight reduction pos_weight"),
    ],
)
def test_arguments_come_in_pytorchs_order(name: str, first: str) -> None:
    words = list(inspect.signature(getattr(F, name)).parameters)
    assert words[: len(first.split())] == first.split()
