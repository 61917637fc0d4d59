"""Python names for the lines of a program: the user's own where there are any, else the row of the
worksheet."""

from __future__ import annotations

import builtins
import keyword
import re
import unicodedata
from collections.abc import Collection, Sequence

from wengert.compiler.lines import Line
from wengert.compiler.programs import Program

OURS = re.compile(r"[vt]\d+[a-z]*")


def identifier(words: str, taken: Collection[str] = ()) -> str:
    """A Python name that is as close to the given words as one can be, and none of those taken.

    >>> identifier("0.weight"), identifier("hidden.bias"), identifier("learning rate; import os")
    ('weight_0', 'hidden_bias', 'learning_rate_import_os')
    """
    parts = [re.sub(r"\W+", "_", part).strip("_") for part in unicodedata.normalize("NFKC", words).split(".")]
    parts = [part for part in parts if part]
    while parts and not parts[0].isidentifier() and any(part.isidentifier() for part in parts):
        parts.append(parts.pop(0))
    word = "_".join(parts)
    if not word.isidentifier():
        word = f"x_{word}" if word and f"x_{word}".isidentifier() else "x"
    if keyword.iskeyword(word) or hasattr(builtins, word) or OURS.fullmatch(word):
        word += "_"
    plain, number = word, 2
    while word in taken:
        word, number = f"{plain}_{number}", number + 1
    return word


def named(program: Program, lines: Sequence[Line], reserved: Collection[str]) -> dict[int, str]:
    """A name for each of these lines and for the slots, by their ids. The last line of row v7 is ``v7``,
    those that lead to it are ``v7a``, ``v7b``, …"""
    taken = set(reserved)
    names: dict[int, str] = {}
    for line in program.leaves:
        names[line.id] = identifier(program.name(line) or _unnamed(program, line), taken)
        taken.add(names[line.id])
    last = {line.origin: line for line in lines}
    before: dict[int | None, int] = {}
    for line in lines:
        user = program.name(line)
        if last[line.origin] is not line:
            before[line.origin] = before.get(line.origin, -1) + 1
            word = f"{_row(line)}{_letters(before[line.origin])}"
        else:
            word = identifier(user, taken) if user else _row(line)
        names[line.id] = word
        taken.add(word)
    return names


def _unnamed(program: Program, line: Line) -> str:
    assert line.slot is not None
    kind = program.slots[line.slot].kind
    return f"{kind}_{sum(slot.kind == kind for slot in program.slots[: line.slot + 1])}"


def _row(line: Line) -> str:
    return f"t{line.id}" if line.origin is None else f"v{line.origin}"


def _letters(number: int) -> str:
    """a, b, …, z, za, zb, …"""
    return "z" * (number // 25) + "abcdefghijklmnopqrstuvwxy"[number % 25]
