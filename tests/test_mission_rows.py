"""The source documents' numbers: worksheets and formulas whose values are printed there, or are PyTorch's."""

from __future__ import annotations

import json
import math
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest

import wengert
from wengert.scalar import SGD
from wengert.worksheets.worksheet import Worksheet

GOLDEN = json.loads((Path(__file__).parent / "data" / "network_golden.json").read_text())
Array = np.ndarray[Any, Any]

# M5, M6, M7: f = (x1 x2 sin x3 + e^(x1 x2)) / x3 at (1, 1.5, 2)

TEXTBOOK = "(x1*x2*sin(x3) + exp(x1*x2))/x3"
AT = (1.0, 1.5, 2.0)
VALUES = ["1.0000", "1.5000", "2.0000", "1.5000", "0.9093", "1.3639", "4.4817", "5.8456", "2.9228"]
TANGENTS = ["0.0000", "1.0000", "0.0000", "1.0000", "0.0000", "0.9093", "4.4817", "5.3910", "2.6955"]
ADJOINTS = ["4.0432", "2.6955", "-1.7735", "2.6955", "0.7500", "0.5000", "0.5000", "0.5000", "1.0000"]
EDGES = [(-2, 1), (-1, 1), (0, 2), (1, 3), (2, 3), (1, 4), (3, 5), (4, 5), (5, 6), (0, 6)]


def textbook(x1: Any, x2: Any, x3: Any) -> Any:
    return (x1 * x2 * wengert.sin(x3) + wengert.exp(x1 * x2)) / x3


def four_digits(values: Any) -> list[str]:
    return [f"{value:.4f}" for value in values]


def test_m5_the_graph_is_drawn() -> None:
    sheet = wengert.explain(TEXTBOOK, *AT)
    assert sorted((a, row.id) for row in sheet.rows for a in row.args) == sorted(EDGES)
    ElementTree.fromstring(sheet.to_svg())
    assert sheet.to_dot().count("->") == len(EDGES)
    assert sheet.to_mermaid().count("-->") == len(EDGES)


@pytest.mark.parametrize("f", [TEXTBOOK, textbook])
def test_m6_forward_mode(f: Any) -> None:
    sheet = wengert.explain(f, *AT, mode="forward", wrt="x2")
    assert [row.label.text for row in sheet.rows[:3]] == ["v₋₂", "v₋₁", "v₀"]
    assert four_digits(row.value for row in sheet.rows) == VALUES
    assert four_digits(row.tangent for row in sheet.rows) == TANGENTS
    assert (f"{sheet.value:.4f}", f"{sheet.gradient['x2']:.4f}") == ("2.9228", "2.6955")


@pytest.mark.parametrize("f", [TEXTBOOK, textbook])
def test_m7_reverse_mode(f: Any) -> None:
    sheet = wengert.explain(f, *AT, wrt="x2")
    assert four_digits(row.value for row in sheet.rows) == VALUES
    assert four_digits(row.adjoint for row in sheet.rows) == ADJOINTS  # all of them, whatever wrt is
    forward = wengert.explain(f, *AT, mode="forward", wrt="x2")
    assert sheet.gradient["x2"] == pytest.approx(forward.gradient["x2"], rel=1e-14)


# M8: a network of three layers


def network(Y: Any, X: Any, W1: Any, W2: Any, W3: Any) -> Any:
    V1 = W1 @ X
    V2 = wengert.relu(V1)
    V3 = W2 @ V2
    V4 = wengert.relu(V3)
    V5 = W3 @ V4
    D = Y - V5
    f = 0.5 * wengert.sum(D**2)
    return f


NODES = ["V1", "V2", "V3", "V4", "V5", "D", "f"]


def network_data() -> dict[str, Array]:
    numbers = np.random.RandomState(55272025)
    shapes = {"Y": (2, 50), "X": (5, 50), "W1": (4, 5), "W2": (3, 4), "W3": (2, 3)}
    return {name: numbers.randn(*shape) for name, shape in shapes.items()}


def test_m8_every_value_and_gradient_of_the_network() -> None:
    data = network_data()
    sheet = wengert.explain(network, *data.values())
    for name in [*data, *NODES]:
        known, row = GOLDEN["network"][name], sheet[name]
        assert row.shape == np.shape(known["v"])
        np.testing.assert_allclose(row.v, known["v"], rtol=1e-6)
        np.testing.assert_allclose(row.g, known["g"], rtol=1e-6, atol=1e-9)


def torch_nodes(data: dict[str, Array]) -> dict[str, Any]:
    torch = pytest.importorskip("torch", reason="parity needs PyTorch")
    n = {name: torch.tensor(value, requires_grad=True) for name, value in data.items()}
    first = n.get("X", n.get("x"))
    last = n.get("Y", n.get("y"))
    n["V1"] = n["W1"] @ first
    n["V2"] = torch.relu(n["V1"])
    n["V3"] = n["W2"] @ n["V2"]
    n["V4"] = torch.relu(n["V3"])
    n["V5"] = n["W3"] @ n["V4"]
    n["D"] = last - n["V5"]
    n["f"] = 0.5 * (n["D"] ** 2).sum()
    for node in n.values():
        node.retain_grad()
    n["f"].backward()
    return n


@pytest.mark.parity
def test_m8_against_pytorch() -> None:
    data = network_data()
    sheet = wengert.explain(network, *data.values())
    for name, node in torch_nodes(data).items():
        np.testing.assert_allclose(sheet[name].v, node.detach().numpy(), rtol=1e-12, atol=1e-12)
        np.testing.assert_allclose(sheet[name].g, node.grad.numpy(), rtol=1e-10, atol=1e-10)


# M19, M20: the same with one column, as formulas and as row vectors


def column_data() -> dict[str, Array]:
    # The document's W1 ∈ ℝ^(2×3) and W3 ∈ ℝ^(3×2) cannot multiply x ∈ ℝ²: they are transposed here.
    numbers = np.random.RandomState(5980)
    shapes = {"x": (2, 1), "y": (2, 1), "W1": (3, 2), "W2": (3, 3), "W3": (2, 3)}
    return {name: numbers.randn(*shape) for name, shape in shapes.items()}


def column_network(x: Any, y: Any, W1: Any, W2: Any, W3: Any) -> Any:
    V1 = W1 @ x
    V2 = wengert.relu(V1)
    V3 = W2 @ V2
    V4 = wengert.relu(V3)
    V5 = W3 @ V4
    D = y - V5
    f = 0.5 * wengert.sum(D**2)
    return f


FORMULAS = {
    "W3": "-D @ V4ᵀ",
    "W2": "-((W3ᵀ @ D) ⊙ [V3 > 0]) @ V2ᵀ",
    "W1": "-((W2ᵀ @ ((W3ᵀ @ D) ⊙ [V3 > 0])) ⊙ [V1 > 0]) @ xᵀ",
}
WHERE = {
    "V1": "W1 @ x",
    "V2": "relu(V1)",
    "V3": "W2 @ V2",
    "V4": "relu(V3)",
    "V5": "W3 @ V4",
    "D": "y - V5",
}


def by_formulas(x: Array, y: Array, W1: Array, W2: Array, W3: Array) -> dict[str, Array]:
    """The formulas above, set in NumPy by hand."""
    V1 = W1 @ x
    V2 = np.maximum(V1, 0)
    V3 = W2 @ V2
    V4 = np.maximum(V3, 0)
    D = y - W3 @ V4
    to_V3 = (W3.T @ D) * (V3 > 0)
    to_V1 = (W2.T @ to_V3) * (V1 > 0)
    return {"W3": -D @ V4.T, "W2": -to_V3 @ V2.T, "W1": -to_V1 @ x.T}


def test_m19_the_analytic_gradient_is_derived() -> None:
    found = wengert.derive(column_network, *column_data().values(), wrt=["W1", "W2", "W3"])
    assert {name: formula.text for name, formula in found.gradient.items()} == FORMULAS
    assert {name: formula.text for name, formula in found.where.items()} == WHERE
    assert r"W_{3}^{\mathsf T} D" in found["W2"].latex


def test_m20_formulas_equal_reverse_mode() -> None:
    data = column_data()
    formulas = by_formulas(**data)
    names = list(data)
    reverse = wengert.grad(column_network, argnums=tuple(range(5)))(*data.values())
    for name, formula in formulas.items():
        np.testing.assert_allclose(reverse[names.index(name)], formula, rtol=1e-12, atol=1e-14)
        np.testing.assert_allclose(GOLDEN["column"][name]["g"], formula, rtol=1e-6, atol=1e-9)


def test_m20_derivatives_of_columns_are_row_vectors() -> None:
    sheet = wengert.explain(column_network, *column_data().values())
    D = sheet["D"]
    assert D.v.shape == (2, 1)
    assert D.d.shape == (1, 2)
    np.testing.assert_allclose(D.d, D.v.T, rtol=1e-12)  # D.d = (D.v)ᵀ
    np.testing.assert_allclose(sheet["V5"].d, -D.v.T, rtol=1e-12)  # V5.d = -(D.v)ᵀ
    np.testing.assert_allclose(sheet["W3"].d, -D.v @ sheet["V4"].v.T, rtol=1e-12)  # W3.d = -D.v (V4.v)ᵀ
    assert sheet["W3"].d.shape == (2, 3)
    for name, known in GOLDEN["column"].items():
        np.testing.assert_allclose(sheet[name].g, known["g"], rtol=1e-6, atol=1e-9)


@pytest.mark.parity
def test_m20_against_pytorch() -> None:
    data = column_data()
    nodes = torch_nodes(data)
    for name, formula in by_formulas(**data).items():
        np.testing.assert_allclose(nodes[name].grad.numpy(), formula, rtol=1e-12, atol=1e-14)


# M26: two training steps by hand

NAMES = ["w0", "w1", "w2", "h0", "h1"]


def training_step(parameters: dict[str, Any], x: list[float], y: float) -> Callable[[], Any]:
    optimizer = SGD(list(parameters.values()), lr=0.05)

    def step() -> Any:
        w0, w1, w2, h0, h1 = parameters.values()
        a = wengert.relu(w0 + w1 * x[0] + w2 * x[1])
        prediction = h0 + h1 * a
        loss = (prediction - y) ** 2
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        return loss

    return step


def test_m26_two_steps_of_gradient_descent() -> None:
    parameters = {name: wengert.Scalar(1.0, requires_grad=True) for name in NAMES}
    first = training_step(parameters, [0.0, 1.0], 1.0)
    sheet = wengert.explain(first, parameters=parameters)
    check_step(sheet, 4.0, [4, 0, 4, 4, 8], [0.8, 1, 0.8, 0.8, 0.6])
    assert [p.data for p in parameters.values()] == [1.0] * 5  # explaining a step does not take it
    first()
    second = training_step(parameters, [1.0, 0.0], 0.0)
    sheet = wengert.explain(second, parameters=parameters)
    check_step(sheet, 3.5344, [2.256, 2.256, 0, 3.76, 6.768], [0.6872, 0.8872, 0.8, 0.612, 0.2616])
    assert "0.6872" in sheet.to_text(width=120)
    second()
    assert [round(p.item(), 4) for p in parameters.values()] == [0.6872, 0.8872, 0.8, 0.612, 0.2616]


def check_step(sheet: Worksheet, loss: float, gradients: list[float], updates: list[float]) -> None:
    assert sheet.value == pytest.approx(loss)
    assert [sheet[name].g for name in NAMES] == pytest.approx(gradients)
    assert [sheet.gradient[name] for name in NAMES] == pytest.approx(gradients)
    assert [sheet[name].update for name in NAMES] == pytest.approx(updates)
    for name in NAMES:
        row = sheet[name]
        assert row.update_formula is not None
        if row.g:
            assert row.update_formula.text.startswith(f"{row.label.text} - 0.05·")


# M27: binary cross entropy from logits


def test_m27_cross_entropy_by_its_logit() -> None:
    loss = "-y*log(sigmoid(z)) - (1-y)*log(1-sigmoid(z))"
    assert wengert.derive(loss, wrt="z")["z"].text == "σ(z) - y"
    assert wengert.derive("sigmoid(z)")["z"].text == "σ(z)·(1 - σ(z))"
    for z, y in ((-3.0, 0.0), (0.5, 1.0), (2.0, 0.25)):
        expected = 1 / (1 + math.exp(-z)) - y
        assert wengert.explain(loss, y, z, names=["y", "z"]).gradient["z"] == pytest.approx(expected)


# M29: the gradient of the squared norm, and what the mean minimises


def squared_norm(x: Any) -> Any:
    return wengert.norm(x) ** 2


def sum_of_squares(x: Any) -> Any:
    return wengert.sum(x * x)


def spread(mu: Any, xs: Any) -> Any:
    return wengert.sum((xs - mu) ** 2)


@pytest.mark.parametrize("f", [squared_norm, sum_of_squares])
def test_m29_the_gradient_of_the_squared_norm(f: Any) -> None:
    x = np.array([1.0, -2.0, 0.5])
    assert wengert.derive(f, x)["x"].text == "2·x"
    np.testing.assert_allclose(wengert.grad(f)(x), 2 * x)


def test_m29_the_mean_minimises_the_spread() -> None:
    points = np.random.RandomState(1).randn(7, 3)
    assert wengert.derive(spread, points[0], points, wrt="mu")["mu"].text == "-2·sum(xs - mu, axis=(0,))"
    np.testing.assert_allclose(wengert.grad(spread)(points.mean(axis=0), points), 0, atol=1e-13)


def test_m29_the_gradient_at_the_mean_is_exactly_zero() -> None:
    points = np.array([[0.1, 0.7], [0.2, -1.3], [0.4, 0.5]])
    exact = [[Fraction(str(entry)) for entry in row] for row in points]
    mean = [sum(column) / 3 for column in zip(*exact, strict=True)]
    sheet = wengert.explain(spread, mean_array(mean), points, wrt="mu", numbers="exact")
    assert [str(entry) for entry in sheet.gradient["mu"]] == ["0", "0"]
    by_hand = sum((x - m) ** 2 for row in exact for x, m in zip(row, mean, strict=True))
    assert str(sheet.value) == str(by_hand)


def mean_array(entries: list[Fraction]) -> Array:
    array = np.empty(len(entries), dtype=object)
    array[:] = entries
    return array


# M32: the ±1 network

PLUS_MINUS = {
    "W1": -1, "W2": 1, "W3": 1, "W4": -1, "b1": 1, "b2": 1, "b3": -1, "b4": 1,
    "O1": -1, "O2": -1, "O3": -1, "O4": 1, "bO": 1,
}  # fmt: skip
DERIVATIVES = {
    "W1": 0, "W2": -2, "W3": -2, "W4": 0, "b1": 0, "b2": -1, "b3": -1, "b4": 0,
    "O1": 0, "O2": 3, "O3": 1, "O4": 0, "bO": 1,
}  # fmt: skip


def plus_minus(W1, W2, W3, W4, b1, b2, b3, b4, O1, O2, O3, O4, bO, x=2):  # type: ignore[no-untyped-def]
    y = bO
    for W, b, O in ((W1, b1, O1), (W2, b2, O2), (W3, b3, O3), (W4, b4, O4)):  # noqa: E741 (the document's name)
        y = y + O * wengert.relu(W * x + b)
    return y


@pytest.mark.parametrize("numbers", ["float", "exact"])
def test_m32_all_thirteen_derivatives(numbers: str) -> None:
    sheet = wengert.explain(plus_minus, *PLUS_MINUS.values(), numbers=numbers)
    assert sheet.value == -3
    assert {name: int(value) for name, value in sheet.gradient.items()} == DERIVATIVES
    assert [row.name for row in sheet.rows[:13]] == list(PLUS_MINUS)
    assert any("relu" in note for note in sheet.footnotes)


def test_m32_the_loss_through_the_network() -> None:
    # ∇L = Σ 2 (f(xᵢ) - yᵢ) ∇f(xᵢ)
    data = [(2.0, 1.0), (-1.5, 0.5), (0.25, -2.0)]

    def loss(*theta: Any) -> Any:
        return sum((y - plus_minus(*theta, x=x)) ** 2 for x, y in data)

    theta = [float(v) for v in PLUS_MINUS.values()]
    expected = np.zeros(13)
    for x, y in data:
        sheet = wengert.explain(lambda *t, x=x: plus_minus(*t, x=x), *theta)
        expected += 2 * (sheet.value - y) * np.array(list(sheet.gradient.values()))
    found = wengert.explain(loss, *theta)
    np.testing.assert_allclose(list(found.gradient.values()), expected, rtol=1e-13)
