"""What a compiled step says about its code."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("llvmlite")

import wengert
from wengert import nn
from wengert.compiler.llvm import machine

GOLDEN = Path(__file__).parent / "golden"


def normalised(report: str) -> str:
    """A report without what changes from machine to machine: times, the processor, and what it came from."""
    report = re.sub(r"code: .*", "code: …", report)
    return re.sub(r"(?m) +$", "", report) + "\n"


@pytest.fixture(autouse=True)
def same_vectors_everywhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path))
    monkeypatch.setattr("wengert.compiler.native.this_machine", lambda: machine.this_machine().limited(128))


def trained() -> Any:
    wengert.manual_seed(0)
    model = nn.Sequential(nn.Linear(4, 3), nn.Tanh(), nn.Linear(3, 2))
    optimizer = wengert.optim.SGD(model.parameters(), lr=0.1)

    @wengert.compile(backend="native")
    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        loss = nn.functional.cross_entropy(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    step(wengert.tensor(np.ones((5, 4), "float32")), wengert.tensor(np.arange(5) % 2))
    return step


def test_the_report_of_a_training_step() -> None:
    report = normalised(trained().latest.executable.report())
    golden = GOLDEN / "native_report.txt"
    assert report == golden.read_text(), f"the report is now\n{report}"


def test_the_code_is_compiled_once_and_then_taken_from_the_cache() -> None:
    assert re.search(r"code: compiled in \d+\.\d\d s, vectors of 128 bits for ", trained().report())
    assert re.search(r"code: taken from the cache in \d+\.\d\d s, vectors of 128", trained().report())


def test_the_report_is_the_same_from_the_cache() -> None:
    first, second = (normalised(trained().latest.executable.report()) for _ in range(2))
    assert first == second


def test_what_is_left_to_numpy_is_named_with_the_reason() -> None:
    @wengert.compile(backend="native")
    def f(x: Any, turn: Any) -> Any:
        order = wengert.argsort(x)
        return wengert.exp(x)[order], wengert.abs(turn * 2)

    f(wengert.tensor([3.0, 1.0, 2.0]), wengert.tensor([1 + 2j]))
    report = f.report()
    assert re.search(r"left to NumPy: \d+, so epochs run step by step", report)
    assert re.search(r"order \(v\d+\): argsort \(no kernel for this row\)", report)
    assert re.search(r"multiply \(complex numbers\)", report)


def test_memory_that_is_needed_at_once_is_no_more_than_the_workspace() -> None:
    blueprint = trained().latest.executable.executor.blueprint
    assert 0 < blueprint.notes.live <= blueprint.workspace
