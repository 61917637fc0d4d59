"""A run that is killed at any moment and resumed ends with the same weights, to the last bit."""

from __future__ import annotations

import contextlib
import json
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("optuna")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
from bean_tables import measures, written

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="this system has no SIGKILL")
WENGERT = [sys.executable, "-m", "wengert"]
KILL_AT_WRITE = """
import os, signal, sys
import wengert.files
replace, left = os.replace, [int(sys.argv[1])]

def counting(source, target):
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)
    replace(source, target)
    left[0] -= 1
    if left[0] == 0:
        os.kill(os.getpid(), signal.SIGKILL)

os.replace = counting
from wengert.cli import main
main(sys.argv[2:])
"""


def training(table: Path, out: Path, tune: int, epochs: int) -> list[str]:
    words = ["train", str(table), "--target", "kind", "--seed", "3", "--out", str(out)]
    return [*words, "--epochs", str(epochs), "--tune", str(tune)]


def resumed(table: Path, out: Path, tune: int, epochs: int) -> list[str]:
    """What a person types after a kill."""
    began = (out / "run.json").exists()
    return ["train", "--resume", str(out)] if began else training(table, out, tune, epochs)


def result(out: Path) -> tuple[bytes, Any]:
    record = json.loads((out / "run.json").read_text(encoding="utf-8"))
    names = sorted(file.name for file in out.iterdir())
    expected = {"checkpoint.safetensors", "history.json", "model.safetensors", "predict.py", "report.html"}
    expected |= {"run.json"}
    assert expected <= set(names) <= expected | {"study.log", "study.log.lock"}, (
        "a kill left something behind"
    )
    kept = {name: record[name] for name in ("scores", "recipe", "best_epoch", "stopped")}
    return (out / "model.safetensors").read_bytes(), kept


@pytest.fixture(scope="module")
def table(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(measures(150), tmp_path_factory.mktemp("data") / "beans.csv")


def test_killed_around_every_kind_of_write(table: Path, tmp_path: Path) -> None:
    """Before and after a file takes its name: the record, a checkpoint, the model, the scores."""
    whole = tmp_path / "whole"
    subprocess.run([*WENGERT, *training(table, whole, 0, 2)], check=True, capture_output=True)
    out = tmp_path / "killed"
    for moment in (1, 3, 8):
        words = [sys.executable, "-c", KILL_AT_WRITE, str(moment), *resumed(table, out, 0, 2)]
        assert subprocess.run(words, capture_output=True).returncode == -signal.SIGKILL
    subprocess.run([*WENGERT, *resumed(table, out, 0, 2)], check=True, capture_output=True)
    assert result(out) == result(whole)


@pytest.mark.slow
def test_killed_at_twenty_random_moments(table: Path, tmp_path: Path) -> None:
    tune, epochs = 3, 60
    whole = tmp_path / "whole"
    begun = time.perf_counter()
    subprocess.run([*WENGERT, *training(table, whole, tune, epochs)], check=True, capture_output=True)
    lasted = time.perf_counter() - begun
    chance, out, kills = np.random.default_rng(20), tmp_path / "killed", 0
    while kills < 20:
        with open(tmp_path / "errors", "w+", encoding="utf-8") as errors:
            words = [*WENGERT, *resumed(table, out, tune, epochs)]
            with subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=errors) as process:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(chance.uniform(0.0, lasted))
                process.kill()
        if process.returncode == -signal.SIGKILL:
            kills += 1
            continue
        assert process.returncode == 0, (tmp_path / "errors").read_text(encoding="utf-8")
        assert result(out) == result(whole)
        shutil.rmtree(out)  # it came to its end: the next kills meet a new run
    subprocess.run([*WENGERT, *resumed(table, out, tune, epochs)], check=True, capture_output=True)
    assert result(out) == result(whole)
