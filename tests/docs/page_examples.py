"""The examples on a page of the documentation: Python with prompts, and commands with what they print."""

from __future__ import annotations

import doctest
import re
import shlex
from dataclasses import dataclass
from pathlib import Path

FENCE = re.compile(r"^( *)```")


@dataclass(frozen=True)
class Command:
    """A line after a ``$`` in a block of the terminal, and what should be printed."""

    words: tuple[str, ...]
    expected: str
    line: int


class Printed(doctest.OutputChecker):
    """Compares what is seen: blanks at the end of a line, and empty lines at the end, are not."""

    def check_output(self, want: str, got: str, optionflags: int) -> bool:
        return super().check_output(_seen(want), _seen(got), optionflags)


def _seen(text: str) -> str:
    return "\n".join(line.rstrip() for line in text.rstrip().splitlines()) + "\n"


def blocks(text: str, language: str) -> list[tuple[int, list[str]]]:
    """The fenced blocks in a language: the number of the first line, and the lines without their indent."""
    found: list[tuple[int, list[str]]] = []
    indent: str | None = None
    for number, line in enumerate(text.splitlines(), start=1):
        fence = FENCE.match(line)
        if fence and indent is not None:
            indent = None
        elif fence and line.strip() == f"```{language}":
            indent = fence[1]
            found.append((number + 1, []))
        elif indent is not None:
            found[-1][1].append(line.removeprefix(indent))
    return found


def session(text: str, path: Path) -> doctest.DocTest:
    """All the Python of a page as one session, each example on the line that it has on the page."""
    lines = [""] * (len(text.splitlines()) + 1)
    for first, block in blocks(text, "pycon"):
        lines[first - 1 : first - 1 + len(block)] = block
    return doctest.DocTestParser().get_doctest("\n".join(lines), {}, path.stem, str(path), 0)


def commands(text: str) -> list[Command]:
    """The commands of a page in order, with the lines that stand below them."""
    found: list[Command] = []
    for first, block in blocks(text, "console"):
        starts = [k for k, line in enumerate(block) if line.startswith("$ ")]
        for start, end in zip(starts, [*starts[1:], len(block)], strict=True):
            words = tuple(shlex.split(block[start].removeprefix("$ "), comments=True))
            found.append(Command(words, "\n".join(block[start + 1 : end]).rstrip(), first + start))
    return found


def agrees(expected: str, found: str) -> bool:
    """Whether a command printed what the page shows; a line with "…" alone stands for any lines."""
    pattern = "\n".join("..." if line.strip() == "…" else line for line in expected.splitlines())
    return Printed().check_output(pattern, found, doctest.ELLIPSIS)
