"""What the tour explains: a function of three inputs, and a network of three layers."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert import random
from wengert.ops.nn import relu
from wengert.ops.reduce import sum
from wengert.worksheets.derivation import Derivation
from wengert.worksheets.derive import derive
from wengert.worksheets.explain import explain
from wengert.worksheets.worksheet import Worksheet

TEXTBOOK = "(x1*x2*sin(x3) + exp(x1*x2))/x3"
AT = (1.0, 1.5, 2.0)
NETWORK = "f = ½‖Y - W3 @ relu(W2 @ relu(W1 @ X))‖²"
NETWORK_SEED = 55272025


def explain_textbook(mode: str) -> Worksheet:
    """The function in reverse mode, or in forward mode with respect to x2."""
    if mode == "forward":
        return explain(TEXTBOOK, *AT, mode="forward", wrt="x2")
    return explain(TEXTBOOK, *AT, mode="reverse")


def network_data() -> dict[str, Any]:
    """The arrays of the network: Y 2×50, X 5×50, W₁ 4×5, W₂ 3×4, W₃ 2×3, with standard normal entries."""
    generator = random.Generator(NETWORK_SEED)
    shapes = {"Y": (2, 50), "X": (5, 50), "W1": (4, 5), "W2": (3, 4), "W3": (2, 3)}
    return {name: generator.normal(extents, dtype=np.float64) for name, extents in shapes.items()}


def network(Y: Any, X: Any, W1: Any, W2: Any, W3: Any) -> Any:
    """½‖Y − W₃ σ(W₂ σ(W₁ X))‖², with σ = ReLU."""
    V1 = W1 @ X
    V2 = relu(V1)
    V3 = W2 @ V2
    V4 = relu(V3)
    V5 = W3 @ V4
    D = Y - V5
    return 0.5 * sum(D**2)


def explain_network() -> Worksheet:
    """Every value and every adjoint of the network."""
    return explain(network, *network_data().values(), wrt=["W1", "W2", "W3"])


def derive_network() -> Derivation:
    """The gradient of the network by its weights as formulas."""
    return derive(network, *network_data().values(), wrt=["W1", "W2", "W3"])
