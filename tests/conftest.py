"""How property tests run everywhere: never against the clock, and with the same examples in CI. And the
executors that compiled steps are tested on."""

from __future__ import annotations

import importlib.util
import os

import pytest
from hypothesis import settings

settings.register_profile("wengert", deadline=None, derandomize="CI" in os.environ)
settings.load_profile("wengert")

BACKENDS = ["replay", "numpy", *(["native"] if importlib.util.find_spec("llvmlite") else [])]


@pytest.fixture(params=BACKENDS)
def executor(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Steps compiled in the test run on the plainest executor, which evaluates the captured graph, on NumPy
    source and on native code."""
    from replaying import Replaying, Unlowered

    from wengert.compiler import steps

    if request.param == "replay":
        monkeypatch.setattr(steps, "lowered", Unlowered)
        monkeypatch.setattr(steps, "executor", lambda program, backend: Replaying(program.captured))
    else:
        of_backend = steps.executor
        monkeypatch.setattr(steps, "executor", lambda program, _: of_backend(program, request.param))
    return str(request.param)
