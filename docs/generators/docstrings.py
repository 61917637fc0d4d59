"""How mkdocstrings reads the docstrings of this package: examples as code, and names as links.

The public names of `wengert` are loaded lazily, so a reader of the source does not see them there; they are
put in place here.
"""

from __future__ import annotations

import re
from typing import Any

import griffe

import wengert

FOR_TESTS = re.compile(r"<BLANKLINE>$|  # doctest: \+[A-Z_]+$", re.MULTILINE)
"""What only the test of an example needs."""
NAMED = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)`(?!`)")


class Docstrings(griffe.Extension):
    """Puts the lazily loaded names in their place, and turns docstrings into Markdown."""

    def on_package(self, *, pkg: griffe.Module, loader: griffe.GriffeLoader, **_: Any) -> None:
        """Public names become members of the package that users find them in."""
        if pkg.name != "wengert":
            return
        for name, module in wengert._HOME.items():
            if name not in pkg.members:
                pkg.set_member(name, griffe.Alias(name, f"{module}.{name}", parent=pkg))

    def on_instance(self, *, obj: griffe.Object, **_: Any) -> None:
        """Every docstring, once."""
        if obj.docstring is not None:
            obj.docstring.value = markdown(obj.docstring.value)


def markdown(text: str) -> str:
    """The docstring with its examples fenced, and links where it names other public objects.

    >>> markdown("Adds.\\n\\n>>> 1 + 1\\n2")
    'Adds.\\n\\n```pycon\\n>>> 1 + 1\\n2\\n```'
    """
    parts, end = [], 0
    for example in _examples(text):
        code = FOR_TESTS.sub("", text[example[0] : example[1]]).rstrip()
        parts += [_linked(text[end : example[0]]), f"```pycon\n{code}\n```"]
        end = example[1]
    return "".join([*parts, _linked(text[end:])])


def _examples(text: str) -> list[tuple[int, int]]:
    """Where examples begin and end: from a prompt to the next empty line."""
    found, position = [], 0
    while (start := _next_prompt(text, position)) >= 0:
        blank = text.find("\n\n", start)
        position = len(text) if blank < 0 else blank
        found.append((start, position))
    return _joined(text, found)


def _next_prompt(text: str, position: int) -> int:
    if position == 0 and text.startswith(">>> "):
        return 0
    found = text.find("\n>>> ", position)
    return found + 1 if found >= 0 else -1


def _joined(text: str, found: list[tuple[int, int]]) -> list[tuple[int, int]]:
    """Examples with nothing but an empty line between them are one."""
    joined: list[tuple[int, int]] = []
    for start, end in found:
        if joined and not text[joined[-1][1] : start].strip():
            joined[-1] = (joined[-1][0], end)
        else:
            joined.append((start, end))
    return joined


def _linked(text: str) -> str:
    return NAMED.sub(lambda found: link(found[1]), text)


def link(name: str) -> str:
    """A name in code that links to its place in the reference, where there is one."""
    from generators.api import documented

    path = documented().get(name)
    code = f"<code>{name}</code>"
    return f'<autoref identifier="{path}" optional>{code}</autoref>' if path else f"`{name}`"
