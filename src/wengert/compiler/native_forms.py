"""The last rewriting before kernels are made: every line becomes something that a kernel can do, or a call.

Reading entries at given positions along a short axis becomes a comparison with the positions; an outcome that
is a mere view, a slot or a number becomes a copy, and so does an array that a reshape cannot walk through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.compiler.accesses import base_of, is_view, needs_copy
from wengert.compiler.canonical import elementwise, reshaped, spread
from wengert.compiler.fusion import REDUCTIONS
from wengert.compiler.lines import Line, Lines
from wengert.compiler.programs import Program, Slot, rebuilt
from wengert.ops.op import Op, later

SHORT = 256
"""Up to so many entries an axis is compared with the positions instead of being indexed."""


def prepared(program: Program) -> Program:
    """The program with every outcome a line of its own, and every view a walk through one array."""
    program = rebuilt(program, None, _without_entries)
    positions: dict[int, int] = {}
    lengths = {_extent(line) for line in program.lines() if line.name in _ALONG_AXIS and _is_short(line)}
    slots, leaves = list(program.slots), list(program.leaves)
    lines = leaves[0].lines if leaves else Lines()
    for length in sorted(lengths):
        positions[length] = len(slots)
        numbers = np.arange(length)
        slots.append(Slot("constant", "positions", numbers.shape, numbers.dtype, array=numbers))
        leaves.append(lines.slot(len(slots) - 1, numbers.shape, numbers.dtype))
    program = Program(slots, leaves, program.results, program.updates, program.names, program.sections)
    return rebuilt(_with_own_outcomes(_one_by_one(program, positions)), _copies_before_reshapes)


def _without_entries(line: Line, args: tuple[Line, ...]) -> Line | None:
    """An array without entries needs no computing, and a sum over none is known."""
    if line.dtype.kind not in "fiub":
        return None
    over_none = line.name in ("sum", "any", "all") and not args[0].entries
    product_of_none = line.name == "matmul" and not args[0].shape[-1]
    if line.entries and not over_none and not product_of_none:
        return None
    number = np.asarray(line.name == "all", line.dtype)
    return spread(args[0].lines.number(number[()], line.dtype), line.shape)


_ALONG_AXIS = ("take_along_axis", "put_along_axis")


def _extent(line: Line) -> int:
    """The length of the axis that positions count along."""
    axis = line.params["axis"]
    return line.args[0].shape[axis] if line.name == "take_along_axis" else line.shape[axis]


def _is_short(line: Line) -> bool:
    x, indices = line.args
    axis = line.params["axis"] % line.ndim
    others = [n for k, n in enumerate(x.shape) if k != axis]
    same = others == [n for k, n in enumerate(indices.shape) if k != axis]
    single = indices.shape[axis] == 1 and indices.ndim == x.ndim
    return single and same and _extent(line) <= SHORT and indices.dtype.kind == "i"


def _one_by_one(program: Program, positions: Mapping[int, int]) -> Program:
    """One entry along a short axis is what is left of the axis where all others are 0."""
    leaves: dict[int, Line] = {}

    def rewrite(op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line | None:
        if op.name not in _ALONG_AXIS:
            return None
        x, indices = args
        lines = x.lines
        probe = Line(lines, op, args, params, _result_shape(op, x, indices, params), x.dtype)
        if not _is_short(probe):
            return None
        axis, length = params["axis"] % x.ndim, _extent(probe)
        along = tuple(length if k == axis else 1 for k in range(x.ndim))
        counts = reshaped(_leaf(lines, positions[length], length), along)
        # A negative position counts from the end.
        zero, whole = (lines.number(n, indices.dtype) for n in (0, length))
        from_end = elementwise(lines, later.less, (indices, zero), {})
        wrapped = elementwise(lines, later.add, (indices, whole), {})
        place = elementwise(lines, later.where, (from_end, wrapped, indices), {})
        here = elementwise(lines, later.equal, (place, counts), {})
        none = lines.number(np.zeros((), x.dtype)[()], x.dtype)
        chosen = elementwise(lines, later.where, (here, x, none), {})
        if op.name == "put_along_axis":
            return spread(chosen, probe.shape)
        if length == 1:
            return chosen
        shape = tuple(1 if k == axis else n for k, n in enumerate(x.shape))
        return lines.line(later.sum, (chosen,), {"axis": (axis,), "keepdims": True}, shape, x.dtype)

    def _leaf(lines: Lines, place: int, length: int) -> Line:
        if id(lines) not in leaves:
            leaves[id(lines)] = next(line for line in lines.all if line.slot == place)
        return next(line for line in lines.all if line.slot == place)

    return rebuilt(program, rewrite) if positions else program


def _result_shape(op: Op, x: Line, indices: Line, params: Mapping[str, Any]) -> tuple[int, ...]:
    return indices.shape if op.name == "take_along_axis" else tuple(params["shape"])


def _copied(line: Line) -> Line:
    """The same entries in an array of their own."""
    return Line(line.lines, later.astype, (line,), {"dtype": line.dtype.name}, line.shape, line.dtype)


def _with_own_outcomes(program: Program) -> Program:
    def own(line: Line) -> Line:
        if is_view(line) or line.op is None or base_of(line).op is None:
            copy = _copied(line)
            line.lines.all.append(copy)
            return copy
        return line

    return Program(
        program.slots,
        program.leaves,
        [own(line) for line in program.results],
        {place: own(line) for place, line in program.updates.items()},
        program.names,
        program.sections,
    )


def _copies_before_reshapes(op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line | None:
    """A reshape of what no walk reaches copies first; so does what a product or a call reads of a number."""
    if op.name == "reshape":
        (x,) = args
        probe = Line(x.lines, op, args, params, tuple(params["shape"]), x.dtype)
        if needs_copy(probe):
            return reshaped(_own(x), probe.shape)
        return None
    if op.name == "matmul" and any(base_of(a).is_number for a in args):
        return op.apply(tuple(_own(a) if base_of(a).is_number else a for a in args), params)  # type: ignore[no-any-return]
    return None


def _own(x: Line) -> Line:
    return x.lines.line(later.astype, (x,), {"dtype": x.dtype.name}, x.shape, x.dtype)


def is_sum(line: Line) -> bool:
    """Whether a line is a reduction that kernels know."""
    (x,) = line.args
    if line.name not in REDUCTIONS or x.dtype.name not in _KNOWN or line.dtype.name not in _KNOWN:
        return False
    return line.name not in ("max", "min") or line.dtype.kind != "b"


_KNOWN = ("bool", "int32", "int64", "float32", "float64")
