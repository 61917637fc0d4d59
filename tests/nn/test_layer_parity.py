"""Layers are PyTorch's: forward, gradients and state, by its results kept as data and by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from layer_cases import CASES, results

import wengert
from wengert import nn

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("layer_golden.json").read_text(encoding="utf-8"))


def assert_same(found: Any, expected: Any, what: str = "") -> None:
    if isinstance(expected, dict):
        assert list(found) == list(expected), what
        for key in expected:
            assert_same(found[key], expected[key], f"{what}.{key}")
    elif what.endswith("input_gradients"):
        for k, (a, b) in enumerate(zip(found, expected, strict=True)):
            assert_same(a, b, f"{what}[{k}]")
    else:
        np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-12, err_msg=what)


def test_every_case_has_golden_values() -> None:
    """After a new case: python tests/nn/make_layer_golden.py"""
    assert GOLDEN.keys() == CASES.keys()


@pytest.mark.parametrize("name", CASES)
def test_golden_values(name: str) -> None:
    assert_same(results(CASES[name], nn, wengert.tensor), GOLDEN[name])


@pytest.mark.parity
@pytest.mark.parametrize("name", CASES)
def test_pytorch(name: str) -> None:
    torch = pytest.importorskip("torch")
    assert_same(results(CASES[name], nn, wengert.tensor), results(CASES[name], torch.nn, torch.tensor))


@pytest.mark.parity
def test_clipped_gradients_are_pytorchs() -> None:
    torch = pytest.importorskip("torch")
    gradients = [np.array([[3.0, -4.0]]), np.array([12.0, 0.5, -2.0])]
    for norm_type in (1.0, 2.0, 3.0, float("inf")):
        ours = [nn.Parameter(np.zeros_like(g)) for g in gradients]
        theirs = [torch.nn.Parameter(torch.zeros(g.shape, dtype=torch.float64)) for g in gradients]
        for p, q, g in zip(ours, theirs, gradients, strict=True):
            p.grad, q.grad = wengert.tensor(g), torch.tensor(g)
        found = nn.utils.clip_grad_norm_(ours, 1.5, norm_type)
        expected = torch.nn.utils.clip_grad_norm_(theirs, 1.5, norm_type)
        np.testing.assert_allclose(found.item(), expected.item(), rtol=1e-12)
        for p, q in zip(ours, theirs, strict=True):
            np.testing.assert_allclose(p.grad.numpy(), q.grad.numpy(), rtol=1e-12)


@pytest.mark.parity
def test_a_state_goes_to_pytorch_and_back() -> None:
    torch = pytest.importorskip("torch")

    def build(package: Any) -> Any:
        return package.Sequential(
            package.Linear(3, 4), package.BatchNorm1d(4), package.PReLU(), package.Linear(4, 1)
        )

    ours, theirs = build(nn), build(torch.nn)
    theirs.load_state_dict({k: torch.from_numpy(v.numpy().copy()) for k, v in ours.state_dict().items()})
    twin = build(nn)
    twin.load_state_dict({k: v.numpy() for k, v in theirs.state_dict().items()})
    for key, value in ours.state_dict().items():
        assert twin.state_dict()[key].dtype == value.dtype
        np.testing.assert_array_equal(twin.state_dict()[key].numpy(), value.numpy())
