"""Value, gradient and second derivative of every row are PyTorch's: by its results kept as data, and by
itself."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from cases import Sample, is_differentiable, leaves, samples, weighted, weights

import wengert
from wengert.ops import rows

GOLDEN: dict[str, Any] = json.loads(Path(__file__).with_name("golden.json").read_text(encoding="utf-8"))

NOT_IN_TORCH = {"astype", "cofactors", "ratio", "real"}
"""Rows that PyTorch does not have as functions of arrays."""


def results(sample: Sample) -> dict[str, Any]:
    """What wengert computes of a sample, in the same form as the golden data."""
    f, args = sample.call()
    if not is_differentiable(sample):
        bound, params = sample.bound()
        return {"value": leaves(sample.op.apply(tuple(bound), params))}

    total = weighted(f, args)
    positions = tuple(range(len(args)))
    second = wengert.hvp(total, args, weights(args, seed=1))
    return {
        "value": leaves(f(*args)),
        "gradient": list(wengert.grad(total, positions)(*args)),
        "second": [second] if len(args) == 1 else list(second),
    }


def assert_same(found: dict[str, Any], expected: dict[str, Any]) -> None:
    assert found.keys() == expected.keys()
    for what, parts in found.items():
        for a, b in zip(parts, expected[what], strict=True):
            np.testing.assert_allclose(a, b, rtol=1e-9, atol=1e-11, err_msg=what)


def test_every_row_has_golden_values() -> None:
    """After a new row or sample: python tests/table/make_golden.py"""
    sampled = {op.name for op in rows() if op.sample}
    assert {name.rpartition("-")[0] for name in GOLDEN} == sampled - NOT_IN_TORCH
    for parameter in samples(lambda s: s.op.name not in NOT_IN_TORCH):
        (sample,) = parameter.values
        assert GOLDEN[repr(sample)]["call"] == repr(sample.case), (
            "the sample has changed; make golden.json again"
        )


@pytest.mark.parametrize("sample", samples(lambda s: s.op.name not in NOT_IN_TORCH))
def test_golden_values(sample: Sample) -> None:
    golden = {what: parts for what, parts in GOLDEN[repr(sample)].items() if what != "call"}
    assert_same(results(sample), golden)


@pytest.mark.parity
@pytest.mark.parametrize("sample", samples(lambda s: s.op.name not in NOT_IN_TORCH))
def test_pytorch(sample: Sample) -> None:
    pytest.importorskip("torch")
    import torch_calls

    assert_same(results(sample), torch_calls.results(sample))
