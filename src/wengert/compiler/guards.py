"""Guards: what must be as it was when a step was captured, checked in a few microseconds at every call."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from operator import itemgetter
from types import CellType
from typing import Any

from wengert.compiler.captured import Guard
from wengert.compiler.names import Surroundings
from wengert.compiler.settings import PLAIN, Variable, settings
from wengert.compiler.teaching import refusal
from wengert.compiler.touched import TouchedTensors
from wengert.nn.registration import Registered
from wengert.tensors import Tensor

ERRORS = (KeyError, AttributeError, IndexError, TypeError, ValueError)
"""What a check raises where the thing that it looks for is gone."""


def guards_of_modules(modules: Sequence[Any]) -> list[Guard]:
    """Every module that was called has the parameters, parts and hooks that it had, and the same training
    flag, dropout probability and other plain numbers."""
    if not modules:
        return []
    homes = [vars(module) for module in modules]
    parts = [(h, k, v) for h in homes for k, v in h.items() if isinstance(v, (Tensor, Registered))]
    plain = {id(h): [k for k, v in h.items() if type(v) in PLAIN] for h in homes}
    readers = [(itemgetter(*plain[id(h)]), h) for h in homes if plain[id(h)]]
    known = [(read, home, read(home)) for read, home in readers]
    hooks = [module._hooks for module in modules]
    counts = list(map(len, hooks))

    def same_parts() -> bool:
        for home, name, part in parts:
            if home[name] is not part:
                return False
        return list(map(len, hooks)) == counts

    def same_numbers() -> bool:
        for read, home, numbers in known:
            now = read(home)
            if now is not numbers and now != numbers:
                return False
        return True

    kinds = ", ".join(dict.fromkeys(type(module).__name__ for module in modules))
    named = [(type(module).__name__, module) for module in modules]
    forwards = [code for m in modules if (code := getattr(type(m).forward, "__code__", None))]
    return [
        Guard(f"the training flag and the settings of {kinds}", same_numbers, True),
        Guard(f"the parameters, parts and hooks of {kinds}", same_parts, True),
        *_guards_of_variables(f"what {kinds} reads", settings(named, forwards)),
    ]


def guard_of_surroundings(surroundings: Surroundings) -> Guard:
    """The function still reads the same objects and numbers by the names of its globals and closure, and in
    the objects, lists and dictionaries that these hold. Raises `CaptureError` where it changed such a number
    itself, for that would happen only once."""
    changed = surroundings.changed()
    if changed is not None:
        name, old, new = changed
        raise refusal(
            f"the step changes {name} from {old!r} to {new!r}, but Python runs only while a step is captured",
            "change a number behind the step, or keep it in a tensor that the step changes in place.\n"
            "  wrong:  self.count += 1           in the step\n"
            "  right:  step(x); self.count += 1",
        )
    variables = [*surroundings.objects(), *surroundings.plain()]
    description = f"the objects that {surroundings.title} reads by name"
    return Guard(description, _unchanged(variables), True)


def _guards_of_variables(description: str, variables: Sequence[Variable]) -> list[Guard]:
    return [Guard(description, _unchanged(variables), True)] if variables else []


def _unchanged(variables: Sequence[Variable]) -> Callable[[], Hashable]:
    """Whether the variables hold the same objects as now, and equal numbers."""
    cells, objects, numbers = [], [], []
    for variable in variables:
        value = variable.value()
        if isinstance(value, PLAIN):
            numbers.append((variable.read, variable.home, value))
        elif type(variable.home) is CellType:
            cells.append((variable.home, value))
        else:
            objects.append((variable.read, variable.home, value))

    def check() -> bool:
        for cell, value in cells:
            if cell.cell_contents is not value:
                return False
        for read, home, value in objects:
            if read(home) is not value:
                return False
        for read, home, value in numbers:
            now = read(home)
            if now is not value and now != value:
                return False
        return True

    return check


def guard_of_tensors(tensors: TouchedTensors, surroundings: Surroundings) -> list[Guard]:
    """Which tensors require gradients, and which gradients were None when the step first read them."""
    touched = [t.tensor for t in tensors.data.values() if id(t.tensor) not in surroundings.state]
    guards = []
    if touched:
        flags = [(tensor, tensor.requires_grad) for tensor in touched]

        def same_flags() -> bool:
            for tensor, flag in flags:  # noqa: SIM110
                if tensor.requires_grad is not flag:
                    return False
            return True

        guards.append(Guard("requires_grad of the tensors outside", same_flags, True))
    empty = [g.tensor for g in tensors.gradients.values() if g.was_read and g.node is None]
    if empty:

        def gradients() -> bool:
            for tensor in empty:  # noqa: SIM110
                if tensor.grad is not None:
                    return False
            return True

        guards.append(Guard("gradients that were None when the step began", gradients, True))
    return guards
