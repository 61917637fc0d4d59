"""For code that compiles a function unasked: is it more than a program, and why did it not become one?"""

from __future__ import annotations

import random
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from wengert.compiler.teaching import CaptureError

_PLAIN = (bool, int, float, str)
_GROWING = (list, dict, set)


def traces_left(homes: Iterable[Mapping[str, Any]] = ()) -> dict[str, list[Any]]:
    """What a call may leave behind that a program would not: how far the random numbers of NumPy and Python
    have gone, and what stands in ``homes``, the attributes of objects. Unequal before and after a call, the
    function does more than compute.

    >>> before = traces_left()
    >>> _ = random.random()
    >>> why_not_a_program(before, traces_left())
    "it draws random numbers that are not wengert's"
    """
    _, words, *place = np.random.get_state()
    drawn: list[Any] = [random.getstate(), np.asarray(words).tobytes(), place]
    kept: list[Any] = []
    for home in homes:
        for name, value in home.items():
            if isinstance(value, np.random.Generator):
                drawn.append(repr(value.bit_generator.state))
            elif isinstance(value, _PLAIN):
                kept.append((name, value))
            elif isinstance(value, _GROWING):
                kept.append((name, len(value)))
    return {"drawn": drawn, "kept": kept}


def why_not_a_program(before: dict[str, list[Any]], after: dict[str, list[Any]]) -> str:
    """In words what differs between two `traces_left`; empty where nothing does."""
    if before["drawn"] != after["drawn"]:
        return "it draws random numbers that are not wengert's"
    changed = [a for a, b in zip(before["kept"], after["kept"], strict=False) if a != b]
    if changed or len(before["kept"]) != len(after["kept"]):
        return f"it changes itself, at least in {changed[0][0]!r}" if changed else "it changes itself"
    return ""


def reason_of(error: Exception) -> str:
    """The heart of an error in one line, with the place in the user's code where it is known.

    >>> reason_of(ValueError("no such thing\\nand more"))
    'ValueError: no such thing'
    """
    first, *others = str(error).split("\n")
    if not isinstance(error, CaptureError):
        return f"{type(error).__name__}: {first}"
    mark = "wengert.compile: "
    found = next((line.removeprefix(mark) for line in (first, *others) if line.startswith(mark)), first)
    return found if found == first.removeprefix(mark) else f"{found.rstrip('.')} ({first.strip()})"
