"""What the pages of the documentation show is what happens."""

from __future__ import annotations

import doctest
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner
from page_examples import Printed, agrees, commands, session

from wengert.cli import main
from wengert.ops.op import TABLE

PAGES = Path(__file__).resolve().parents[2] / "docs" / "pages"
WRITTEN = sorted(PAGES.rglob("*.md"))


def by_name(path: Path) -> str:
    return path.relative_to(PAGES).as_posix()


@pytest.fixture(autouse=True)
def _in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Pages write files, and one of them adds a row to the table."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.setenv("WENGERT_CACHE", str(tmp_path / "cache"))
    before = set(TABLE)
    yield
    for name in set(TABLE) - before:
        del TABLE[name]


@pytest.mark.parametrize("path", WRITTEN, ids=by_name)
def test_examples_give_what_the_page_shows(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    examples = session(path.read_text(encoding="utf-8"), path)
    runner = doctest.DocTestRunner(Printed(), verbose=False, optionflags=doctest.ELLIPSIS)
    # A class or a pickle that an example defines looks for the module of that name.
    examples.globs["__name__"] = "__main__"
    written: list[str] = []
    runner.run(examples, out=written.append)
    if runner.summarize(verbose=False).failed:
        pytest.fail("".join(written))


@pytest.mark.parametrize(
    "path", [path for path in WRITTEN if commands(path.read_text(encoding="utf-8"))], ids=by_name
)
def test_commands_print_what_the_page_shows(path: Path) -> None:
    for command in commands(path.read_text(encoding="utf-8")):
        program, *words = command.words
        if program == "pip":
            continue
        assert program == "wengert", f"line {command.line}: a page shows commands of wengert only"
        result = CliRunner().invoke(main, words)
        assert agrees(command.expected, result.output), f"line {command.line}:\n{result.output}"


def test_every_page_is_in_the_navigation() -> None:
    listed = (PAGES.parents[1] / "mkdocs.yml").read_text(encoding="utf-8")
    for path in WRITTEN:
        if path.parent.name != "notebooks":
            assert f"- {by_name(path)}\n" in listed, by_name(path)
