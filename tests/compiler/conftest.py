"""What the tests of compiled steps share: the executors that they run on."""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from typing import Any

import pytest
from replaying import Replaying

from wengert.compiler import steps

BACKENDS = ["replay", "numpy", *(["native"] if importlib.util.find_spec("llvmlite") else [])]


@dataclass
class Unlowered:
    """A captured step in the place of its program, for the executor that evaluates the graph itself."""

    captured: Any

    @property
    def slots(self) -> list[Any]:
        """The constants' slots, which is all that is asked for."""
        return [Constant(node.value) for node in Replaying(self.captured).constants]


@dataclass
class Constant:
    """The slot of a constant."""

    array: Any
    kind: str = "constant"


@pytest.fixture(params=BACKENDS)
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Steps compiled in the test run on the plainest executor, which evaluates the captured graph, on NumPy
    source and on native code."""
    if request.param == "replay":
        monkeypatch.setattr(steps, "lowered", Unlowered)
        monkeypatch.setattr(steps, "executor", lambda program, backend: Replaying(program.captured))
    else:
        of_backend = steps.executor
        monkeypatch.setattr(steps, "executor", lambda program, _: of_backend(program, request.param))
    return str(request.param)
