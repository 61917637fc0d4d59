"""Worksheets for the tests of their readers: made by hand, and one of a training step."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import numpy as np

import wengert
from wengert import nn, optim
from wengert.worksheets.worksheet import Formula, Row, Worksheet

SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
EXPRESSION = "(x1*x2*sin(x3) + exp(x1*x2)) / x3"


def label(number: int) -> Formula:
    return Formula(f"v{number}".translate(SUBSCRIPTS), f"v_{{{number}}}")


def input_row(number: int, name: str, value: Any, **fields: Any) -> Row:
    return Row(number, label(number), name, "input", (), Formula(name, name), value, **fields)


def _formula(text: str) -> Formula:
    """The LaTeX of formulas such as ``v̄₆·cos(v₀)``, as far as these tests need it."""
    plain = text.translate(str.maketrans("₋₀₁₂₃₄₅₆₇₈₉", "-0123456789"))
    out, i = "", 0
    while i < len(plain):
        if plain[i] == "v":
            accent = {"\u0304": r"\bar{v}", "\u0307": r"\dot{v}"}.get(plain[i + 1 : i + 2], "v")
            i += 1 if accent == "v" else 2
            end = i + 1
            while end < len(plain) and plain[end] in "-0123456789":
                end += 1
            out += f"{accent}_{{{plain[i:end]}}}"
            i = end
        else:
            out += {"·": r" \cdot ", "²": "^{2}"}.get(plain[i], plain[i])
            i += 1
    return Formula(text, out.replace("sin", r"\sin").replace("cos", r"\cos").replace("exp", r"\exp"))


def m6(mode: str) -> Worksheet:
    """Row M6 and M7 of the source documents: f at (1, 1.5, 2), forward by x2 or reverse."""
    inputs = {-2: ("x1", 1.0), -1: ("x2", 1.5), 0: ("x3", 2.0)}
    v1 = 1.5
    v2 = math.sin(2.0)
    v3 = v1 * v2
    v4 = math.exp(v1)
    v5 = v3 + v4
    v6 = v5 / 2.0
    steps = [
        (1, "multiply", (-2, -1), "v₋₂·v₋₁", v1),
        (2, "sin", (0,), "sin(v₀)", v2),
        (3, "multiply", (1, 2), "v₁·v₂", v3),
        (4, "exp", (1,), "exp(v₁)", v4),
        (5, "add", (3, 4), "v₃ + v₄", v5),
        (6, "divide", (5, 0), "v₅/v₀", v6),
    ]
    if mode == "forward":
        derivatives = _tangents(v2, v4)
        gradient = {"x2": derivatives[6][1]}
    else:
        derivatives = _adjoints(v1, v2, v4, v5)
        gradient = {name: derivatives[number][1] for number, (name, _) in inputs.items()}
    part = "tangent" if mode == "forward" else "adjoint"

    def derivative(number: int) -> dict[str, Any]:
        text, value = derivatives[number]
        return {f"{part}_formula": _formula(text) if text else None, part: value}

    rows = [input_row(number, name, value, **derivative(number)) for number, (name, value) in inputs.items()]
    rows += [
        Row(number, label(number), "", op, args, _formula(text), value, **derivative(number))
        for number, op, args, text, value in steps
    ]
    wrt = ("x2",) if mode == "forward" else ("x1", "x2", "x3")
    return Worksheet(EXPRESSION, mode, "float", wrt, tuple(rows), v6, gradient, output=6)


def _tangents(v2: float, v4: float) -> dict[int, tuple[str, float]]:
    t3, t4 = v2, v4
    return {
        -2: ("", 0.0),
        -1: ("", 1.0),
        0: ("", 0.0),
        1: ("v₋₂·v̇₋₁", 1.0),
        2: ("cos(v₀)·v̇₀", 0.0),
        3: ("v̇₁·v₂ + v₁·v̇₂", t3),
        4: ("v₄·v̇₁", t4),
        5: ("v̇₃ + v̇₄", t3 + t4),
        6: ("(v̇₅ - v₆·v̇₀)/v₀", (t3 + t4) / 2.0),
    }


def _adjoints(v1: float, v2: float, v4: float, v5: float) -> dict[int, tuple[str, float]]:
    b5 = 0.5
    b1 = b5 * v2 + b5 * v4
    return {
        6: ("", 1.0),
        5: ("v̄₆/v₀", b5),
        4: ("v̄₅", b5),
        3: ("v̄₅", b5),
        2: ("v̄₃·v₁", b5 * v1),
        1: ("v̄₃·v₂ + v̄₄·v₄", b1),
        0: ("-v̄₆·v₅/v₀² + v̄₂·cos(v₀)", -v5 / 4.0 + b5 * v1 * math.cos(2.0)),
        -1: ("v̄₁·v₋₂", b1),
        -2: ("v̄₁·v₋₁", b1 * 1.5),
    }


def one_row(value: Any, name: str = "x", numbers: str = "float", **fields: Any) -> Worksheet:
    """A reverse sheet of a single input."""
    row = input_row(0, name, value, adjoint=fields.pop("adjoint", 1.0), **fields)
    notes: Sequence[str] = [f"note {index}" for index in row.notes]
    return Worksheet(
        name, "reverse", numbers, (name,), (row,), value, {name: row.adjoint}, 0, footnotes=tuple(notes)
    )


def training_step() -> Worksheet:
    """w ← w - 0.1·w̄ after f = relu(w·x), at the kink."""
    rows = (
        Row(
            -1, label(-1), "w", "parameter", (), Formula("w", "w"), 0.0,
            adjoint_formula=Formula("v̄₁·v₀", r"\bar{v}_{1} \cdot v_{0}"), adjoint=0.0,
            update_formula=Formula("v₋₁ - 0.1·v̄₋₁", r"v_{-1} - 0.1 \cdot \bar{v}_{-1}"), update=0.0,
        ),
        input_row(0, "x", 2.0, adjoint_formula=Formula("v̄₁·v₋₁", r"\bar{v}_{1} \cdot v_{-1}"), adjoint=0.0),
        Row(
            1, label(1), "", "multiply", (-1, 0), _formula("v₋₁·v₀"), 0.0,
            adjoint_formula=Formula("0", "0"), adjoint=0.0,
        ),
        Row(2, label(2), "", "relu", (1,), Formula("relu(v₁)", r"\mathrm{relu}(v_{1})"), 0.0,
            adjoint=1.0, notes=(0,)),
    )  # fmt: skip
    note = "relu′(0) = 0 was chosen at the kink (v₂)"
    return Worksheet("relu(w*x)", "reverse", "float", ("w",), rows, 0.0, {"w": 0.0}, 2, footnotes=(note,))


def network() -> Worksheet:
    """A small layer over arrays, with a large one among them, as row M8 has them."""
    import numpy as np

    rng = np.random.default_rng(0)
    w, x, y = rng.normal(size=(3, 4)), rng.normal(size=(4, 50)), rng.normal(size=(3, 50))
    r = w @ x - y
    loss = 0.5 * float((r * r).sum())
    rows = (
        Row(-2, label(-2), "W", "parameter", (), Formula("W", "W"), w,
            adjoint_formula=Formula("v̄₁ @ v₋₁ᵀ", r"\bar{v}_{1} v_{-1}^{\top}"), adjoint=r @ x.T),
        input_row(-1, "X", x,
                  adjoint_formula=Formula("v₋₂ᵀ @ v̄₁", r"v_{-2}^{\top} \bar{v}_{1}"), adjoint=w.T @ r),
        input_row(0, "Y", y, adjoint_formula=Formula("-v̄₂", r"-\bar{v}_{2}"), adjoint=-r),
        Row(1, label(1), "hidden", "matmul", (-2, -1), Formula("v₋₂ @ v₋₁", "v_{-2} v_{-1}"), w @ x,
            adjoint_formula=Formula("v̄₂", r"\bar{v}_{2}"), adjoint=r),
        Row(2, label(2), "", "subtract", (1, 0), Formula("v₁ - v₀", "v_{1} - v_{0}"), r,
            adjoint_formula=Formula("v̄₃·v₂", r"\bar{v}_{3} v_{2}"), adjoint=r),
        Row(3, label(3), "loss", "sum", (2,), Formula("0.5·sum(v₂²)", r"\tfrac12\sum v_{2}^2"), loss,
            adjoint=1.0),
    )  # fmt: skip
    return Worksheet("0.5*sum((W @ X - Y)^2)", "reverse", "float", ("W",), rows, loss, {"W": r @ x.T}, 3)


def a_training_step() -> Worksheet:
    """A step of a network in which one module holds others."""
    wengert.manual_seed(0)
    inner = nn.Sequential(nn.Linear(3, 2), nn.Tanh())
    model = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), inner, nn.Linear(2, 3))
    optimizer = optim.SGD(model.parameters(), lr=0.1)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    x = np.random.default_rng(0).standard_normal((5, 4)).astype(np.float32)
    return wengert.explain(step, x, np.array([0, 1, 2, 0, 1]), parameters=dict(model.named_parameters()))
