"""`wengert worksheet`, as a teacher uses it."""

from __future__ import annotations

import importlib
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from wengert.cli import main, worksheet_command
from wengert.worksheets.exercises.topics import TOPICS, exercise


@pytest.fixture(autouse=True)
def _registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(importlib.import_module("wengert.cli.main").COMMANDS, "worksheet", "Exercises.")


def call(*words: str) -> Result:
    return CliRunner().invoke(main, ["worksheet", *words])


@pytest.mark.parametrize("topic", TOPICS)
def test_every_topic(topic: str) -> None:
    result = call("--topic", topic, "--seed", "7", "--blanks")
    assert result.exit_code == 0, result.output
    assert result.stdout == exercise(topic, 7).to_text(blanks=True)
    assert call("--topic", topic, "--seed", "7").stdout == exercise(topic, 7).to_text()


def test_files(tmp_path: Path) -> None:
    sheet, key = tmp_path / "sheet.md", tmp_path / "key.md"
    words = ["--topic", "reverse", "--seed", "3", "--format", "markdown"]
    result = call(*words, "--blanks", "--out", str(sheet), "--solution", str(key))
    assert (result.exit_code, result.stdout) == (0, "")
    assert sheet.read_text(encoding="utf-8") == exercise("reverse", 3).to_markdown(blanks=True)
    assert key.read_text(encoding="utf-8") == exercise("reverse", 3).to_markdown()
    assert call("--topic", "reverse", "--seed", "3", "--format", "latex").stdout.startswith(r"\documentclass")


def test_a_filled_in_sheet_is_checked(tmp_path: Path) -> None:
    path = tmp_path / "sheet.md"
    path.write_text(exercise("backprop", 3).to_markdown(), encoding="utf-8")
    result = call("--topic", "backprop", "--seed", "3", "--check", str(path))
    assert (result.exit_code, result.stdout.startswith("Right: all")) == (0, True)
    path.write_text(exercise("reverse", 3).to_markdown(blanks=True), encoding="utf-8")
    result = call("--topic", "reverse", "--seed", "3", "--check", str(path))
    assert result.exit_code == 1
    assert "Missing: " in result.stdout
    assert call("--topic", "reverse", "--check", str(tmp_path / "none.md")).exit_code == 2


def test_bad_words_exit_with_2() -> None:
    assert call("--topic", "algebra").exit_code == 2
    assert call("--topic", "reverse", "--seed", "-1").exit_code == 2
    assert "--topic" in call().output


def test_the_command_offers_what_there_is() -> None:
    assert worksheet_command.TOPICS == TOPICS
