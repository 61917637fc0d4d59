"""Reverse mode: the tape, and the sweep that walks it backwards."""

from __future__ import annotations

import functools
import importlib
import itertools
from array import array
from collections.abc import Iterable, Mapping, Sequence
from itertools import repeat
from operator import add, attrgetter
from typing import Any

from wengert.autodiff.anomaly import WATCHERS, check, is_watching, note
from wengert.autodiff.levels import is_recording
from wengert.capturing import running
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import zeros_like
from wengert.ops.kinds import component, shape
from wengert.ops.methods import ArrayMethods
from wengert.ops.op import Op, Traced
from wengert.ops.shape import astype, real, unbroadcast

next_sequence = itertools.count(1).__next__


class FreedGraph:
    """Stands where a tape's record was, once a backward pass has freed it."""

    name = "freed"


FREED: Any = FreedGraph()


class Variable(ArrayMethods, Traced):
    """A value on a tape.

    ``data`` is the value itself, of any number system or lower level. A result remembers its operation:
    ``op``, ``args`` (the arguments that a gradient is wanted for, None in the other places), ``values`` (all
    the arguments' values when it was computed) and ``params``. A leaf that requires a gradient collects it in
    ``grad``.
    """

    __slots__ = (
        *("__weakref__", "args", "data", "extras", "grad", "level"),
        *("op", "params", "requires_grad", "sequence", "values"),
    )

    precedence = 0

    def __init__(self, data: Any, requires_grad: bool = False, level: int = 0) -> None:
        self.data = data
        self.grad: Any = None
        self.op: Op | None = None
        self.args: tuple[Variable | None, ...] | None = None
        self.values: tuple[Any, ...] | None = None
        self.params: Mapping[str, Any] | None = None
        self.level = level
        self.requires_grad = requires_grad
        self.sequence = 0
        self.extras: dict[str, Any] | None = None

    def bare(self, data: Any, level: int) -> Variable:
        """A result of this variable's type that remembers nothing yet."""
        out: Variable = object.__new__(self.result_type)
        out.data, out.level, out.requires_grad, out.sequence = data, level, False, 0
        out.grad = out.op = out.args = out.values = out.params = out.extras = None
        return out

    def remember(
        self, op: Op, parents: tuple[Variable | None, ...], values: tuple[Any, ...], params: Mapping[str, Any]
    ) -> None:
        """Put the operation that made this result on the tape."""
        self.requires_grad = True
        self.op, self.args, self.values, self.params = op, parents, values, params
        self.sequence = next_sequence()
        if WATCHERS:
            note(self)

    @property
    def is_leaf(self) -> bool:
        """Whether this is no recorded result."""
        return self.op is None

    @property
    def beneath(self) -> Any:
        """The value itself."""
        return self.data

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents of the axes; ``()`` for a number."""
        return tuple(getattr(self.data, "shape", ()))

    def record(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        level, values, parents, wanted = self.level, [], [], False
        for a in args:
            if isinstance(a, Variable) and a.level == level:
                values.append(a.data)
                parents.append(a if a.requires_grad else None)
                wanted = wanted or a.requires_grad
            else:
                values.append(a)
                parents.append(None)
        data = op.apply(tuple(values), params)
        out = (self if len(args) == 1 else _richest(self, args)).bare(data, level)
        if wanted and op.differentiable and is_recording(level) and is_floating(data):
            out.remember(op, tuple(parents), tuple(values), params)
        if isinstance(data, tuple):
            return tuple(out.record(component, (out,), {"index": k}) for k in range(len(data)))
        return out

    @property
    def result_type(self) -> type[Variable]:
        """The type of results of operations on this variable."""
        return type(self)

    def wrap(self, value: Any) -> Any:
        """A plain value as the user of this type expects it."""
        return value

    def accumulate(self, adjoint: Any, create_graph: bool) -> None:
        """Add an adjoint to ``grad``."""
        self.grad = adjoint if self.grad is None else self.grad + adjoint


def _richest(first: Variable, args: Iterable[Any]) -> Variable:
    """Of mixed variables, one whose type holds arrays, so that it names the result's type."""
    return max((a for a in args if isinstance(a, Variable)), key=lambda a: a.precedence, default=first)


VARIABLE_TYPES = {"array": "wengert.tensors:Tensor", "number": "wengert.scalar.number:Scalar"}
"""The user-facing type for arrays and for numbers, imported when the first one is needed."""


@functools.cache
def _variable_type(kind: str) -> type[Variable]:
    module, _, name = VARIABLE_TYPES[kind].partition(":")
    found: type[Variable] = getattr(importlib.import_module(module), name)
    return found


def variable(value: Any, level: int) -> Variable:
    """A variable of a transform's level around a value: a `Tensor` for arrays, a `Scalar` for numbers."""
    return _variable_type("array" if _is_array(value) else "number")(value, True, level)


def _is_array(value: Any) -> bool:
    """Whether an array stands at the bottom of a value's layers."""
    while isinstance(value, (Traced, Node)):
        if isinstance(value, Variable):
            return value.precedence > 0
        value = value.beneath
    return hasattr(value, "shape")


def is_floating(data: Any) -> bool:
    """Whether values of this type have derivatives: not integers, not truth values."""
    if isinstance(data, tuple):
        return True
    kind = getattr(getattr(data, "dtype", None), "kind", None)
    return kind not in ("i", "u", "b")


def sweep(
    roots: Sequence[Variable],
    seeds: Sequence[Any],
    *,
    create_graph: bool = False,
    free: bool = False,
    wanted: Iterable[Variable] | None = None,
    stops: Iterable[Variable] = (),
) -> dict[int, Any]:
    """Walk the tape backwards from the roots and return adjoints by ``id`` of the variable.

    Without ``wanted``, the adjoints are added to the ``grad`` of the leaves and of variables that retain it.
    With it, the adjoints of just these variables are returned and no ``grad`` is touched. ``create_graph``
    records the sweep itself, so that its results can be differentiated. Nothing behind ``stops`` is visited.
    The walk is iterative: depth does not matter.
    """
    ends = set(stops)
    kept = None if wanted is None else set(wanted)
    results: dict[int, Any] = {}
    handed_out = set(map(id, seeds))
    watching = is_watching()
    capture = running.get()
    if capture is not None:
        capture.section("backward")
    adjoints: dict[Variable | None, Any] = {}
    order = _reachable(roots, ends)
    for k, root in enumerate(roots):
        if root in adjoints:
            _add(adjoints, root, seeds[k])
        else:
            adjoints[root] = seeds[k]
    for v in order:
        adjoint, op, extras = adjoints.pop(v, None), v.op, v.extras
        if adjoint is None:
            if op is not None:
                continue
            adjoint = zeros_like(v.data)
        if extras is not None:
            adjoint = _run_hooks(v, adjoint)
        if type(adjoint) is Node and type(v.data) is Node:
            adjoint = adjoint.graph.derivative("adjoint", adjoint, v.data)
        if kept is not None:
            if v in kept:
                results[id(v)] = _unshared(_writable(adjoint), handed_out)
        elif op is None or (extras is not None and extras.get("retain_grad")):
            v.accumulate(_unshared(adjoint, handed_out), create_graph)
        if op is None or v in ends:
            continue
        args, values = v.args, v.values
        assert args is not None and values is not None and v.params is not None
        if create_graph:
            parts = _recorded_parts(v, adjoint)
        else:
            parts = op.vjp(adjoint, values, v.data, v.params, args)
        if watching:
            check(v, adjoint, values, parts)
        if type(parts) is array:  # of floats, for many numbers: the same as below, all at once
            adjoints.update(zip(args, map(add, map(adjoints.get, args, _ZEROS), parts)))  # noqa: B905
        else:
            for a, value, part in zip(args, values, parts):  # noqa: B905 (this runs once per operation)
                if a is None or part is None:
                    continue
                if type(part) is not float or type(value) is not float:
                    try:
                        fits = part.shape == value.shape and part.dtype is value.dtype
                    except AttributeError:
                        fits = False
                    if not fits:
                        part = matched(part, value)
                if a not in adjoints:
                    adjoints[a] = part
                elif type(part) is float:
                    adjoints[a] += part
                else:
                    _add(adjoints, a, part)
        if free:
            v.op, v.args, v.values, v.params = FREED, None, None, None
    if capture is not None:
        capture.section("forward")
    return results


def _unshared(adjoint: Any, handed_out: set[int]) -> Any:
    """The adjoint, copied where its array was handed out before: two gradients never share their memory."""
    if id(adjoint) in handed_out and hasattr(adjoint, "copy"):
        return adjoint.copy()
    handed_out.add(id(adjoint))
    return adjoint


def _writable(adjoint: Any) -> Any:
    """The adjoint, copied where it is a number spread over an array, which nobody could write into."""
    flags = getattr(adjoint, "flags", None)
    return adjoint if flags is None or flags.writeable or not adjoint.shape else adjoint.copy()


_ZEROS = repeat(-0.0)
"""The neutral number of addition: 0.0 would lose the sign of -0.0."""


def _reachable(roots: Sequence[Variable], ends: set[Variable]) -> list[Variable]:
    """Every variable that the roots depend on and that requires a gradient, latest first."""
    seen: set[Variable | None] = {None, *roots}  # None stands where no gradient is wanted
    order = list(roots)
    for v in order:
        args = v.args
        if args is None:
            if v.op is not None:
                raise RuntimeError(
                    "backward through a graph that an earlier backward has freed; "
                    "call the first one with backward(retain_graph=True), or compute the result again"
                )
        elif not seen.issuperset(args) and v not in ends:
            for a in args:
                if a not in seen:
                    seen.add(a)
                    order.append(a)  # type: ignore[arg-type]
    order.sort(key=_by_sequence, reverse=True)
    return order


_by_sequence = attrgetter("sequence")


def _recorded_parts(v: Variable, adjoint: Any) -> Sequence[Any]:
    """What one operation hands to each of its arguments, itself recorded on the tape."""
    op, args, values, params = v.op, v.args, v.values, v.params
    assert op is not None and args is not None and values is not None and params is not None
    for a, value in zip(args, values, strict=True):
        if a is not None and a.data is not value:
            raise RuntimeError(
                f"{op.name}: an argument was updated in place after it was used, so the recorded derivative "
                f"cannot be differentiated again; compute the result again after the update"
            )
    recorded = tuple(value if a is None else a for a, value in zip(args, values, strict=True))
    result: Any = v
    if isinstance(v.data, tuple):
        result = tuple(v.record(component, (v,), {"index": k}) for k in range(len(v.data)))
    return op.vjp(adjoint, recorded, result, params, args)


def matched(adjoint: Any, primal: Any) -> Any:
    """The adjoint with the primal's shape and dtype: broadcasts are undone here, and nowhere else."""
    if type(adjoint) is list:
        return adjoint
    wanted = shape(primal)
    if shape(adjoint) != wanted:
        adjoint = unbroadcast(adjoint, wanted)
    dtype = getattr(primal, "dtype", None)
    have = getattr(adjoint, "dtype", None)
    if have is not dtype and dtype is not None and have is not None and have != dtype:
        if getattr(have, "kind", "") == "c" and getattr(dtype, "kind", "") != "c":
            adjoint = real(adjoint)
        adjoint = astype(adjoint, dtype=dtype)
    return adjoint


def _add(adjoints: dict[Variable | None, Any], v: Variable, adjoint: Any) -> None:
    present = adjoints.get(v)
    if present is None:
        adjoints[v] = adjoint
    elif type(present) is list:
        adjoints[v] = [
            q if p is None else (p if q is None else p + q) for p, q in zip(present, adjoint, strict=True)
        ]
    else:
        adjoints[v] = present + adjoint


def _run_hooks(v: Variable, adjoint: Any) -> Any:
    assert v.extras is not None
    for hook in list(v.extras.get("hooks", {}).values()):
        replaced = hook(v.wrap(adjoint))
        if replaced is not None:
            adjoint = replaced.data if isinstance(replaced, Variable) else replaced
    return adjoint
