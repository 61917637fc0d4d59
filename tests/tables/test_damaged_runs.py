"""Damaged folders, changed data and full disks: a sentence that says what and where, and nothing lost."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("pandas")
pytest.importorskip("matplotlib")
pytest.importorskip("jinja2")
from bean_tables import measures, written

import wengert
from wengert.tables import Run, begin, carry_on, train_table


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("trained")
    written(measures(90), folder / "beans.csv")
    train_table(folder / "beans.csv", "kind", hidden=[4], epochs=2, out=folder / "run", progress=False)
    return folder / "run"


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Path:
    return shutil.copytree(trained, tmp_path / "run")


@pytest.mark.parametrize("damage", ["truncated", "renamed", "empty", "other shapes", "other names"])
def test_a_damaged_model_file_is_named(run: Path, damage: str) -> None:
    file = run / "model.safetensors"
    if damage == "truncated":
        file.write_bytes(file.read_bytes()[:-9])
    elif damage == "renamed":
        shutil.copy(run.parent / "run" / "history.json", file)
    elif damage == "empty":
        file.write_bytes(b"")
    elif damage == "other shapes":
        weights = wengert.load(file)
        wengert.save({**weights, "0.weight": wengert.zeros(7, 2)}, file)
    else:
        wengert.save({"w": wengert.zeros(3)}, file)
    with pytest.raises(ValueError, match=r"model\.safetensors"):
        Run.open(run).predict(measures(3))


@pytest.mark.parametrize(
    "content",
    [
        "",
        "{",
        "[]",
        "null",
        '"run"',
        "\x00\xff",
        "{}",
        '{"format": 99}',
        "no request",
        "encoder is a word",
        "hidden is a number",
        "request of another kind",
    ],
)
def test_a_damaged_record_is_named(run: Path, content: str) -> None:
    file = run / "run.json"
    record = json.loads(file.read_text(encoding="utf-8"))
    changes = {
        "no request": lambda: record.pop("request"),
        "encoder is a word": lambda: record.update(encoder="none"),
        "hidden is a number": lambda: record["recipe"].update(hidden=3),
        "request of another kind": lambda: record["request"].update(colour="red"),
    }
    if content in changes:
        changes[content]()
        content = json.dumps(record)
    file.write_text(content, encoding="latin-1")
    with pytest.raises(ValueError, match=r"run\.json: expected the record of a run, but it is damaged"):
        Run.open(run)


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"rows": 3}', "\x00"])
def test_a_damaged_history_is_named(run: Path, content: str) -> None:
    (run / "history.json").write_text(content, encoding="utf-8")
    with pytest.raises(ValueError, match=r"history\.json"):
        Run.open(run).write_report()


def test_a_folder_without_a_run_says_so(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"holds no run: there is no run\.json"):
        Run.open(tmp_path)
    with pytest.raises(ValueError, match="holds no run"):
        Run.open(tmp_path / "nowhere")


def test_a_run_is_not_overwritten(run: Path, trained: Path) -> None:
    before = {file.name: file.read_bytes() for file in run.iterdir()}
    with pytest.raises(FileExistsError, match="holds a run already; go on with --resume"):
        train_table(trained.parent / "beans.csv", "kind", out=run)
    assert {file.name: file.read_bytes() for file in run.iterdir()} == before


def test_changed_data_is_noticed(tmp_path: Path) -> None:
    table = written(measures(90), tmp_path / "beans.csv")
    started = begin(table, "kind", hidden=[4], epochs=2, out=tmp_path / "run")
    written(measures(93), table)
    with pytest.raises(ValueError, match=r"beans\.csv is not the file that .*run began with"):
        carry_on(started, progress=False)
    table.unlink()
    with pytest.raises(FileNotFoundError, match=r"there is no file .*beans\.csv"):
        carry_on(started, progress=False)


def test_a_lost_model_is_made_again_from_the_checkpoint(run: Path) -> None:
    before = (run / "model.safetensors").read_bytes()
    (run / "model.safetensors").unlink()
    carry_on(Run.open(run), progress=False)
    assert (run / "model.safetensors").read_bytes() == before


LIMITED = """
import resource, signal, sys
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
from wengert.cli import main
arguments = sys.argv[2:]
resource.setrlimit(resource.RLIMIT_FSIZE, (int(sys.argv[1]), resource.RLIM_INFINITY))
main(arguments)
"""


@pytest.mark.skipif(os.name == "nt", reason="this system limits no file's size")
@pytest.mark.parametrize(("limit", "tune"), [(500, 0), (4_000, 0), (1_700, 1), (20_000, 0)])
def test_a_disk_that_refuses_loses_nothing(tmp_path: Path, limit: int, tune: int) -> None:
    """A limit on the size of files stands in for the full disk: the system refuses to write on."""
    table = written(measures(90), tmp_path / "beans.csv")
    settings = [
        "train",
        str(table),
        "--target",
        "kind",
        "--hidden",
        "4",
        "--epochs",
        "2",
        "--tune",
        str(tune),
    ]
    out = tmp_path / "run"
    words = [sys.executable, "-c", LIMITED, str(limit), *settings, "--out", str(out)]
    done = subprocess.run(words, capture_output=True, encoding="utf-8")
    assert done.returncode == 2, done.stderr
    assert "Traceback" not in done.stderr
    assert f"wengert: {out}{os.sep}" in done.stderr
    assert not done.stdout
    if (out / "run.json").exists():
        resumed = carry_on(Run.open(out), progress=False)
        whole = train_table(
            table, "kind", hidden=[4], epochs=2, tune=tune, out=tmp_path / "whole", progress=False
        )
        assert resumed.model_file.read_bytes() == whole.model_file.read_bytes()
        assert resumed.scores == whole.scores


def test_pixels_of_another_size_are_refused(tmp_path: Path, trained: Path) -> None:
    record = json.loads((trained / "run.json").read_text(encoding="utf-8"))
    images = Run(trained, {**record, "encoder": None})
    for rows, complaint in (
        (np.zeros((2, 3)), r"rows of 2 numbers.*got an array of shape \(2, 3\)"),
        (np.array([["a", "b"]]), "rows of 2 numbers.*could not convert"),
        (np.array([[0.0, 1.0], [np.nan, 0.0]]), "row 1 .*expected finite numbers"),
    ):
        with pytest.raises(ValueError, match=complaint):
            images.predict(rows)
