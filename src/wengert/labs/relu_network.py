"""The network of three layers ½‖Y − W₃σ(W₂σ(W₁X))‖²: on wengert, by hand, in fractions, in PyTorch."""

from __future__ import annotations

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

import numpy as np

import wengert
from wengert.labs.references import Array, Named

WEIGHTS = ("W1", "W2", "W3")


def random_arrays(seed: int, shapes: Mapping[str, tuple[int, ...]]) -> Named:
    """Standard normal entries, in the order of the names, from NumPy's ``np.random.seed(seed)``."""
    numbers = np.random.RandomState(seed)
    return {name: numbers.randn(*shape) for name, shape in shapes.items()}


def network(Y: Any, X: Any, W1: Any, W2: Any, W3: Any) -> Any:
    """f = ½‖Y − W₃ σ(W₂ σ(W₁ X))‖², with σ = ReLU."""
    V1 = W1 @ X
    V2 = wengert.relu(V1)
    V3 = W2 @ V2
    V4 = wengert.relu(V3)
    V5 = W3 @ V4
    D = Y - V5
    f = 0.5 * wengert.sum(D**2)
    return f


def by_hand(Y: Array, X: Array, W1: Array, W2: Array, W3: Array) -> tuple[Named, Named]:
    """The value of every node, and the gradient of f with respect to each, written down by hand."""
    V1 = W1 @ X
    V2 = np.maximum(V1, 0)
    V3 = W2 @ V2
    V4 = np.maximum(V3, 0)
    V5 = W3 @ V4
    D = Y - V5
    f = np.sum(D**2) / 2

    D_g = D
    Y_g = D_g
    V5_g = -D_g
    W3_g = V5_g @ V4.T
    V4_g = W3.T @ V5_g
    V3_g = V4_g * (V3 > 0)
    W2_g = V3_g @ V2.T
    V2_g = W2.T @ V3_g
    V1_g = V2_g * (V1 > 0)
    W1_g = V1_g @ X.T
    X_g = W1.T @ V1_g

    values = {"Y": Y, "X": X, "W1": W1, "W2": W2, "W3": W3}
    values |= {"V1": V1, "V2": V2, "V3": V3, "V4": V4, "V5": V5, "D": D, "f": f}
    gradients = {"Y": Y_g, "X": X_g, "W1": W1_g, "W2": W2_g, "W3": W3_g, "V1": V1_g, "V2": V2_g}
    gradients |= {"V3": V3_g, "V4": V4_g, "V5": V5_g, "D": D_g, "f": np.ones_like(f)}
    return values, gradients


def exact_value(Y: Array, X: Array, W1: Array, W2: Array, W3: Array) -> Fraction:
    """f of arrays of fractions."""
    hidden = np.maximum(W2 @ np.maximum(W1 @ X, 0), 0)
    return Fraction(((Y - W3 @ hidden) ** 2).sum() / 2)


def in_pytorch(torch: Any, arrays: Mapping[str, Array]) -> tuple[Named, Named]:
    """The values and the gradients by PyTorch's autograd, in float64."""
    n = {name: torch.tensor(array, requires_grad=True) for name, array in arrays.items()}
    n["V1"] = n["W1"] @ n["X"]
    n["V2"] = torch.relu(n["V1"])
    n["V3"] = n["W2"] @ n["V2"]
    n["V4"] = torch.relu(n["V3"])
    n["V5"] = n["W3"] @ n["V4"]
    n["D"] = n["Y"] - n["V5"]
    n["f"] = 0.5 * (n["D"] ** 2).sum()
    for node in n.values():
        node.retain_grad()
    n["f"].backward()
    values = {name: node.detach().numpy() for name, node in n.items()}
    return values, {name: node.grad.numpy() for name, node in n.items()}
