"""The names that a function gives to its values, read from its local variables when it returns."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from wengert.numbers.graph import Node


def call_with_names(
    f: Callable[..., Any], args: tuple[Any, ...], words: dict[str, Any]
) -> tuple[Any, dict[int, str]]:
    """f's result, and the local name of every node that f held in a variable."""
    code = _code(f)
    names: dict[int, str] = {}

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is code:
            for name, value in frame.f_locals.items():
                node = node_of(value)
                if node is not None and not name.startswith("_"):
                    names.setdefault(node.id, name)

    before = sys.getprofile()
    if before is not None and not callable(before):  # a profiler in C runs: it could not be put back
        return f(*args, **words), names
    sys.setprofile(watch)
    try:
        return f(*args, **words), names
    finally:
        sys.setprofile(before)


def names_of_arrays(f: Callable[..., Any]) -> dict[int, str]:
    """The names, by identity, of the arrays that a function reads from its surroundings."""
    f = inspect.unwrap(f)
    code = getattr(f, "__code__", None)
    if code is None:
        return {}
    surroundings = {name: f.__globals__[name] for name in code.co_names if name in f.__globals__}
    for name, cell in zip(code.co_freevars, f.__closure__ or (), strict=True):
        try:
            surroundings[name] = cell.cell_contents
        except ValueError:
            continue
    arrays = {
        name: value.data if hasattr(type(value), "requires_grad") else value
        for name, value in surroundings.items()
    }
    return {id(value): name for name, value in arrays.items() if getattr(value, "shape", ())}


def _code(f: Callable[..., Any]) -> CodeType | None:
    """The code that the user wrote: behind decorators and transforms, or an object's own ``__call__``."""
    f = inspect.unwrap(f)
    found: CodeType | None = getattr(f, "__code__", None) or getattr(type(f).__call__, "__code__", None)
    return found


def node_of(value: Any) -> Node | None:
    """The node beneath a value's tapes; None where there is none."""
    while type(value) is not Node and hasattr(type(value), "requires_grad"):
        value = value.data
    return value if type(value) is Node else None
