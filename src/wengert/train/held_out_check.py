"""Whether something that is about to be tuned can reach the test part."""

from __future__ import annotations

import dis
import functools
from collections.abc import Iterator, Mapping
from types import CodeType, FunctionType, MethodType, ModuleType
from typing import Any

from wengert.data.held_out import HeldOut

DEEPEST = 6
LONGEST = 1000


def refuse_held_out(name: str, value: Any) -> None:
    """Raise ValueError where ``value`` is or holds a `HeldOut`: in a container, an attribute, an argument of
    a partial, or a variable that a function takes from outside.

    >>> refuse_held_out("objective", lambda parameters, trial: 0.0)
    """
    path = _search(value, name, set(), 0)
    if path is not None:
        raise ValueError(
            f"{path} is a HeldOut test part, and tuning by it would fit the model to the test rows. "
            f"Tune on the validation part; score the test part once, at the end"
        )


def _search(value: Any, path: str, seen: set[int], depth: int) -> str | None:
    if isinstance(value, HeldOut):
        return path
    if (
        depth > DEEPEST
        or id(value) in seen
        or isinstance(value, type | ModuleType | str | bytes | int | float)
    ):
        return None
    seen.add(id(value))
    for part, label in _parts(value):
        found = _search(part, label.format(path), seen, depth + 1)
        if found is not None:
            return found
    return None


def _parts(value: Any) -> Iterator[tuple[Any, str]]:
    """What a value holds, and how to write it; ``{}`` stands for the value's own name."""
    if isinstance(value, FunctionType):
        yield from _outside(value)
    elif isinstance(value, MethodType):
        yield value.__func__, "{}"
        yield value.__self__, "{}.__self__"
    elif isinstance(value, functools.partial):
        yield value.func, "{}.func"
        yield from ((part, "an argument of {}") for part in (*value.args, *value.keywords.values()))
    elif isinstance(value, Mapping):
        if len(value) <= LONGEST:
            yield from ((part, "an entry of {}") for part in value.values())
    elif isinstance(value, list | tuple | set | frozenset):
        if len(value) <= LONGEST:
            yield from ((part, "an entry of {}") for part in value)
    else:
        call = getattr(type(value), "__call__", None)  # noqa: B004 (the method itself is searched)
        if isinstance(call, FunctionType):
            yield call, "{}"
        yield from ((part, "{}." + _escaped(key)) for key, part in _attributes(value))


def _outside(function: FunctionType) -> Iterator[tuple[Any, str]]:
    """The values that a function takes from outside: defaults, closure, globals, functions it calls.

    Of an object with attributes only those count that the function names, so that ``parts.train`` passes
    where ``parts.test`` does not.
    """
    yield from ((part, "a default of {}") for part in function.__defaults__ or ())
    yield from ((part, "a default of {}") for part in (function.__kwdefaults__ or {}).values())
    globals_named, names = _names(function.__code__)
    captured = {}
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        try:
            captured[name] = cell.cell_contents
        except ValueError:  # a variable that is not assigned yet
            continue
    captured |= {name: function.__globals__[name] for name in globals_named if name in function.__globals__}
    for name, part in captured.items():
        label = f"{_escaped(name)}, which {{}} uses,"
        if isinstance(part, FunctionType):
            if part.__globals__ is function.__globals__:  # the caller's own module, not a library
                yield part, label
        elif isinstance(part, HeldOut | Mapping | list | tuple | functools.partial | MethodType):
            yield part, label
        else:
            yield from (
                (value, f"{_escaped(name)}.{_escaped(key)}, which {{}} uses,")
                for key, value in _attributes(part)
                if key in names and isinstance(value, HeldOut)
            )


def _names(code: CodeType) -> tuple[set[str], set[str]]:
    """The globals that a function and the functions inside it read, and all names that they mention."""
    read = {
        str(line.argval) for line in dis.get_instructions(code) if line.opname in ("LOAD_GLOBAL", "LOAD_NAME")
    }
    mentioned = set(code.co_names)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            more_read, more_mentioned = _names(constant)
            read |= more_read
            mentioned |= more_mentioned
    return read, mentioned


def _attributes(value: Any) -> Iterator[tuple[str, Any]]:
    yield from getattr(value, "__dict__", {}).items()
    for kind in type(value).__mro__:
        slots = kind.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if isinstance(name, str) and not name.startswith("__") and hasattr(value, name):
                yield name, getattr(value, name)


def _escaped(text: Any) -> str:
    return str(text).replace("{", "{{").replace("}", "}}")
