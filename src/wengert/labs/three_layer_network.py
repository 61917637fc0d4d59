"""Row M8: the value and the gradient at every node of a network of three layers."""

from __future__ import annotations

import inspect
from collections.abc import Iterator
from fractions import Fraction
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import at_most
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Table
from wengert.labs.references import Named, apart, exact_gradient, in_fractions, pytorch, said_of_pytorch
from wengert.labs.relu_network import WEIGHTS, by_hand, exact_value, in_pytorch, network, random_arrays
from wengert.labs.worksheet_items import graph_picture
from wengert.worksheets.worksheet import Row, Worksheet

SEED = 55272025
SHAPES = {"Y": (2, 50), "X": (5, 50), "W1": (4, 5), "W2": (3, 4), "W3": (2, 3)}
NODES = (*SHAPES, "V1", "V2", "V3", "V4", "V5", "D", "f")
CLOSE = 1e-6


def nodes_of(sheet: Worksheet) -> tuple[Named, Named]:
    """The value and the gradient of every named node."""
    return {name: sheet[name].v for name in NODES}, {name: sheet[name].g for name in NODES}


def written_out(arrays: Named) -> str:
    """Every entry to four decimals."""
    with np.printoptions(precision=4, suppress=True, linewidth=96, threshold=10_000, floatmode="fixed"):
        return "\n\n".join(f"{name} =\n{array}" for name, array in arrays.items())


def run(context: Context) -> Iterator[Item]:
    seed = SEED + context.seed
    data = random_arrays(seed, SHAPES)
    sheet = wengert.explain(network, *data.values())
    values, gradients = nodes_of(sheet)

    yield "Three layers with ReLU between them, fitted to 50 columns of data by squares:"
    yield Formula("f(W₁, W₂, W₃) = ½ ‖Y − W₃ σ(W₂ σ(W₁ X))‖²,  σ(z) = max(z, 0)")
    yield Formula("V₁ = W₁X,  V₂ = σ(V₁),  V₃ = W₂V₂,  V₄ = σ(V₃),  V₅ = W₃V₄,  D = Y − V₅,  f = ½‖D‖²")
    yield (
        f"All five matrices are drawn from the standard normal distribution, in the order Y, X, W₁, W₂, W₃, "
        f"by NumPy's np.random.seed({seed}). So f = {sheet.value:.4f}."
    )
    yield graph_picture("graph", "The computational graph", sheet)
    columns = ("line", "node", "formula", "shape", "formula of .g", "largest of .v", "largest of .g")
    title = "Every line: forwards for .v, backwards for .g, and the largest entries of both"
    yield Table(title, columns, [_line(row) for row in sheet.rows])
    yield Listing("Every .v, to four decimals", written_out(values))
    yield Listing("Every .g, to four decimals", written_out(gradients))

    yield (
        "Three comparisons follow. Backpropagation written by hand gives every node. In fractions, which do "
        "not round, the central difference of a weight is the derivative itself, because f is quadratic in "
        f"a single weight between the kinks. And autograd: {said_of_pytorch(torch := pytorch())}"
    )
    yield Listing("Backpropagation by hand", inspect.getsource(by_hand))
    hand_values, hand_gradients = by_hand(**data)
    exact = exact_gradient(exact_value, data, context.track(WEIGHTS, "weight in fractions"))
    found = {
        "by hand, .v": apart(values, hand_values),
        "by hand, .g": apart(gradients, hand_gradients),
        "in fractions, .g": apart({name: gradients[name] for name in WEIGHTS}, exact),
    }
    if torch is not None:
        torch_values, torch_gradients = in_pytorch(torch, data)
        found |= {
            "PyTorch, .v": apart(values, torch_values),
            "PyTorch, .g": apart(gradients, torch_gradients),
        }
    yield Table(
        "The largest difference from the engine's, relative to the node's largest entry",
        ("node", *found),
        [(name, *(column.get(name, "") for column in found.values())) for name in NODES],
    )
    for name, column in found.items():
        yield at_most(f"largest relative difference of any node, {name}", max(column.values()), CLOSE)
    exact_f = exact_value(**{name: in_fractions(array) for name, array in data.items()})
    f_error = float(abs(Fraction(float(sheet.value)) - exact_f) / exact_f)
    yield at_most("relative error of f, against its value in fractions", f_error, CLOSE)

    worst = max(max(column.values()) for column in found.values())
    peers = "by hand and in fractions" if torch is None else "by hand, in fractions and with PyTorch"
    yield (
        f"The forward pass gives f = {sheet.value:.4f}, and the backward pass the gradients with respect to "
        f"W₁, W₂ and W₃, whose largest entries are {_largest(gradients['W1']):.4f}, "
        f"{_largest(gradients['W2']):.4f} and {_largest(gradients['W3']):.4f}. Computed {peers}, every value "
        f"and gradient agrees: the largest relative difference is {worst:.1e}, a matter of rounding, where "
        f"{CLOSE:g} was asked for."
    )


def _line(row: Row) -> tuple[Any, ...]:
    name = "" if row.name == row.label.text else row.name
    shape = "×".join(map(str, row.shape)) or "a number"
    formulas = (row.formula.text, shape, str(row.adjoint_formula))
    return row.label.text, name, *formulas, _largest(row.v), _largest(row.g)


def _largest(array: object) -> float:
    return float(np.max(np.abs(np.asarray(array))))


LAB = Lab(
    name="three-layer-network",
    rows=("M8",),
    title="A network of three layers, node by node",
    question=(
        "For ½‖Y − W₃σ(W₂σ(W₁X))‖² with given random matrices: what is the value at every node, what is the "
        "gradient, and does an independent computation agree?"
    ),
    quick="nothing is left out, since the whole run takes seconds",
    run=run,
)
