"""Every layer and every loss can be captured, and the program depends on the values of no argument."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import wengert
from wengert import nn
from wengert.compiler import steps

sys.path.insert(0, str(Path(__file__).parents[1] / "nn"))
import convolution_cases
import layer_cases
import loss_cases
from replaying import Replaying, Unlowered

LAYERS = {**layer_cases.CASES, **convolution_cases.CASES}
LOSSES = {repr(case): case for case in loss_cases.cases()}


@pytest.fixture(autouse=True)
def replayed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(steps, "lowered", Unlowered)
    monkeypatch.setattr(steps, "executor", lambda program, backend: Replaying(program.captured))


def compare(function: Any, first: list[Any], second: list[Any]) -> None:
    """A program captured on the first arguments is right for the second ones."""
    compiled = wengert.compile(function)
    state = wengert.random.default_generator.get_state()
    for args in (first, second, first):
        wengert.random.default_generator.set_state(state)
        found = compiled(*args)
        wengert.random.default_generator.set_state(state)
        for a, b in zip(found, function(*args), strict=True):
            np.testing.assert_allclose(np.asarray(a), np.asarray(b.detach()), rtol=1e-4, atol=1e-5)
    assert compiled.recompilations == []


def gradients(y: Any, inputs: list[Any]) -> list[Any]:
    wanted = [x for x in inputs if isinstance(x, wengert.Tensor) and x.requires_grad]
    if not wanted or not y.requires_grad:
        return [y]
    return [y, *wengert.autograd.grad((y * y).sum(), wanted, allow_unused=True)]


@pytest.mark.parametrize("name", LAYERS)
def test_layers(name: str) -> None:
    case = LAYERS[name]
    wengert.manual_seed(1)
    layer = case.build(nn).double().train(case.training)
    rng = np.random.default_rng(0)
    kept = {k: v.numpy().copy() for k, v in layer.state_dict().items()}

    def run(*inputs: Any) -> list[Any]:
        layer.load_state_dict(kept) if wengert.capturing.running.get() is None else None
        parameters = [p for p in layer.parameters() if p.requires_grad]
        y = layer(*inputs)
        return [g for g in gradients(y, [*inputs, *parameters]) if g is not None]

    def arguments() -> list[Any]:
        return [
            wengert.tensor(np.roll(x, rng.integers(3)))
            if isinstance(x, list)
            else wengert.tensor(rng.normal(size=x), requires_grad=True)
            for x in case.inputs
        ]

    if layer.state_dict() and case.training and "BatchNorm" in name:
        pytest.skip("compared over whole trainings, where the running means move")
    compare(run, arguments(), arguments())


@pytest.mark.parametrize("name", LOSSES)
def test_losses(name: str) -> None:
    case = LOSSES[name]
    settings = {
        k: wengert.tensor(v) if isinstance(v, (list, np.ndarray)) else v for k, v in case.settings.items()
    }
    loss = getattr(nn, case.module)(**settings)

    def run(*inputs: Any) -> list[Any]:
        return [g for g in gradients(loss(*inputs), list(inputs)) if g is not None]

    def arguments(turn: int) -> list[Any]:
        turned = [np.roll(a, turn, axis=0) if a.ndim else (a + turn) % 3 for a in case.args]
        return [wengert.tensor(a, requires_grad=a.dtype.kind == "f") for a in turned]

    compare(run, arguments(0), arguments(1))
