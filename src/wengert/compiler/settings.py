"""The numbers, flags and texts that a function reads from the objects, lists and dictionaries around it, such
as ``config.rate`` and ``sizes[0]``: they become part of a program, which holds only while they stay."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Sequence
from operator import attrgetter, itemgetter
from types import CodeType, ModuleType
from typing import Any, NamedTuple

import numpy as np

from wengert.scalar import Scalar
from wengert.tensors import Tensor

PLAIN = (bool, int, float, str, type(None))
MOST = 100
"""Longer lists and dictionaries are data, not settings."""
_DEPTH = 2
_LIBRARIES = ("wengert", "numpy", "math", "builtins")


class Variable(NamedTuple):
    """A name in a function's globals, its closure or its object, and how it is read: ``read(home)``."""

    name: str
    read: Callable[[Any], Any]
    home: Any

    def value(self) -> Any:
        """What the name stands for now; None for nothing yet."""
        try:
            return self.read(self.home)
        except (ValueError, LookupError, AttributeError):
            return None


def settings(roots: Sequence[tuple[str, Any]], codes: Iterable[CodeType]) -> list[Variable]:
    """What code can read from the roots by an attribute's name, an index or a key: plain values, tensors and
    arrays. Of an object only the attributes count that the code names."""
    words = _words(codes, [value for _, value in roots if _is_object(value)])
    found: dict[tuple[int, str], Variable] = {}
    for name, value in roots:
        for variable in _entries(name, value, words, _DEPTH):
            found.setdefault((id(variable.home), variable.name.removeprefix(name)), variable)
    return list(found.values())


def _entries(name: str, value: Any, words: set[str], depth: int) -> Iterator[Variable]:
    """The settings in one value."""
    entries: list[Variable] = []
    if isinstance(value, dict) and len(value) <= MOST:
        entries = [Variable(f"{name}[{key!r}]", itemgetter(key), value) for key in value]
    elif isinstance(value, (list, tuple)) and len(value) <= MOST:
        entries = [Variable(f"{name}[{k}]", itemgetter(k), value) for k in range(len(value))]
    elif _is_object(value):
        homes = [vars(value)] if hasattr(value, "__dict__") else []
        homes += [vars(kind) for kind in getattr(value, "__mro__", type(value).__mro__)]
        known = {word for home in homes for word in words & home.keys() if not _is_code(home[word])}
        entries = [Variable(f"{name}.{word}", attrgetter(word), value) for word in sorted(known)]
    for variable in entries:
        try:
            entry = variable.read(variable.home)
        except (LookupError, AttributeError):
            continue  # declared, but not there yet
        if isinstance(entry, (*PLAIN, Tensor, np.ndarray)):
            yield variable
        elif depth:
            yield from _entries(variable.name, entry, words, depth - 1)


def _words(codes: Iterable[CodeType], objects: Sequence[Any]) -> set[str]:
    """The names in some code, and in the methods of the objects that it names."""
    words: set[str] = set()
    waiting = list(codes)
    while waiting:
        code = waiting.pop()
        waiting += [inner for inner in code.co_consts if isinstance(inner, CodeType)]
        fresh = set(code.co_names) - words
        words |= fresh
        for value in objects:
            for word in fresh:
                method = inspect.getattr_static(type(value), word, None)
                method = getattr(method, "fget", None) or getattr(method, "__func__", method)
                if hasattr(method, "__wrapped__") or inspect.isfunction(method):
                    waiting += filter(None, [getattr(inspect.unwrap(method), "__code__", None)])
    return words


def _is_object(value: Any) -> bool:
    """Whether attributes of a value are the user's own settings: an object or a class of theirs, or one of
    their modules."""
    if isinstance(value, (*PLAIN, dict, list, tuple, Tensor, Scalar, np.ndarray)) or inspect.isroutine(value):
        return False
    kind = value if isinstance(value, (type, ModuleType)) else type(value)
    home = kind.__name__ if isinstance(kind, ModuleType) else kind.__module__
    return home.partition(".")[0] not in _LIBRARIES


def _is_code(value: Any) -> bool:
    """Whether an attribute is computed, or is no state: a method, a property, a class, a module."""
    computed = hasattr(value, "__get__") and not inspect.ismemberdescriptor(value)
    return computed or isinstance(value, (type, ModuleType))
