"""A report is one file that cannot run anything, whatever the data are called."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from wengert.train import plots
from wengert.train.history import History
from wengert.train.reports import Section, Table, training_report, write_report
from wengert.train.tuning import Choice, Float, tune

pytest.importorskip("jinja2")
pytest.importorskip("matplotlib")

EVIL = '<script>alert(1)</script><img src=x onerror="alert(2)">'
VOID = {"meta", "br", "img", "hr", "link", "input"}


class Reader(HTMLParser):
    """The tags, attributes and texts of a page; a tag that is not closed is an error."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        assert not self.open

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data

    def attributes(self, name: str) -> list[str]:
        return [str(given[name]) for _, given in self.tags if name in given]


def history(epochs: int = 5) -> History:
    result = History(monitor="validation_loss")
    for epoch in range(1, epochs + 1):
        result.add(
            {
                **{"epoch": epoch, "seconds": 0.25, "rows_per_second": 4000.0, "learning_rate": 0.1 / epoch},
                **{"train_loss": 1 / epoch, "validation_loss": abs(epoch - 4) + 1.0},
            }
        )
    result.stopped = "validation_loss has not improved on 1 for 1 epoch"
    return result


def whole_report(path: Path, **changes: Any) -> Reader:
    found = tune(
        lambda parameters, trial: parameters["rate"],
        {"rate": Float(1e-3, 1.0, log=True), "hidden units": Choice([(64, 32), (16,)])},
        trials=4,
    )
    given: dict[str, Any] = {
        "data": "beans.xlsx",
        "target": "Class",
        "rows": {"train": 600, "validation": 200, "test": 200},
        "settings": {"hidden": (64, 32), "dropout": 0.1, "clip_norm": None},
        "history": history(),
        "validation": {"loss": 0.25, "accuracy": 0.9312345},
        "test": {"loss": 0.3, "accuracy": 0.92},
        "confusion": np.array([[8, 2], [1, 3]]),
        "classes": ["SEKER", "CALI"],
        "scored_on": "test",
        "tuning": found.to_dict(),
        "predict": "wengert predict runs/beans new.csv",
    }
    training_report(path, **{**given, **changes})
    return Reader(path.read_text(encoding="utf-8"))


def test_a_training_report_tells_the_whole_run(tmp_path: Path) -> None:
    reader = whole_report(tmp_path / "report.html")
    for words in (
        "Predict Class from the other columns of beans.xlsx.",
        *("60.0%", "64, 32", "0.9312", "The test part was scored once", "SEKER", "F1"),
        "The best one is 4, by validation loss. The training ended because validation_loss has not improved",
        *(
            "4 trials, chosen by the sampler tpe with seed 0",
            "complete",
            "wengert predict runs/beans new.csv",
        ),
        *("numpy", "11 of 14 rows are right (78.6%)"),
    ):
        assert words in reader.text, words
    titles = [given["id"] for tag, given in reader.tags if tag == "h2"]
    assert titles == [f"section-{number}" for number in range(1, 9)]
    assert reader.attributes("aria-labelledby") == titles
    marked = [given for tag, given in reader.tags if tag == "tr" and given.get("class") == "marked"]
    assert len(marked) == 2


def test_without_a_test_score_it_says_so(tmp_path: Path) -> None:
    changes = {"test": None, "tuning": None, "confusion": None, "parity": ([1.0, 2.0], [1.0, 2.5])}
    reader = whole_report(tmp_path / "report.html", **changes, notes="One.\n\nTwo.")
    assert "The test part has not been scored." in reader.text
    assert "R² = 0.500" in reader.text and "One." in reader.text


def test_many_epochs_are_thinned_but_the_best_and_the_last_stay(tmp_path: Path) -> None:
    reader = whole_report(tmp_path / "report.html", history=history(500))
    assert re.search(r"\d\d of the 500 epochs", reader.text)
    rows = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert '<tr class="marked"><th scope="row" class="number">4</th>' in rows
    assert '<th scope="row" class="number">500</th>' in rows and rows.count("<tr") < 130


def test_nothing_runs_and_nothing_is_fetched(tmp_path: Path) -> None:
    changes = {
        **{"data": EVIL, "target": f"{EVIL}|$x$", "settings": {EVIL: EVIL}, "notes": EVIL, "predict": EVIL},
        **{"classes": [EVIL, "'\"&"], "validation": {EVIL: 1.0}, "rows": {EVIL: 3}},
    }
    reader = whole_report(tmp_path / "report.html", **changes)
    content = (tmp_path / "report.html").read_text(encoding="utf-8")
    names = {tag for tag, _ in reader.tags}
    assert not names & {"script", "img", "iframe", "object", "link", "base", "form"}
    assert not any(name.startswith("on") for _, given in reader.tags for name in given)
    assert reader.text.count("<script>alert(1)</script>") >= 8
    for address in reader.attributes("href") + reader.attributes("xlink:href") + reader.attributes("src"):
        assert address.startswith(("#", "data:image/png"))
    (policy,) = [given["content"] for tag, given in reader.tags if "http-equiv" in given]
    assert policy is not None and policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src")
    assert "url(http" not in content and "@import" not in content


def test_figures_keep_their_own_ids_and_follow_the_theme(tmp_path: Path) -> None:
    figures = [
        plots.loss_curves(history()),
        plots.loss_curves(history()),
        plots.confusion(np.eye(2), ['id="a"', "b"]),
    ]
    write_report(tmp_path / "report.html", "Three plots", [Section("Plots", figures=figures)])
    reader = Reader((tmp_path / "report.html").read_text(encoding="utf-8"))
    ids = reader.attributes("id")
    assert len(ids) == len(set(ids))
    used = [found[1:] for found in reader.attributes("xlink:href") if found.startswith("#")]
    used += [
        place for given in reader.attributes("clip-path") for place in re.findall(r"url\(#(.*?)\)", given)
    ]
    assert used and set(used) <= set(ids)
    assert 'id="a"' in reader.text and "var(--ink" in str(reader.attributes("style"))
    pictures = [given for tag, given in reader.tags if tag == "svg"]
    assert all(given["role"] == "img" and given["aria-label"] for given in pictures) and len(pictures) == 3


def test_the_same_run_gives_the_same_page(tmp_path: Path) -> None:
    for name in ("first", "second"):
        write_report(tmp_path / name, "Plot", [Section("Plots", figures=[plots.learning_rate(history())])])
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()


def test_colours_have_enough_contrast() -> None:
    source = (
        Path(plots.__file__).with_name("templates").joinpath("report.html.j2").read_text(encoding="utf-8")
    )
    themes = re.findall(r":root \{(.*?)\}", source, re.DOTALL)
    assert len(themes) == 2
    for theme in themes:
        colours = dict(re.findall(r"--(\w+): (#\w{6})", theme))
        for text in ("ink", "faint", "link"):
            for ground in ("paper", "shade"):
                assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
        for colour in ("#0072B2", "#D55E00"):
            assert contrast(colour, colours["paper"]) >= 3


def contrast(first: str, second: str) -> float:
    dark, light = sorted(map(luminance, (first, second)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    parts = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return float(np.dot(linear, (0.2126, 0.7152, 0.0722)))


def test_a_row_of_another_length_is_named() -> None:
    with pytest.raises(ValueError, match="expected 2 cells, one per column, got 1 in row 0"):
        Table("Scores", ["part", "accuracy"], [["validation"]])


def test_a_report_that_cannot_be_written_leaves_the_old_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        write_report(tmp_path / "no such folder" / "report.html", "Title", [])
