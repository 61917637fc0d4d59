"""Rows M19 and M20: gradients of a network as formulas, as row vectors, and computed three ways."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

import wengert
from wengert.labs.claims import at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Table
from wengert.labs.references import Array, Named, apart, exact_gradient, pytorch, said_of_pytorch
from wengert.labs.relu_network import WEIGHTS, exact_value, in_pytorch, network, random_arrays
from wengert.numbers.mismatch import ShapeMismatch
from wengert.worksheets.worksheet import Worksheet

SEED = 5980
SHAPES = {"x": (2, 1), "y": (2, 1), "W1": (3, 2), "W2": (3, 3), "W3": (2, 3)}
ORDER = ("y", "x", "W1", "W2", "W3")
NODES = ("D", "V5", "V4", "V3", "V2", "V1")
EXPECTED = {
    "W3": "-D @ V4ᵀ",
    "W2": "-((W3ᵀ @ D) ⊙ [V3 > 0]) @ V2ᵀ",
    "W1": "-((W2ᵀ @ ((W3ᵀ @ D) ⊙ [V3 > 0])) ⊙ [V1 > 0]) @ xᵀ",
}
CLOSE = 1e-6


def by_formulas(x: Array, y: Array, W1: Array, W2: Array, W3: Array) -> Named:
    """The derived formulas, set in NumPy."""
    V1 = W1 @ x
    V2 = np.maximum(V1, 0)
    V3 = W2 @ V2
    V4 = np.maximum(V3, 0)
    V5 = W3 @ V4
    D = y - V5
    return {
        "W1": -((W2.T @ ((W3.T @ D) * (V3 > 0))) * (V1 > 0)) @ x.T,
        "W2": -((W3.T @ D) * (V3 > 0)) @ V2.T,
        "W3": -D @ V4.T,
    }


def multiplies(left: Array, right: Array) -> str:
    """Whether the product exists, and what the engine says if not."""
    try:
        wengert.Tensor(left) @ wengert.Tensor(right)
    except ShapeMismatch as mismatch:
        return f"no: {mismatch}"
    return "yes"


def backward_steps(data: Named, v: Named) -> list[tuple[str, str, Callable[[Any], Any], str, Array]]:
    """For each node, backwards: the node that reads it, how, the rule for .d, and what the rule gives."""
    d = {"D": v["D"].T}
    d["V5"] = -d["D"]
    d["V4"] = d["V5"] @ data["W3"]
    d["V3"] = d["V4"] * (v["V3"] > 0).T
    d["V2"] = d["V3"] @ data["W2"]
    d["V1"] = d["V2"] * (v["V1"] > 0).T
    d["W3"], d["W2"], d["W1"] = d["V5"].T @ v["V4"].T, d["V3"].T @ v["V2"].T, d["V1"].T @ data["x"].T
    relu = wengert.relu
    return [
        ("V5", "D", lambda V: data["y"] - V, "V₅.d = −D.d", d["V5"]),
        ("W3", "V5", lambda W: W @ v["V4"], "W₃.d = (V₅.d)ᵀ V₄ᵀ", d["W3"]),
        ("V4", "V5", lambda V: data["W3"] @ V, "V₄.d = V₅.d W₃", d["V4"]),
        ("V3", "V4", relu, "V₃.d = V₄.d ⊙ [V₃ > 0]ᵀ", d["V3"]),
        ("W2", "V3", lambda W: W @ v["V2"], "W₂.d = (V₃.d)ᵀ V₂ᵀ", d["W2"]),
        ("V2", "V3", lambda V: data["W2"] @ V, "V₂.d = V₃.d W₂", d["V2"]),
        ("V1", "V2", relu, "V₁.d = V₂.d ⊙ [V₁ > 0]ᵀ", d["V1"]),
        ("W1", "V1", lambda W: W @ data["x"], "W₁.d = (V₁.d)ᵀ xᵀ", d["W1"]),
    ]


def compared_steps(sheet: Worksheet, data: Named) -> tuple[list[tuple[Any, ...]], float]:
    """A row for each backward step, and the largest difference between rule, product and Jacobian."""
    rows, largest = [], 0.0
    for node, reader, step, rule, by_rule in backward_steps(data, {name: sheet[name].v for name in NODES}):
        _, pull = wengert.vjp(step, sheet[node].v)
        (product,) = pull(sheet[reader].g)
        jacobian = wengert.jacobian(step)(sheet[node].v)
        contracted = np.tensordot(sheet[reader].g, jacobian, axes=2)
        by_product, by_jacobian = (_as_derivative(found, sheet[node].d) for found in (product, contracted))
        differences = [
            max(apart({node: found}, {node: by_rule}).values())
            for found in (sheet[node].d, by_product, by_jacobian)
        ]
        shapes = ("×".join(map(str, np.shape(array))) for array in (by_rule, jacobian))
        rows.append((rule, *shapes, *differences))
        largest = max(largest, *differences)
    return rows, largest


def _as_derivative(gradient: Array, derivative: Array) -> Array:
    """The gradient in the row convention: of a column the transpose, of a matrix itself."""
    return gradient if gradient.shape == derivative.shape else gradient.T


def run(context: Context) -> Iterator[Item]:
    seed = SEED + context.seed
    data = random_arrays(seed, SHAPES)
    arguments = [data[name] for name in ORDER]
    sheet = wengert.explain(network, *arguments, names=ORDER)

    yield "A network of three layers with ReLU between them, and a single column of data:"
    yield Formula("f(W₁, W₂, W₃) = ½ ‖y − W₃ σ(W₂ σ(W₁ x))‖²,  σ(z) = max(z, 0),  x, y ∈ ℝ²")
    yield Formula("V₁ = W₁x,  V₂ = σ(V₁),  V₃ = W₂V₂,  V₄ = σ(V₃),  V₅ = W₃V₄,  D = y − V₅")
    first = multiplies(np.ones((2, 3)), data["x"])
    last = multiplies(np.ones((3, 2)), sheet["V4"].v)
    yield (
        "The exercise prints W₁ ∈ ℝ²ˣ³ and W₃ ∈ ℝ³ˣ². With columns these products do not exist: for W₁x the "
        f"engine answers “{first.removeprefix('no: ')}”, for W₃V₄ “{last.removeprefix('no: ')}”. Both "
        "matrices are meant transposed, so that W₁ is 3×2 and W₃ is 2×3 here; W₂ is 3×3 either way."
    )
    yield equals("can the printed 2×3 matrix W₁ multiply x ∈ ℝ²?", first.partition(":")[0], "no")
    yield equals("can the printed 3×2 matrix W₃ multiply V₄ ∈ ℝ³?", last.partition(":")[0], "no")

    yield "The formulas are derived by running reverse mode on symbols for the matrices:"
    found = wengert.derive(network, *arguments, wrt=WEIGHTS, names=ORDER)
    for name in reversed(WEIGHTS):
        yield Formula(f"∇_{name} f = {found[name]}")
    yield "Here ⊙ multiplies entry by entry, @ multiplies matrices, and [V > 0] is 1 where V > 0 and else 0."
    for name, text in EXPECTED.items():
        yield equals(f"∇_{name} f, as derived", found[name].text, text)
    yield Listing("The same in LaTeX", found.to_latex())

    live = [f"{int((sheet[name].v > 0).sum())} of {sheet[name].v.size}" for name in ("V1", "V3")]
    yield (
        f"The numbers come from NumPy's np.random.seed({seed}) in the order x, y, W₁, W₂, W₃; {live[0]} "
        f"units of the first layer and {live[1]} of the second let their value through. A gradient .g has "
        "the shape of its variable. The derivative .d of a column is a row: it multiplies a small change "
        "from the left."
    )
    shapes = [(n, *("×".join(map(str, part.shape)) for part in (sheet[n].g, sheet[n].d))) for n in NODES]
    yield Table("The two conventions", ("node", "shape of .g", "shape of .d"), shapes)
    yield equals("the shapes of the .d of columns", sorted({row[-1] for row in shapes}), ["1×2", "1×3"])
    turned = max(max(apart({n: sheet[n].d}, {n: sheet[n].g.T}).values()) for n in NODES)
    yield equals("largest difference of .d from the transposed .g", turned, 0.0)
    to_D = max(apart({"D": sheet["D"].d}, {"D": sheet["D"].v.T}).values())
    yield at_most("D.d = (D.v)ᵀ: relative difference", to_D, CLOSE)

    yield (
        "Each step backwards multiplies a known row with a Jacobian. For a step that reads a matrix, that "
        "Jacobian has four indices, and it is never formed: the product is the derivative of one number."
    )
    yield Formula("vᵀ J_h(x) = ∂/∂x ⟨v, h(x)⟩")
    rows, largest = compared_steps(sheet, data)
    columns = ("rule", "shape of .d", "shape of the Jacobian", "reverse mode", "wengert.vjp", "full Jacobian")
    yield Table("Every backward step: relative difference of the rule from three computations", columns, rows)
    yield at_most("largest relative difference of any backward step", largest, CLOSE)

    yield (
        "Now the three-way comparison: the formulas set in NumPy, reverse mode on numbers, and an "
        "independent judge. Differences in fractions are exact here, because f is quadratic in a single "
        f"weight. {said_of_pytorch(torch := pytorch())}"
    )
    yield Listing("The formulas in NumPy", inspect.getsource(by_formulas))
    ways = {"formulas": by_formulas(**data), "reverse mode": {name: sheet[name].g for name in WEIGHTS}}
    renamed = {"Y": data["y"], "X": data["x"], **{name: data[name] for name in WEIGHTS}}
    ways["fractions"] = exact_gradient(exact_value, renamed, WEIGHTS)
    if torch is not None:
        gradients = in_pytorch(torch, renamed)[1]
        ways["PyTorch"] = {name: gradients[name] for name in WEIGHTS}
    yield Table("Every entry of the three gradients", ("entry", *ways), _entries(ways))
    names = list(ways)
    pairs = [(a, b) for k, a in enumerate(names) for b in names[k + 1 :]]
    together = {pair: max(apart(ways[pair[0]], ways[pair[1]]).values()) for pair in pairs}
    for (one, other), difference in together.items():
        yield at_most(f"{one} against {other}: largest relative difference", difference, CLOSE)

    judges = "the differences in fractions" + (" and PyTorch" if torch is not None else "")
    yield (
        f"The machine derives ∇_W3 f = {found['W3']}, and from it, one layer deeper each, the formulas for "
        f"W₂ and W₁. As numbers they agree with reverse mode, {judges}: over all 21 entries the largest "
        f"relative difference is {max(together.values()):.1e}. In the row convention every rule is the "
        "transpose of the gradient's, and a weight's derivative is an outer product of a row that came back "
        "and a column that went forward."
    )


def _entries(ways: dict[str, Named]) -> list[tuple[Any, ...]]:
    rows = []
    for name in WEIGHTS:
        for row, column in np.ndindex(SHAPES[name]):
            numbers = (f"{float(found[name][row, column]) + 0.0:.6f}" for found in ways.values())
            rows.append((f"{name}[{row + 1}, {column + 1}]", *numbers))
    return rows


LAB = Lab(
    name="analytic-gradients",
    rows=("M19", "M20"),
    title="The gradient of a network as formulas",
    question=(
        "What are ∇f by W₁, W₂ and W₃ of ½‖y − W₃σ(W₂σ(W₁x))‖² as formulas, what is each backward step as a "
        "product of a row and a Jacobian, and do formulas, reverse mode and an independent judge agree?"
    ),
    quick="nothing is left out, since the whole run takes a moment",
    run=run,
)
