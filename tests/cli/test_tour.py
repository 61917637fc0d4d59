"""The tour: what it trains, what it writes, and what it says."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import numpy as np
import pytest
from click.testing import CliRunner

from wengert import tour
from wengert.cli import main
from wengert.labs import Context, Item, Lab, at_least
from wengert.labs.mission import ROWS
from wengert.tour import walk

pytest.importorskip("sklearn", reason="the tour trains on scikit-learn's digits")
pytest.importorskip("matplotlib", reason="the tour draws its loss with matplotlib")
pytest.importorskip("jinja2", reason="the tour writes pages")

WRITTEN = {
    "README.md", "loss.csv", "loss.png", "network.html", "network.json", "network.md", "network.svg",
    "network.txt",
    "textbook-forward.json", "textbook-forward.md", "textbook-forward.tex", "textbook-forward.txt",
    "textbook-reverse.dot", "textbook-reverse.html", "textbook-reverse.json", "textbook-reverse.md",
    "textbook-reverse.mmd", "textbook-reverse.svg", "textbook-reverse.tex", "textbook-reverse.txt",
    "index.html", "counting/report.html", "counting/result.json", "lost/report.html",
}  # fmt: skip


def counting(context: Context) -> Iterator[Item]:
    yield at_least("how far we count", context.choose(full=4, quick=2), 2)


def lost(context: Context) -> Iterator[Item]:
    raise FileNotFoundError("beans.csv is missing")
    yield "never"


STOPS = {
    "counting": (
        Lab("counting", ("M13",), "Counting", "How far can we count?", "two of four", counting),
        tour.Stop(
            "M13", "Look at the last number, which is the largest of all that were counted on this page."
        ),
    ),
    "lost": (
        Lab("lost", ("M33",), "Lost & found", "Where are the beans?", "nothing", lost),
        tour.Stop("M33", "Look for the beans."),
    ),
}


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """One tour past two small labs, into a folder that exists already and holds something of the user's."""
    folder = tmp_path_factory.mktemp("somewhere") / "my-tour"
    folder.mkdir()
    (folder / "mine.txt").write_text("keep")
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(walk, "labs_on_the_way", lambda: STOPS)
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
    written = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert written == WRITTEN | {"mine.txt"}
    assert (folder / "mine.txt").read_text() == "keep"
    for drawing in folder.glob("*.svg"):
        ElementTree.parse(drawing)
    for sheet in folder.glob("*.json"):  # the worksheets
        assert json.loads(sheet.read_text())["rows"]
    assert (folder / "loss.png").read_bytes().startswith(b"\x89PNG")
    assert "2.6955" in (folder / "textbook-forward.txt").read_text()
    for name in ("V1", "V2", "V3", "V4", "V5", "D"):
        assert name in (folder / "network.txt").read_text()
    linked = (folder / "README.md").read_text()
    assert all(f"({name})" in linked for name in WRITTEN - {"README.md", "counting/result.json"})


def test_it_ends_by_saying_where_everything_is(walked: Any) -> None:
    folder, output = walked
    ending = output.splitlines()[-7:]
    assert ending[0] == f"Everything is in {folder.resolve()}"
    assert [line.split()[0] for line in ending[1:]] == [
        "index.html",
        "textbook-reverse.html",
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


# -- the guide -----------------------------------------------------------------------------------------------


def test_the_guide_leads_everywhere_in_order(walked: Any) -> None:
    folder, _ = walked
    guide = (folder / "index.html").read_text("utf-8")
    places = [
        guide.index(f'<h2 id="{name}"') for name in ("function", "network", "digits", "experiments", "next")
    ]
    assert places == sorted(places)
    for link in re.findall(r'href="([^"]*)"', guide):
        target, _, anchor = link.partition("#")
        assert (folder / target).is_file() if target else f'id="{anchor}"' in guide, link
    assert {"textbook-reverse.svg", "network.txt", "loss.csv"} <= set(re.findall(r'href="([^"]*)"', guide))
    assert "2.6955" in guide
    assert 'href="../index.html">The tour</a>' in (folder / "counting" / "report.html").read_text("utf-8")


def test_the_guide_stands_alone_and_every_picture_has_words(walked: Any) -> None:
    guide = (walked[0] / "index.html").read_text("utf-8")
    pictures = re.findall(r"<img [^>]*>", guide)
    assert len(pictures) == 2
    assert all('src="data:image/' in picture and len(picture.split('alt="')[1]) > 50 for picture in pictures)
    assert "<script" not in guide
    assert not re.search(r'(?:src|href)="(?:https?:|//|/)', guide)
    assert "Lost &amp; found" in guide


def test_experiments_are_told_with_their_verdict_and_a_missing_file_is_no_failure(walked: Any) -> None:
    folder, output = walked
    assert "✓ the claim holds: Counting\n  Look at the last number" in output
    assert "– not run: Lost & found\n  beans.csv is missing" in output
    assert "beans.csv is missing" in (folder / "lost" / "report.html").read_text("utf-8")


def test_only_data_that_are_here_are_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    from wengert.data import fetching

    def download(*arguments: Any) -> Any:
        raise AssertionError("the tour downloads nothing")

    monkeypatch.setattr(fetching, "_download", download)
    monkeypatch.setenv("WENGERT_DATA", str(tmp_path))
    monkeypatch.setattr(fetching, "cache_folder", lambda: tmp_path)
    assert "fashion-mnist" not in tour.labs_on_the_way()
    monkeypatch.setattr("wengert.tour.stops.find", lambda file: tmp_path)
    assert "fashion-mnist" in tour.labs_on_the_way()


def test_the_stops_are_rows_of_the_mission() -> None:
    rows = [stop.row for stop in tour.STOPS]
    assert set(rows) <= {row.number for row in ROWS}
    assert len(set(rows)) == len(rows)


@pytest.mark.slow
def test_every_stop_runs_without_data(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("wengert.data.fetching.cache_folder", lambda: tmp_path / "empty")
    monkeypatch.delenv("WENGERT_DATA", raising=False)
    result = tour.run(tmp_path / "tour")
    assert [outcome.reason for outcome in result.outcomes if not outcome.ran] == []
    assert [claim for outcome in result.outcomes for claim in outcome.failing] == []


def test_a_folder_that_cannot_be_made_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    words = [sys.executable, "-m", "wengert", "tour", "--out", str(tmp_path / "file" / "tour")]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert str(tmp_path / "file" / "tour") in done.stderr
