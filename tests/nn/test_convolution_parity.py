"""Convolutions and poolings are PyTorch's: forward and every gradient, by its results kept as data and by
itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from convolution_cases import CASES
from layer_cases import results
from test_layer_parity import assert_same

import wengert
from wengert import nn

GOLDEN: dict[str, Any] = json.loads(
    Path(__file__).with_name("convolution_golden.json").read_text(encoding="utf-8")
)


def test_every_convolution_case_has_golden_values() -> None:
    """After a new case: python tests/nn/make_convolution_golden.py"""
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
@pytest.mark.parametrize("name", ["Conv2d", "ConvTranspose2d"])
def test_a_state_goes_to_pytorch_and_back(name: str) -> None:
    torch = pytest.importorskip("torch")
    ours, theirs = (
        getattr(package, name)(4, 6, (3, 2), stride=2, padding=1, groups=2) for package in (nn, torch.nn)
    )
    state = {key: torch.tensor(value.numpy()) for key, value in ours.state_dict().items()}
    theirs.load_state_dict(state)
    x = np.random.default_rng(0).standard_normal((2, 4, 7, 7)).astype("float32")
    np.testing.assert_allclose(
        ours(wengert.tensor(x)).detach().numpy(),
        theirs(torch.tensor(x)).detach().numpy(),
        rtol=1e-4,
        atol=1e-5,
    )
    back = {key: value.numpy() for key, value in theirs.state_dict().items()}
    assert ours.load_state_dict(back) == ([], [])
