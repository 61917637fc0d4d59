"""From a captured graph to the lines of a program: the graph evaluated over lines."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from sys import getrefcount
from typing import Any

import numpy as np

from wengert.compiler.canonical import CANONICAL, PRIMITIVES, elementwise
from wengert.compiler.captured import Captured
from wengert.compiler.casts import harmonised
from wengert.compiler.lines import Line, Lines
from wengert.compiler.opaque import opaque
from wengert.compiler.programs import Program, Slot
from wengert.compiler.scalars import entries, vector_of, vector_slot
from wengert.compiler.views import permuted, spread
from wengert.graph.replay import needed_for
from wengert.numbers.graph import Node
from wengert.numbers.python import REALS
from wengert.ops.constants import Constant
from wengert.ops.kinds import Discrete, Elementwise, Select
from wengert.ops.op import SYSTEMS, Op, System


class _Lines(System):
    """Evaluating an operation on lines writes further lines."""

    def implement(self, op: Op) -> Callable[..., Any]:
        lower = CANONICAL.get(op.name)
        if lower is None and op.name in PRIMITIVES:
            lower = elementwise
        if lower is None and op.definition is not None:
            return _by_definition(op)
        return functools.partial(_evaluate, op, lower or opaque)


def _evaluate(op: Op, lower: Callable[..., Any], *args: Any, **params: Any) -> Any:
    lines = next(a.lines for a in args if type(a) is Line)
    operands = tuple(_line(lines, a) for a in args)
    if any(not a.is_real for a in operands):
        lower = opaque
    return lower(lines, op, operands, params)


def _by_definition(op: Op) -> Callable[..., Any]:
    def evaluate(*args: Any, **params: Any) -> Any:
        if any(type(a) is Line and not a.is_real for a in args):
            return _evaluate(op, opaque, *args, **params)
        if isinstance(op, (Elementwise, Select, Discrete)):
            lines = next(a.lines for a in args if type(a) is Line)
            args = harmonised(tuple(_line(lines, a) for a in args))
        return op.definition(*args, **params)  # type: ignore[misc]

    return evaluate


def _line(lines: Lines, value: Any) -> Line:
    """An argument as a line: a number that the program writes becomes a leaf."""
    if type(value) is Line:
        return value
    if type(value) is Constant:
        value = REALS.constant(value.text)
    if type(value) in (bool, int, float, complex):
        return lines.number(value, np.asarray(value).dtype, weak=True)
    array = np.asarray(value)
    if array.shape:
        raise TypeError(f"an array of shape {array.shape} is no slot of the program")
    return lines.number(array[()], array.dtype)


SYSTEMS[Line] = _Lines("lines", 10)


def lowered(captured: Captured) -> Program:
    """The program of a captured step. Its slots are, in this order, the inputs, the buffers, the numbers, the
    draws, the vector of the Scalars and the constants."""
    lines = Lines()
    results = [node for node in captured.results if type(node) is Node]
    kept: list[Any] = [*(b.updated for b in captured.buffers), *(n.updated for n in captured.numbers)]
    updated = [number.updated for number in captured.scalars]
    nodes = needed_for([*results, *(node for node in [*kept, *updated] if type(node) is Node)])
    slots = [(node, _slot(kind, name, node.value)) for node, kind, name in _owned(captured)]
    leaves = [lines.slot(k, s.shape, s.dtype, s.weak) for k, (_, s) in enumerate(slots)]
    values: dict[int, Any] = {node.id: leaf for (node, _), leaf in zip(slots, leaves, strict=True)}
    owned = [slot for _, slot in slots]
    if captured.scalars:
        owned.append(vector_slot(captured.scalars))
        leaves.append(lines.slot(len(slots), owned[-1].shape, owned[-1].dtype))
        values |= entries(leaves[-1], captured.scalars)
    constants = _Constants(lines, len(owned))
    for node in nodes:
        if node.role == "constant" and node.id not in values and node.shape:
            name = captured.names.get(node.id, node.name)
            values[node.id] = constants.line(name, node.value, getrefcount(node.value) <= _OURS)
    for node in nodes:
        lines.origin = node.id
        if node.id in values:
            continue
        if node.op is not None:
            args = tuple(values[a.id] if type(a) is Node else a for a in node.args)
            values[node.id] = node.op.apply(args, node.params)
        else:
            values[node.id] = values[node.args[0].id] if node.args else _line(lines, node.value)
    first = len(captured.inputs)
    updates = {first + k: _as_line(lines, values, value) for k, value in enumerate(kept) if value is not None}
    updates = {place: _fitting(line, slots[place][1]) for place, line in updates.items()}
    if any(value is not None for value in updated):
        found = [None if value is None else _as_line(lines, values, value) for value in updated]
        updates[len(slots)] = vector_of(leaves[len(slots)], found)
    return Program(
        [*owned, *constants.slots],
        [*leaves, *constants.leaves],
        [_as_line(lines, values, node) for node in results],
        updates,
        captured.names,
        captured.sections,
    )


def _as_line(lines: Lines, values: Mapping[int, Any], node: Any) -> Line:
    return _line(lines, values[node.id] if type(node) is Node else node)


def _fitting(line: Line, slot: Slot) -> Line:
    """A kept value in the dtype and the shape of its slot."""
    if line.dtype != slot.dtype:
        line = line.astype(dtype=slot.dtype.name)
    return line if line.shape == slot.shape else line.broadcast_to(shape=slot.shape)


def _owned(captured: Captured) -> list[tuple[Node, str, str]]:
    """The leaves that are given at each call, the kinds of their slots and their names."""
    return [
        *((node, "input", captured.names.get(node.id, node.name)) for node in captured.inputs),
        *((buffer.node, "buffer", buffer.name) for buffer in captured.buffers),
        *((number.node, "number", number.name) for number in captured.numbers),
        *((draw.node, "draw", draw.method) for draw in captured.draws),
    ]


def _slot(kind: str, name: str, value: Any) -> Slot:
    array = np.asarray(value)
    return Slot(kind, name, array.shape, array.dtype, not hasattr(value, "dtype"))


_OURS = 4  # the node, the graph's list of what it keeps, an argument, and the asking itself
_COMPARED = 1 << 20  # bytes


class _Constants:
    """Slots of arrays that the step reads from outside. What is a permuted or repeated view of an array is
    the same view of the array's slot, so that two views of one array are one slot; and so are two arrays that
    nobody outside holds, if they are equal."""

    def __init__(self, lines: Lines, first: int) -> None:
        self.lines, self.first = lines, first
        self.slots: list[Slot] = []
        self.leaves: list[Line] = []
        self.known: dict[Any, Line] = {}

    def line(self, name: str, value: Any, ours: bool) -> Line:
        """An array as a line; ``ours`` is one that nobody outside holds, so that it never changes."""
        array = np.asarray(value)
        single = array[tuple(slice(0, 1) if s == 0 else slice(None) for s in array.strides)]
        order = sorted(range(array.ndim), key=lambda k: -abs(single.strides[k]))
        whole = single.transpose(order)
        if not whole.flags.c_contiguous:
            order, whole = list(range(array.ndim)), single
        inverse = tuple(sorted(range(array.ndim), key=order.__getitem__))
        return spread(permuted(self._leaf(name, whole, ours), inverse), array.shape)

    def _leaf(self, name: str, array: Any, ours: bool) -> Line:
        content = array.tobytes() if ours and array.base is None and array.nbytes <= _COMPARED else None
        place = array.__array_interface__["data"][0]
        key = (content or place, array.shape, array.strides, array.dtype)
        if key not in self.known:
            self.slots.append(Slot("constant", name, array.shape, array.dtype, array=array))
            leaf = self.lines.slot(self.first + len(self.leaves), array.shape, array.dtype)
            self.leaves.append(leaf)
            self.known[key] = leaf
        return self.known[key]
