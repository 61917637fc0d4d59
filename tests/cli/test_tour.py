"""The tour: what it trains, what it writes, and what it says."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from wengert import tour
from wengert.cli import main

pytest.importorskip("sklearn", reason="the tour trains on scikit-learn's digits")
pytest.importorskip("matplotlib", reason="the tour draws its loss with matplotlib")

WRITTEN = {
    "README.md", "loss.csv", "loss.png", "network.json", "network.md", "network.svg", "network.txt",
    "textbook-forward.json", "textbook-forward.md", "textbook-forward.tex", "textbook-forward.txt",
    "textbook-reverse.dot", "textbook-reverse.json", "textbook-reverse.md", "textbook-reverse.mmd",
    "textbook-reverse.svg", "textbook-reverse.tex", "textbook-reverse.txt",
}  # fmt: skip


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One tour into a folder that exists already and holds something of the user's."""
    folder = tmp_path_factory.mktemp("somewhere") / "my-tour"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    result = CliRunner().invoke(main, ["tour", "--out", str(folder)])
    assert result.exit_code == 0, result.output
    return folder, result.output


def test_the_classifier_reads_digits(walked: Any) -> None:
    folder, output = walked
    losses = np.loadtxt(folder / "loss.csv", delimiter=",", skiprows=1)
    assert losses.shape == (tour.EPOCHS, 2)
    assert losses[-1, 1] < 0.1 < losses[0, 1]
    assert float(output.split("network reads ")[1].split("%")[0]) >= 95


@pytest.mark.slow
@pytest.mark.parametrize("seed", [0, 1, 2])
def test_the_classifier_reads_digits_from_any_seed(seed: int) -> None:
    *_, (loss, accuracy) = tour.train(tour.load_digits(), seed)
    assert accuracy >= 0.95
    assert loss < 0.1


def test_every_file_is_whole(walked: Any) -> None:
    folder, _ = walked
    assert {path.name for path in folder.iterdir()} == WRITTEN | {"mine.txt"}
    assert (folder / "mine.txt").read_text() == "keep"
    for drawing in folder.glob("*.svg"):
        ElementTree.parse(drawing)
    for sheet in folder.glob("*.json"):
        assert json.loads(sheet.read_text())["rows"]
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "2.6955" in (folder / "textbook-forward.txt").read_text()
    for name in ("V1", "V2", "V3", "V4", "V5", "D"):
        assert name in (folder / "network.txt").read_text()
    linked = (folder / "README.md").read_text()
    assert all(f"({name})" in linked for name in WRITTEN - {"README.md"})


def test_it_ends_by_saying_where_everything_is(walked: Any) -> None:
    folder, output = walked
    ending = output.splitlines()[-5:]
    assert ending[0] == f"Everything is in {folder.resolve()}"
    assert [line.split()[0] for line in ending[1:]] == [
        "textbook-reverse.svg",
        "textbook-reverse.txt",
        "network.txt",
        "loss.png",
    ]
    assert "∇_W3 f = -D @ V4ᵀ" in output


def test_what_it_says_fits_a_terminal_of_eighty_columns(walked: Any) -> None:
    folder, output = walked
    lines = [line for line in output.splitlines() if str(folder) not in line]
    assert max(map(len, lines)) <= 80


def test_the_progress_is_plain_where_no_terminal_is(walked: Any) -> None:
    _, output = walked
    assert "\x1b" not in output
    assert "\r" not in output
    assert output.count("epoch") <= 1


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = [sys.executable, "-m", "wengert", "tour", "--out", str(tmp_path / "file" / "tour")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "file" / "tour") in done.stderr
