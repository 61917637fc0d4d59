"""Value and gradients of every loss are PyTorch's in float64: by its results kept as data, and by itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from loss_cases import LossCase, adjoint, cases

import wengert
from wengert.nn import losses

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("loss_golden.json").read_text(encoding="utf-8"))
EVERY = pytest.mark.parametrize("case", cases(), ids=repr)


def results(case: LossCase) -> dict[str, Any]:
    args = [wengert.Tensor(a, requires_grad=k in case.varied) for k, a in enumerate(case.args)]
    loss = getattr(losses, case.module)(**case.settings)(*args)
    loss.backward(adjoint(loss.shape) if loss.ndim else None)
    return {"value": loss.data, "gradients": [args[k].grad.data for k in case.varied]}


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    np.testing.assert_allclose(found["value"], expected["value"], rtol=1e-9, atol=1e-12)
    for a, b in zip(found["gradients"], expected["gradients"], strict=True):
        np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-12)


def test_every_case_has_golden_values() -> None:
    """After a new case: python tests/nn/make_loss_golden.py"""
    assert list(GOLDEN) == list(map(repr, cases()))


@EVERY
def test_golden_values(case: LossCase) -> None:
    assert_same(results(case), GOLDEN[repr(case)])


@pytest.mark.parity
@EVERY
def test_pytorch(case: LossCase) -> None:
    pytest.importorskip("torch")
    import make_loss_golden

    assert_same(results(case), make_loss_golden.results(case))
