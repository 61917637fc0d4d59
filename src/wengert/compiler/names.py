"""The user's names: for tensors outside a step, and for what it computes."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterable, Sequence
from operator import attrgetter
from types import CodeType, FrameType
from typing import Any

import numpy as np

from wengert.compiler.settings import PLAIN, Variable, settings
from wengert.graph.naming import node_of
from wengert.scalar import Scalar
from wengert.tensors import Tensor

_cell_content = attrgetter("cell_contents")


class Surroundings:
    """What a function reads by name from its globals, its closure and the object that it is a method of; and
    what the functions of the same file do that it calls. ``arguments`` are what it is called with."""

    def __init__(self, function: Callable[..., Any], arguments: Sequence[tuple[str, Any]] = ()) -> None:
        self.title = getattr(function, "__name__", type(function).__name__)
        self.variables: list[Variable] = []
        self.functions: list[Variable] = []
        self._codes: dict[int, CodeType] = {}
        self._collect(function)
        given = [(name, value) for name, value in arguments if not isinstance(value, (dict, list, tuple))]
        around = [(v.name, v.value()) for v in self.variables]
        self.settings = settings([*around, *given], self._codes.values())
        self._before = [(v, v.value()) for v in self.plain()]
        values = {v.name: v.value() for v in reversed(self.variables)}
        self.arrays = {id(value): name for name, value in values.items() if isinstance(value, np.ndarray)}
        self._names: dict[int, str] = {}
        for last in (False, True):  # a parameter is named by its model rather than by its optimizer
            for name, value in values.items():
                if _is_optimizer(value) is last:
                    self._name(name, value, 2)
        self.state: dict[int, tuple[str, Tensor]] = {}
        """What optimizers keep, by the identity of the tensor: its key and the parameter it belongs to."""
        self._unnamed = 0

    def _collect(self, function: Any) -> None:
        function = inspect.unwrap(function)
        owner = getattr(function, "__self__", None)
        if owner is not None and not inspect.ismodule(owner) and not isinstance(owner, type):
            self.variables.append(Variable("self", _itself, owner))
        elif not hasattr(function, "__code__") and not isinstance(function, type):
            self.variables.append(Variable(type(function).__name__.lower(), _itself, function))
        code = getattr(function, "__code__", None)
        if code is None or id(code) in self._codes:
            return
        self._codes[id(code)] = code
        own: dict[str, Any] = function.__globals__
        found = [Variable(name, own.__getitem__, name) for name in code.co_names if name in own]
        cells = zip(code.co_freevars, function.__closure__ or (), strict=True)
        found += [Variable(name, _cell_content, cell) for name, cell in cells]
        self.variables += found
        for variable in found:
            value = variable.value()
            if inspect.isfunction(value) and inspect.unwrap(value).__globals__ is own:
                self.functions.append(variable)
                self._collect(value)

    def objects(self) -> list[Variable]:
        """The variables that hold tensors, arrays, modules, optimizers: anything that is no plain number."""
        named = [v for v in self.variables if v.read is not _itself and _is_state(v.value())]
        return [*named, *self.functions, *(v for v in self.settings if not isinstance(v.value(), PLAIN))]

    def plain(self) -> list[Variable]:
        """The variables that hold a plain number, a truth value or a text."""
        return [v for v in (*self.variables, *self.settings) if isinstance(v.value(), PLAIN)]

    def changed(self) -> tuple[str, Any, Any] | None:
        """A plain value that is another now than when the function began: its name, and both values."""
        for variable, old in self._before:
            new = variable.value()
            if new is not old and isinstance(new, PLAIN) and None not in (new, old) and new != old:
                return variable.name, old, new
        return None

    # -- names of tensors
    # ----------------------------------------------------------------------------------------------

    def name(self, tensor: Tensor) -> str:
        """A name for a tensor outside the step."""
        known = self._names.get(id(tensor))
        if known is None:
            key, owner = self.state.get(id(tensor), ("", tensor))
            if key:
                known = f"{key} of {self.name(owner)}"
            else:
                self._unnamed += 1
                known = f"tensor{self._unnamed}"
            self._names[id(tensor)] = known
        return known

    def scalars(self) -> dict[int, str]:
        """The names of the Scalars outside the step, by their identity."""
        return self._names

    def belongs(self, tensor: Tensor, key: str, owner: Tensor) -> None:
        """An optimizer keeps the tensor under ``key`` for its owner: ``exp_avg of model.0.weight``."""
        self.state[id(tensor)] = (key, owner)

    def _name(self, name: str, value: Any, depth: int) -> None:
        if isinstance(value, (Tensor, Scalar)):
            self._names.setdefault(id(value), name)
        elif hasattr(type(value), "named_parameters"):
            buffers = value.named_buffers() if hasattr(type(value), "named_buffers") else ()
            for path, tensor in (*value.named_parameters(), *buffers):
                self._names.setdefault(id(tensor), f"{name}.{path}")
        elif _is_optimizer(value):
            parameters = [p for group in value.param_groups for p in group["params"]]
            for k, p in enumerate(parameters):
                self._names.setdefault(id(p), f"{name}.params[{k}]")
        elif depth and isinstance(value, dict):
            for key, branch in list(value.items())[:_MANY]:
                self._name(f"{name}.{key}", branch, depth - 1)
        elif depth and isinstance(value, (list, tuple)):
            for k, branch in enumerate(value[:_MANY]):
                self._name(f"{name}[{k}]", branch, depth - 1)
        elif depth and name == "self":
            for key, branch in getattr(value, "__dict__", {}).items():
                self._name(f"self.{key}", branch, depth - 1)


_MANY = 1000
"""No more entries of a list are looked at for names."""


def _itself(value: Any) -> Any:
    return value


def _is_state(value: Any) -> bool:
    """Whether a value may hold what a step computes with: no module, function or class, which nobody is
    expected to replace between two calls."""
    return not (isinstance(value, (*PLAIN, type)) or inspect.ismodule(value) or inspect.isroutine(value))


def running_frames() -> set[int]:
    """The frames that run now, by identity: their variables are not the step's."""
    found: set[int] = set()
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        found.add(id(frame))
        frame = frame.f_back
    return found


def local_names(frames: Iterable[FrameType]) -> dict[int, str]:
    """The name of every node that a finished frame of the step held in a variable."""
    names: dict[int, str] = {}
    for frame in frames:
        for name, value in frame.f_locals.items():
            node = node_of(value)
            if node is not None and not name.startswith("_"):
                names.setdefault(node.id, name)
    return names


def _is_optimizer(value: Any) -> bool:
    return "param_groups" in getattr(value, "__dict__", ())
