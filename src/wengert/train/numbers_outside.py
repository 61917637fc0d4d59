"""Numbers that a loss or a model reads by name: a program was compiled with those of its time."""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from typing import Any

from wengert.compiler.names import Surroundings


class NumbersOutside:
    """The plain numbers in the globals and closures of functions, and of what modules do in ``forward``.

    >>> def make():
    ...     weight = 1.0
    ...     def loss(x):
    ...         return weight * x
    ...     def double():
    ...         nonlocal weight
    ...         weight *= 2
    ...     return loss, double
    >>> loss, double = make()
    >>> numbers = NumbersOutside([loss])
    >>> double()
    >>> numbers.changed(), numbers.changed()
    ('weight', '')
    """

    def __init__(self, things: Iterable[Any]) -> None:
        functions = [function for thing in things if (function := _written_by_the_user(thing)) is not None]
        found = {id(function): function for function in functions}.values()
        self._read = [variable for function in found for variable in Surroundings(function).plain()]
        self._values = [variable.value() for variable in self._read]
        self.changes = 0

    def changed(self) -> str:
        """The name of a number that is no longer as it was when this was last asked; empty where none is."""
        values = [variable.value() for variable in self._read]
        if values == self._values:
            return ""
        pairs = zip(self._read, values, self._values, strict=True)
        self._values = values
        self.changes += 1
        return next((variable.name for variable, now, before in pairs if now != before), "")


def _written_by_the_user(thing: Any) -> Any:
    """A function itself, or the ``forward`` of a module that is none of wengert's; else None."""
    if inspect.isfunction(thing):
        return thing
    own = type(thing).__module__.partition(".")[0] != "wengert"
    return getattr(type(thing), "forward", None) if own else None
