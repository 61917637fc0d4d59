"""The last rewriting before kernels are made: every line becomes something that a kernel can do, or a call.

Reading entries at given positions along a short axis becomes a comparison with the positions; an outcome that
is a mere view, a slot or a number becomes a copy, and so does an array that a reshape cannot walk through.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.compiler.accesses import base_of, is_view, needs_copy
from wengert.compiler.canonical import REDUCTIONS, elementwise, matrix_product, reduced
from wengert.compiler.casts import cast
from wengert.compiler.groups import MOVES
from wengert.compiler.lines import Line
from wengert.compiler.llvm.along_axis import ALONG_AXIS, fits_positions
from wengert.compiler.llvm.arithmetic import COMPUTED
from wengert.compiler.llvm.moves import is_by_number, numbered_axis
from wengert.compiler.llvm.window_kernels import WINDOWS, is_readable
from wengert.compiler.native_arrangements import Along, Positions, lengths_compared, rearranged
from wengert.compiler.positions import can_be_checked, checked
from wengert.compiler.programs import Program, rebuilt
from wengert.compiler.views import reshaped, spread
from wengert.ops.op import Op, later

SHORT = 256
"""Up to so many entries an axis is compared with the positions instead of being indexed."""


def prepared(program: Program) -> Program:
    """The program with every outcome a line of its own, and every view a walk through one array."""
    program = rebuilt(program, None, _without_entries)
    lengths: set[int] = set()
    for line in program.lines():
        if line.name in _AT_POSITIONS and _is_short(line):
            lengths.add(_extent(line))
        lengths |= set(lengths_compared(line))
    positions = Positions(program, lengths)

    def instead(line: Line, args: tuple[Line, ...]) -> Line | None:
        if line.name in _AT_POSITIONS and _is_short(line):
            return _one_by_one(line, args, positions.along)
        return rearranged(line, args, positions.along)

    program = rebuilt(positions.program, _copies_before_reshapes, instead)
    program = rebuilt(program, _copies_before_reshapes, _with_checks)
    return rebuilt(_with_own_outcomes(program), _copies_before_reshapes)


def _without_entries(line: Line, args: tuple[Line, ...]) -> Line | None:
    """An array without entries needs no computing, and a sum over none is known."""
    if not line.is_real:
        return None
    over_none = line.name in ("sum", "any", "all", "scatter_add", "put_along_axis") and not args[0].entries
    product_of_none = line.name == "matmul" and not args[0].shape[-1]
    if line.entries and not over_none and not product_of_none:
        return None
    number = np.asarray(line.name == "all", line.dtype)
    return spread(args[0].lines.number(number[()], line.dtype), line.shape)


_AT_POSITIONS = ("take_along_axis", "put_along_axis")


def _extent(line: Line) -> int:
    """The length of the axis that positions count along."""
    axis = line.params["axis"]
    whole = line.args[0] if line.name == "take_along_axis" else line
    extent: int = whole.shape[axis]
    return extent


def _is_short(line: Line) -> bool:
    x, indices = line.args
    axis = line.params["axis"] % line.ndim
    others = [n for k, n in enumerate(x.shape) if k != axis]
    same = others == [n for k, n in enumerate(indices.shape) if k != axis]
    single = indices.shape[axis] == 1 and indices.ndim == x.ndim
    return single and same and _extent(line) <= SHORT and can_be_checked(indices)


def _one_by_one(line: Line, args: tuple[Line, ...], along: Along) -> Line:
    """One entry along a short axis is what is left of the axis where all others are 0."""
    x, indices = args
    lines, axis, length = x.lines, line.params["axis"] % x.ndim, _extent(line)
    place = checked(indices, length, axis, "take_along_axis")
    here = elementwise(lines, later.equal, (place, along(lines, length, x.ndim, axis)), {})
    none = lines.number(np.zeros((), x.dtype)[()], x.dtype)
    chosen = elementwise(lines, later.where, (here, x, none), {})
    if line.name == "put_along_axis":
        return spread(chosen, line.shape)
    if length == 1:
        return chosen
    return reduced(later.sum, chosen, (axis,), x.dtype)


def _reads_by_number(line: Line) -> bool:
    return line.name in ("getitem", "scatter_add") and len(line.args) > 1 and is_by_number(line)


def _with_checks(line: Line, args: tuple[Line, ...]) -> Line | None:
    """What reads or adds at positions reads checked ones; what stands alone has its arguments as its kernel
    reads them."""
    if line.name not in MOVES:
        return None
    if line.name == "concatenate":
        args = tuple(a for a in args if a.entries)
        if len(args) == 1:
            return args[0]
    numbers: tuple[Line, ...] = ()
    if line.name in _AT_POSITIONS and fits_positions(line) and can_be_checked(args[1]):
        axis = line.params["axis"] % line.ndim
        numbers = (checked(args[1], _extent(line), axis, "take_along_axis"),)
    elif _reads_by_number(line) and all(map(can_be_checked, args[1:])):
        first = numbered_axis(line.params["key"])
        extents = (args[0] if line.name == "getitem" else line).shape[first:]
        numbers = tuple(
            checked(a, n, first + k, "getitem")
            for k, (a, n) in enumerate(zip(args[1:], extents, strict=False))
        )
    args = (args[0], *numbers) if numbers else args
    if line.name == "cumsum" and args[0].dtype != line.dtype and line.dtype.kind in "fi":
        args = (cast(args[0], line.dtype),)
    if line.name in WINDOWS and line.dtype.kind == "f" and all(a.dtype.kind == "f" for a in args):
        args = tuple(cast(a, line.dtype) for a in args)
    in_order = line.name in (*WINDOWS, *ALONG_AXIS) and line.entries and all(a.entries for a in args)
    args = tuple(
        _copied(a) if base_of(a).is_number or (in_order and not is_readable(line, a)) else a for a in args
    )
    return line.again(args, line.shape)


def _copied(x: Line) -> Line:
    """The same entries in an array of their own."""
    return x.lines.line(later.astype, (x,), {"dtype": x.dtype.name}, x.shape, x.dtype)


def _with_own_outcomes(program: Program) -> Program:
    def own(line: Line) -> Line:
        if is_view(line) or line.op is None or base_of(line).op is None:
            return _copied(line)
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
            return reshaped(_copied(x), probe.shape)
        return None
    if op.name == "matmul" and any(base_of(a).is_number for a in args):
        return matrix_product(*(_copied(a) if base_of(a).is_number else a for a in args))
    return None


def is_sum(line: Line) -> bool:
    """Whether a line is a reduction that kernels know."""
    (x,) = line.args
    if line.name not in REDUCTIONS or not {x.dtype, line.dtype} <= COMPUTED:
        return False
    return line.name not in ("max", "min") or line.dtype.kind != "b"
