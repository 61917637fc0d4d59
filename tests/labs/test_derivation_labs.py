"""The labs about graphs, derivations and calculations by hand: their claims hold, and they can fail."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.labs import (
    Claim,
    LabResult,
    Picture,
    Table,
    analytic_gradients,
    find_lab,
    kl_divergence,
    references,
    relu_network,
    relu_network_by_hand,
    run_lab,
    sigmoid_and_cross_entropy,
    three_layer_network,
    two_steps_by_hand,
)
from wengert.labs.artifacts import drawn
from wengert.labs.references import apart, exact_gradient
from wengert.labs.worksheet_items import graph_picture, step_table

GOLDEN = json.loads((Path(__file__).parents[1] / "data" / "network_golden.json").read_text())
COMPARED = ["three-layer-network", "analytic-gradients", "scalar-framework"]
OTHERS = [
    "computational-graph",
    "two-steps-by-hand",
    "sigmoid-and-cross-entropy",
    "kl-divergence",
    "least-squares-mean",
    "relu-network-by-hand",
]


@pytest.fixture
def without_pytorch(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine on which PyTorch is not installed."""
    real: Callable[[str], Any] = references.find_spec
    monkeypatch.setattr(references, "find_spec", lambda name: None if name == "torch" else real(name))


def run(name: str, **settings: Any) -> LabResult:
    """The result of a lab, where the packages that it draws and simplifies with are there."""
    for package in ("matplotlib", "sympy", "fast_sugiyama"):
        pytest.importorskip(package, reason="these labs draw and simplify")
    return run_lab(find_lab(name), **settings)


def failing(result: LabResult) -> list[Claim]:
    """The claims that do not hold."""
    return [claim for claim in result.claims if not claim.holds]


def words_of(result: LabResult) -> str:
    """All paragraphs and claims together."""
    claims = [claim.claim for claim in result.claims]
    return " ".join([*(item for item in result.items if isinstance(item, str)), *claims])


# -- all of them ---------------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_pytorch")
@pytest.mark.parametrize("name", COMPARED + OTHERS)
def test_every_claim_holds_without_pytorch(name: str) -> None:
    result = run(name, quick=True)
    assert not failing(result)
    assert ("PyTorch is not installed here" in words_of(result)) == (name in COMPARED)
    assert not any("PyTorch" in claim.claim for claim in result.claims)
    assert isinstance(result.items[-1], str), "a lab ends with its answer"
    for picture in (item for item in result.items if isinstance(item, Picture)):
        assert len(picture.description) > 40
        assert drawn(picture)


@pytest.mark.usefixtures("without_pytorch")
@pytest.mark.parametrize("name", ["analytic-gradients", *OTHERS[1:]])
@pytest.mark.parametrize("seed", [1, 4])
def test_the_claims_do_not_hang_on_the_seed(name: str, seed: int) -> None:
    assert not failing(run(name, quick=True, seed=seed))


@pytest.mark.slow
@pytest.mark.parity
@pytest.mark.parametrize("name", COMPARED)
def test_every_claim_holds_against_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch", reason="parity needs PyTorch")
    threads = torch.get_num_threads()
    result = run(name)
    assert not failing(result)
    assert any("PyTorch" in claim.claim for claim in result.claims)
    assert torch.get_num_threads() == threads


# -- what gradients are compared with ------------------------------------------------------------------------


def test_differences_in_fractions_are_exact_and_notice_a_kink() -> None:
    def squares(x: Any, w: Any) -> Any:
        return ((w @ x) ** 2).sum()

    arrays = {"x": np.array([0.1, -2.0]), "w": np.array([[1.5, 0.3], [0.0, 1.0]])}
    found = exact_gradient(squares, arrays, ["w"])
    np.testing.assert_allclose(found["w"], 2 * np.outer(arrays["w"] @ arrays["x"], arrays["x"]), rtol=1e-15)
    with pytest.raises(ArithmeticError, match=r"f is not quadratic in x\[1\]"):
        exact_gradient(lambda x: abs(x[1] - x[0] / 2**45), {"x": np.array([1.0, 0.0])}, ["x"])


def test_differences_are_relative_to_the_largest_entry() -> None:
    assert apart({"a": [0.0, 1.0]}, {"a": [0.0, 2.0]}) == {"a": 0.5}
    assert apart({"a": [0.0]}, {"a": [0.0]}) == {"a": 0.0}
    with pytest.raises(ValueError, match=r"names compared differ: .'b'"):
        apart({"a": 1.0, "b": 1.0}, {"a": 1.0})


def test_the_network_is_that_of_the_golden_values() -> None:
    data = relu_network.random_arrays(three_layer_network.SEED, three_layer_network.SHAPES)
    values, gradients = relu_network.by_hand(**data)
    for name, known in GOLDEN["network"].items():
        np.testing.assert_allclose(values[name], known["v"], rtol=1e-6)
        np.testing.assert_allclose(gradients[name], known["g"], rtol=1e-6, atol=1e-9)


# -- a mistake is found --------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_pytorch")
def test_a_wrong_formula_fails_its_claims(monkeypatch: pytest.MonkeyPatch) -> None:
    right = analytic_gradients.by_formulas

    def wrong(**data: Any) -> Any:
        found = right(**data)
        return found | {"W2": found["W2"].T}

    wrong.__wrapped__ = right  # type: ignore[attr-defined]
    monkeypatch.setattr(analytic_gradients, "by_formulas", wrong)
    broken = [claim.claim for claim in failing(run("analytic-gradients"))]
    assert [words.partition(":")[0] for words in broken] == [
        "formulas against reverse mode",
        "formulas against fractions",
    ]


@pytest.mark.usefixtures("without_pytorch")
def test_a_wrong_step_backwards_fails_its_claim(monkeypatch: pytest.MonkeyPatch) -> None:
    right = three_layer_network.by_hand

    def wrong(**data: Any) -> Any:
        values, gradients = right(**data)
        return values, gradients | {"V2": gradients["V2"] * (1 + 1e-5)}

    wrong.__wrapped__ = right  # type: ignore[attr-defined]
    monkeypatch.setattr(three_layer_network, "by_hand", wrong)
    (claim,) = failing(run("three-layer-network"))
    assert claim.claim.endswith("by hand, .g")
    assert claim.value == pytest.approx(1e-5, rel=1e-3)


def test_a_fused_loss_does_not_count_as_derived(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sigmoid_and_cross_entropy, "AS_WRITTEN", "softplus(z) - y*z")
    broken = {claim.claim for claim in failing(run("sigmoid-and-cross-entropy"))}
    assert "fused operations in that derivation" in broken


def test_another_rate_fails_the_two_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(two_steps_by_hand, "RATE", two_steps_by_hand.RATE * 2)
    broken = [claim.claim for claim in failing(run("two-steps-by-hand"))]
    assert "step 1: the gradients by w₀, w₁, w₂, h₀, h₁" not in broken
    assert "step 1: w₀, w₁, w₂, h₀, h₁ after the update" in broken


def test_another_place_fails_the_network_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(relu_network_by_hand, "AT", 3)
    broken = [claim.claim for claim in failing(run("relu-network-by-hand"))]
    assert broken[:2] == ["f(2, θ₀), by the engine", "f(2, θ₀), by hand"]


# -- what a person reads -------------------------------------------------------------------------------------


@pytest.mark.usefixtures("without_pytorch")
def test_the_tables_show_four_decimals() -> None:
    result = run("computational-graph")
    forward, reverse = (item for item in result.items if isinstance(item, Table) and "mode:" in item.title)
    assert [row[1] for row in forward.rows][-1] == "2.9228"
    assert [row[3] for row in forward.rows][3:] == [
        "1.0000",
        "0.0000",
        "0.9093",
        "4.4817",
        "5.3910",
        "2.6955",
    ]
    assert [row[3] for row in reverse.rows][:3] == ["4.0432", "2.6955", "-1.7735"]
    assert "v̄₁ = v̄₄·v₄ + v̄₃·v₂" in [row[2].replace("\u00a0", " ") for row in reverse.rows]


def test_a_table_of_a_training_step_shows_the_update() -> None:
    table = step_table("A step", two_steps_by_hand.in_floats()[1])
    assert list(table.columns) == ["name", "primal", "value", "adjoint", "value", "update", "value"]
    assert [row[-1] for row in table.rows[:5]] == ["0.6872", "0.8872", "0.8000", "0.6120", "0.2616"]
    assert table.rows[-1][0] == "loss"


def test_a_graph_is_told_in_words() -> None:
    pytest.importorskip("fast_sugiyama", reason="draws the graph")
    picture = graph_picture("g", "A graph", wengert.explain("x*y + sin(x)", 2.0, 3.0))
    assert (
        "the inputs v₋₁ = x and v₀ = y; then v₁ = v₋₁·v₀, v₂ = sin(v₋₁), v₃ = v₁ + v₂." in picture.description
    )
    assert picture.description.endswith("The output is v₃.")
    assert picture.drawing.startswith("<svg ")


def test_the_document_s_classifier_is_the_other_way_round() -> None:
    s = np.array([-3.0, 0.0, 2.0])
    q_of_1 = np.exp(-s) / (1 + np.exp(-s))
    np.testing.assert_allclose(-np.log(q_of_1), np.logaddexp(0, s), rtol=1e-14)
    assert kl_divergence.BINARY.startswith("y*softplus(s)")
