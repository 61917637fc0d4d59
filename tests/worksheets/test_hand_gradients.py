"""`compare_gradients`: backpropagation written by hand in code."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

import wengert
from wengert.labs.backprop_by_hand import name_parameters, names_by_hand, names_on_the_tape
from wengert.random import Generator
from wengert.worksheets.checks.hand_gradients import compare_gradients

Pairs = dict[str, tuple[Any, Any]]


@pytest.fixture(scope="module")
def network() -> tuple[Pairs, dict[str, Any]]:
    """The names model with batch normalisation: every gradient by hand with its tensor; the values."""
    generator = Generator(0)
    start = name_parameters(generator)
    x, y = generator.integers(0, 27, (32, 3)), generator.integers(0, 27, 32)
    values, adjoints = names_by_hand(x, y, start)
    leaves = {name: wengert.Tensor(array, requires_grad=True) for name, array in start.items()}
    tensors = names_on_the_tape(x, y, leaves)
    for tensor in tensors.values():
        tensor.retain_grad()
    tensors["loss"].backward()
    tensors |= leaves
    return {name: (array, tensors[name]) for name, array in adjoints.items()}, values


def test_right_gradients(network: tuple[Pairs, dict[str, Any]]) -> None:
    comparison = compare_gradients(network[0])
    assert comparison
    assert comparison.first is None
    assert {gradient.status for gradient in comparison.gradients} <= {"exact", "approximate"}
    assert all(gradient.difference < 1e-9 for gradient in comparison.gradients)


@pytest.mark.parametrize(
    ("name", "wrong", "kind", "words"),
    [
        ("counts", lambda p, v: p["probs"] / v["total"], "missing term", "the same all along axis 1"),
        ("a", lambda p, v: p["diff"], "missing term", "the same all along axis 0"),
        ("diff", lambda p, v: p["norm"] * v["inv"], "missing term", "a multiple of the value itself"),
        ("z", lambda p, v: p["z"] * 32, "factor", "the division by the 32 rows of a mean is missing"),
        ("C", lambda p, v: p["C"] / 2, "factor", "a factor of 2 is missing"),
        ("h", lambda p, v: -p["h"], "sign", "the sign is wrong"),
        ("W1", lambda p, v: p["W1"].T, "transpose", "a transpose is missing; then it is right"),
        ("b2", lambda p, v: p["z"], "missing term", "sum(axis=0); then it is right"),
        ("W2", lambda p, v: p["W2"] * 0, "missing term", "it is zero"),
        ("pre", lambda p, v: np.sin(p["pre"] * 1e4), "unknown", "no usual slip"),
    ],
)
def test_slips(network: tuple[Pairs, dict[str, Any]], name: str, wrong: Any, kind: str, words: str) -> None:
    pairs, values = network
    found = wrong({key: pair[0] for key, pair in pairs.items()}, values)
    comparison = compare_gradients({**pairs, name: (found, pairs[name][1])})
    assert not comparison
    assert [g.name for g in comparison.gradients if not g] == [name]
    slip = comparison[name].slip
    assert slip is not None
    assert (slip.kind, words in slip.words) == (kind, True), str(slip)


def test_a_forgotten_mask() -> None:
    x = wengert.tensor([[1.0, -2.0, 3.0, -4.0]], requires_grad=True)
    wengert.relu(x).sum().backward()
    slip = compare_gradients({"x": (np.ones((1, 4)), x)})["x"].slip
    assert slip is not None
    assert (slip.kind, "2 of 4 entries should be 0" in slip.words) == ("dropped factor", True)


def test_names_are_looked_up() -> None:
    w = wengert.tensor([1.0, 2.0], requires_grad=True)
    (w * w).sum().backward()
    dw = 2 * w.detach().numpy()
    depth = 3  # no gradient of anything
    comparison = compare_gradients(locals())
    assert [gradient.name for gradient in comparison.gradients] == ["w"]
    assert comparison["w"].status == "exact"
    assert (depth, dw.shape) == (3, (2,))


def test_the_table() -> None:
    w = wengert.tensor([1.0, 2.0], dtype="float64", requires_grad=True)
    (w * w).sum().backward()
    assert str(compare_gradients({"w": (np.array([1.0, 2.0]), w)})) == (
        "name  shape  verdict  largest difference  largest entry\n"
        "w     2      wrong                     2              4\n"
        "\n"
        "1 of 1 are wrong, w first:\n"
        "  w: likely slip, factor: a factor of 2 is missing"
    )


def test_tensors_of_pytorch() -> None:
    torch = pytest.importorskip("torch")
    w = torch.ones(2, 3, requires_grad=True)
    (w**2).sum().backward()
    assert compare_gradients({"dw": 2 * w.detach(), "w": w})


def test_what_cannot_be_compared() -> None:
    w = wengert.tensor([1.0], requires_grad=True)
    with pytest.raises(ValueError, match=r"w: the tensor has no gradient. Call loss.backward\(\) first"):
        compare_gradients({"w": (1.0, w)})
    with pytest.raises(ValueError, match="expected pairs such as"):
        compare_gradients({"w": 1.0})
    with pytest.raises(TypeError, match="expected a dict"):
        compare_gradients([1.0])  # type: ignore[arg-type]
