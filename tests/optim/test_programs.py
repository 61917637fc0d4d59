"""Optimizers carry out in place what their formulas say: to the last bit, in any number system."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import optim
from wengert.optim import programs
from wengert.optim.transforms import direction

SETTINGS: list[tuple[str, dict[str, Any]]] = [
    ("SGD", {}),
    ("SGD", {"momentum": 0.9, "dampening": 0.25, "weight_decay": 0.01, "maximize": True}),
    ("SGD", {"momentum": 0.9, "nesterov": True}),
    ("Adam", {"weight_decay": 0.1}),
    ("Adam", {"amsgrad": True}),
    ("AdamW", {}),
    ("NAdam", {"decoupled_weight_decay": True, "weight_decay": 0.1}),
    ("RMSprop", {"momentum": 0.5, "centered": True}),
    ("Adagrad", {"lr_decay": 0.1, "initial_accumulator_value": 0.5}),
]


def by_formula(optimizer: Any, start: Any, gradients: list[Any]) -> Any:
    """The parameter after steps along these gradients, by the transforms themselves."""
    group, p = optimizer.param_groups[0], start
    chain = optimizer.chain(group)
    state = {name: np.zeros_like(p) for name in programs.array_slots(chain)}
    state |= {
        name: np.full_like(p, group[first])
        for name, first in programs.array_slots(chain).items()
        if isinstance(first, str)
    }
    state |= programs.number_slots(chain)
    for step, gradient in enumerate(gradients, 1):
        numbers = optim.optimizer.Numbers(group, step)
        p = p - direction(chain, gradient, p, state, numbers)
    return p


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize(("name", "settings"), SETTINGS, ids=str)
def test_a_step_in_place_is_the_formula_to_the_last_bit(
    name: str, settings: dict[str, Any], dtype: str
) -> None:
    rng = np.random.default_rng(0)
    start = rng.standard_normal((7, 3)).astype(dtype)
    gradients = [rng.standard_normal((7, 3)).astype(dtype) for _ in range(4)]
    p = wengert.tensor(start, requires_grad=True)
    optimizer = getattr(optim, name)([p], lr=0.05, **settings)
    for gradient in gradients:
        p.grad = wengert.tensor(gradient)
        optimizer.step()
    assert np.array_equal(p.detach().numpy(), by_formula(optimizer, start, gradients))


def test_blocks_make_no_difference(monkeypatch: pytest.MonkeyPatch) -> None:
    start = np.random.default_rng(1).standard_normal(1000)
    found = []
    for block in (1000, 999, 64, 1):
        monkeypatch.setattr(programs, "BLOCK", block)
        p = wengert.tensor(start, requires_grad=True)
        optimizer = optim.Adam([p], lr=0.1, amsgrad=True)
        for _ in range(3):
            p.grad = wengert.tensor(np.sin(p.detach().numpy()))
            optimizer.step()
        found.append(p.detach().numpy())
    assert all(np.array_equal(found[0], other) for other in found)


def test_any_memory_layout_is_updated() -> None:
    start = np.arange(12.0).reshape(3, 4)
    p = wengert.tensor(start.T, requires_grad=True)
    p.grad = wengert.tensor(np.ones((3, 4)).T)
    optim.SGD([p], lr=1.0, momentum=0.9).step()
    assert np.array_equal(p.detach().numpy(), start.T - 1)
    assert np.array_equal(start, np.arange(12.0).reshape(3, 4))


def test_fractions_are_optimized_exactly() -> None:
    p = wengert.tensor(np.array([Fraction(1), Fraction(1, 3)]), requires_grad=True)
    optimizer = optim.SGD([p], lr=Fraction(1, 2), momentum=Fraction(1, 2))
    for _ in range(2):
        optimizer.zero_grad()
        (p * p / 2).sum().backward()
        optimizer.step()
    # 1 → 1 - 1/2 = 1/2; then the buffer is 1/2 + 1/2 = 1, and 1/2 - 1/2 = 0
    assert p.tolist() == [Fraction(0), Fraction(0)]


def test_a_step_is_explained_with_the_optimizer_in_it() -> None:
    w = wengert.tensor([3.0], dtype="float64", requires_grad=True)
    optimizer = optim.SGD([w], lr=0.1, weight_decay=0.5)

    def step(x: Any) -> Any:
        optimizer.zero_grad()
        loss = ((w * x) ** 2).sum()
        loss.backward()
        optimizer.step()
        return loss

    sheet = wengert.explain(step, wengert.tensor([2.0], dtype="float64"), parameters={"w": w})
    assert "w" in sheet.to_text()
    assert w.item() == 3.0
    step(wengert.tensor([2.0], dtype="float64"))
    assert w.item() == pytest.approx(3.0 - 0.1 * (24.0 + 1.5))
    assert f"{w.item():.4f}" in sheet.to_text()
