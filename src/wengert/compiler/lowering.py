"""From a captured graph to the lines of a program: the graph evaluated over lines."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.compiler.canonical import CANONICAL, PRIMITIVES, elementwise, opaque
from wengert.compiler.captured import Captured
from wengert.compiler.lines import Line, Lines
from wengert.compiler.programs import Program, Slot
from wengert.graph.replay import needed_for
from wengert.numbers.graph import Node
from wengert.numbers.python import REALS
from wengert.ops.constants import Constant
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
    if any(a.dtype.kind not in "fiub" for a in operands):
        lower = opaque
    return lower(lines, op, operands, params)


def _by_definition(op: Op) -> Callable[..., Any]:
    def evaluate(*args: Any, **params: Any) -> Any:
        if any(type(a) is Line and a.dtype.kind not in "fiub" for a in args):
            return _evaluate(op, opaque, *args, **params)
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
    draws and the constants."""
    lines = Lines()
    results = [node for node in captured.results if type(node) is Node]
    kept: list[Any] = [owner.updated for owner in [*captured.buffers, *captured.numbers]]
    nodes = needed_for([*results, *(node for node in kept if type(node) is Node)])
    slots = _slots(captured, nodes)
    leaves = [lines.slot(k, s.shape, s.dtype, s.weak) for k, (_, s) in enumerate(slots)]
    values: dict[int, Any] = {node.id: leaf for (node, _), leaf in zip(slots, leaves, strict=True)}
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
    return Program(
        [slot for _, slot in slots],
        leaves,
        [_as_line(lines, values, node) for node in results],
        {place: _fitting(line, slots[place][1]) for place, line in updates.items()},
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


def _slots(captured: Captured, nodes: list[Node]) -> list[tuple[Node, Slot]]:
    names = captured.names
    found = [
        *((node, "input", names.get(node.id, node.name)) for node in captured.inputs),
        *((buffer.node, "buffer", buffer.name) for buffer in captured.buffers),
        *((number.node, "number", number.name) for number in captured.numbers),
        *((draw.node, "draw", draw.method) for draw in captured.draws),
    ]
    known = {node.id for node, _, _ in found}
    constants = [n for n in nodes if n.role == "constant" and n.id not in known and n.shape]
    found += [(node, "constant", names.get(node.id, node.name)) for node in constants]
    return [(node, _slot(kind, name, node.value)) for node, kind, name in found]


def _slot(kind: str, name: str, value: Any) -> Slot:
    array = np.asarray(value)
    weak = not hasattr(value, "dtype")
    return Slot(kind, name, array.shape, array.dtype, weak, array if kind == "constant" else None)
