"""The names that a function gives to its values, read from its local variables when it returns, and the
modules that it calls."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

from wengert.numbers.graph import Graph, Node


def call_with_names(
    graph: Graph, f: Callable[..., Any], args: tuple[Any, ...], words: dict[str, Any]
) -> tuple[Any, dict[int, str]]:
    """f's result, and the local name of every node that f held in a variable. The graph's nodes are told the
    modules in whose call they are made."""
    code = _code(f)
    names: dict[int, str] = {}
    modules: list[tuple[FrameType, Any]] = []

    def watch(frame: FrameType, event: str, argument: Any) -> None:
        if event == "return" and frame.f_code is code:
            for name, value in frame.f_locals.items():
                node = node_of(value)
                if node is not None and not name.startswith("_"):
                    names.setdefault(node.id, name)
        if event == "call" and frame.f_code.co_name == "__call__":
            module = frame.f_locals.get("self")
            if hasattr(type(module), "named_children"):
                graph.scope += (_name_of_module(module, modules[-1][1] if modules else None, frame),)
                modules.append((frame, module))
        elif event == "return" and modules and modules[-1][0] is frame:
            modules.pop()
            graph.scope = graph.scope[:-1]

    before = sys.getprofile()
    if before is not None and not callable(before):  # a profiler in C runs: it could not be put back
        return f(*args, **words), names
    sys.setprofile(watch)
    try:
        return f(*args, **words), names
    finally:
        sys.setprofile(before)


def _name_of_module(module: Any, caller: Any, frame: FrameType) -> str:
    """What the module is called by the module around it, else by the code that calls it."""
    if caller is not None:
        for path, found in caller.named_modules():
            if found is module and path:
                return str(path)
    outside = frame.f_back
    surroundings = {} if outside is None else {**outside.f_globals, **outside.f_locals}
    for name, value in reversed(surroundings.items()):
        if value is module and not name.startswith("_") and name != "self":
            return name
    return type(module).__name__


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
