"""The examples run, and compute what they say."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

EXAMPLES = Path(__file__).resolve().parent.parent / "examples"
FEWER_STEPS = {
    "age_regression.py": "2",
    "dry_beans.py": "2",
    "fashion_mnist.py": "1",
    "polynomial_fit.py": "50",
    "variational_autoencoder.py": "1",
}
WITH_DATA = {"age_regression.py", "dry_beans.py", "fashion_mnist.py", "variational_autoencoder.py"}
WITHOUT = pytest.mark.skipif("WENGERT_DATA" not in os.environ, reason="needs data sets: set WENGERT_DATA")
SCRIPTS = [
    pytest.param(path.name, marks=[WITHOUT, pytest.mark.slow] if path.name in WITH_DATA else [])
    for path in sorted(EXAMPLES.glob("*.py"))
]


def load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, EXAMPLES / f"{name}.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("script", SCRIPTS)
def test_every_example_runs_by_itself(script: str) -> None:
    words = [FEWER_STEPS[script]] if script in FEWER_STEPS else []
    done = subprocess.run(
        [sys.executable, "-W", "error", str(EXAMPLES / script), *words],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip()


def test_the_three_ways_to_fit_a_polynomial_agree() -> None:
    fit = load("polynomial_fit")
    by_hand = fit.with_numpy(200)
    np.testing.assert_allclose(fit.with_tensors(200), by_hand, rtol=1e-10)
    np.testing.assert_allclose(fit.with_autograd(200), by_hand, rtol=1e-10)


def test_own_operation_fits_the_sine() -> None:
    a, b, c, d = load("polynomial_fit").with_own_operation(2000)
    # values of PyTorch's tutorial, which starts from the same coefficients
    np.testing.assert_allclose([b, d], [-2.208, 0.2554], rtol=2e-3)
    assert abs(a) < 1e-6
    assert abs(c) < 1e-6


def test_the_basics_show_a_step_downhill() -> None:
    basics = load("autograd_basics")
    before, after = basics.one_training_step()
    assert after < before
    assert basics.what_is_recorded() == (False, True)
    assert basics.frozen_layer() == (True, True)
