"""Arrangements in the words of kernels: padding, rolling, repeating, triangles and diagonals.

Triangles and diagonals compare the positions along two axes, which are constant arrays 0, 1, 2, … behind the
program's slots.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from wengert.compiler.canonical import CANONICAL, elementwise, reduced
from wengert.compiler.lines import Line, Lines, Shape
from wengert.compiler.programs import Program, Slot
from wengert.compiler.views import reshaped, sliced, spread
from wengert.ops.indexing import Slot as ArraySlot
from wengert.ops.op import later

Along = Callable[[Lines, int, int, int], Line]


class Positions:
    """A program with a constant 0, 1, 2, … for each of some lengths."""

    def __init__(self, program: Program, lengths: Iterable[int]) -> None:
        slots, leaves = list(program.slots), list(program.leaves)
        lines = leaves[0].lines if leaves else Lines()
        self.places: dict[int, int] = {}
        for length in sorted(lengths):
            self.places[length] = len(slots)
            numbers = np.arange(length)
            slots.append(Slot("constant", "positions", numbers.shape, numbers.dtype, array=numbers))
            leaves.append(lines.slot(len(slots) - 1, numbers.shape, numbers.dtype))
        self.program = Program(
            slots, leaves, program.results, program.updates, program.names, program.sections
        )

    def along(self, lines: Lines, length: int, ndim: int, axis: int) -> Line:
        """The positions along an axis, the other axes being single."""
        place = self.places[length]
        leaf = next(line for line in lines.all if line.slot == place)
        return reshaped(leaf, tuple(length if k == axis else 1 for k in range(ndim)))


def lengths_compared(line: Line) -> tuple[int, ...]:
    """The lengths of the positions that a line is going to be compared with."""
    shape: Shape = ()
    if line.name in ("tril", "triu", "identity_mask"):
        shape = line.shape[-2:]
    elif line.name == "diag":
        shape = line.shape if line.ndim == 2 else line.args[0].shape
    return shape


def rearranged(line: Line, args: tuple[Line, ...], along: Along) -> Line | None:
    """An arrangement in other words; None for any other line."""
    if line.name == "identity_mask" and line.entries:
        apart = _apart(args[0].lines, line.shape[-2:], along)
        on_diagonal = elementwise(
            args[0].lines, later.equal, (apart, args[0].lines.number(0, apart.dtype)), {}
        )
        return spread(on_diagonal, line.shape)
    if line.name in ("getitem", "scatter_add") and len(args) > 1 and line.entries and args[0].entries:
        return _arrays_alone(line, args)
    rule = _RULES.get(line.name)
    if rule is None or not line.is_real or not line.entries:
        return None
    if not args[0].entries:
        return spread(_zero(line, args[0].lines), line.shape)
    if line.dtype != args[0].dtype:
        return None
    return rule(line, args[0], along)


def _arrays_alone(line: Line, args: tuple[Line, ...]) -> Line | None:
    """An index of arrays side by side and of other entries, as one of the others alone and one of the arrays
    alone; None where the arrays are not side by side, or alone already."""
    key: list[Any] = list(line.params["key"])
    array = args[0] if line.name == "getitem" else line
    if Ellipsis in key:
        place = key.index(Ellipsis)
        missing = array.ndim - sum(entry is not None for entry in key) + 1
        key[place : place + 1] = [slice(None)] * missing
    arrays = [k for k, entry in enumerate(key) if type(entry) is ArraySlot]
    together = [k for k, entry in enumerate(key) if type(entry) in (ArraySlot, int)]
    if any(isinstance(entry, list) for entry in key) or together != list(
        range(together[0], together[-1] + 1)
    ):
        return None
    whole = slice(None)
    if all(entry == whole for k, entry in enumerate(key) if k not in arrays):
        return None
    basic = tuple(whole if k in arrays else entry for k, entry in enumerate(key))
    first = sum(type(entry) is not int for entry in basic[: arrays[0]])
    alone = (*[whole] * first, *(key[k] for k in arrays))
    lines = args[0].lines
    if line.name == "getitem":
        view = CANONICAL["getitem"](lines, later.getitem, args[:1], {"key": basic})
        return lines.line(later.getitem, (view, *args[1:]), {"key": alone}, line.shape, line.dtype)
    shape = _shape_of_view(line.shape, basic)
    inner = lines.line(later.scatter_add, args, {"key": alone, "shape": shape}, shape, line.dtype)
    settings = {"key": basic, "shape": line.shape}
    return lines.line(later.scatter_add, (inner,), settings, line.shape, line.dtype)


def _shape_of_view(shape: Shape, key: tuple[Any, ...]) -> Shape:
    """The shape of what a basic index reads, of an array that takes no memory."""
    found: Shape = np.broadcast_to(np.zeros((), bool), shape)[key].shape
    return found


def _pad(line: Line, x: Line, along: Along) -> Line | None:
    if line.dtype.kind == "b":
        return None
    widths = np.broadcast_to(np.asarray(line.params["pad_width"]), (x.ndim, 2)).tolist()
    return _padded(x, tuple((before, behind) for before, behind in widths))


def _padded(x: Line, widths: tuple[tuple[int, int], ...]) -> Line:
    if not any(map(any, widths)):
        return x
    key = tuple(slice(before, before + n) for (before, _), n in zip(widths, x.shape, strict=True))
    shape = tuple(before + n + behind for (before, behind), n in zip(widths, x.shape, strict=True))
    return x.lines.line(later.scatter_add, (x,), {"key": key, "shape": shape}, shape, x.dtype)


def _roll(line: Line, x: Line, along: Along) -> Line | None:
    shift, axis = line.params["shift"], line.params["axis"]
    if axis is None:
        if not isinstance(shift, int):
            return None
        return reshaped(_rolled(reshaped(x, (x.entries,)), shift, 0), line.shape)
    axes = (axis,) if isinstance(axis, int) else tuple(axis)
    shifts = (shift,) * len(axes) if isinstance(shift, int) else tuple(shift)
    if len(shifts) != len(axes):
        return None
    for k, by in zip(axes, shifts, strict=True):
        x = _rolled(x, by, k % x.ndim)
    return x


def _rolled(x: Line, shift: int, axis: int) -> Line:
    """The last entries along an axis in front."""
    extent = x.shape[axis]
    shift %= extent
    if not shift:
        return x
    whole = tuple((0, n, 1) for n in x.shape)
    parts = tuple(
        sliced(x, (*whole[:axis], part, *whole[axis + 1 :]))
        for part in ((extent - shift, shift, 1), (0, extent - shift, 1))
    )
    return x.lines.line(later.concatenate, parts, {"axis": axis}, x.shape, x.dtype)


def _tile(line: Line, x: Line, along: Along) -> Line | None:
    reps = line.params["reps"]
    counts = (reps,) if isinstance(reps, int) else tuple(reps)
    ndim = line.ndim
    counts = (1,) * (ndim - len(counts)) + counts
    inner = (1,) * (ndim - x.ndim) + x.shape
    single = tuple(e for n in inner for e in (1, n))
    several = tuple(e for pair in zip(counts, inner, strict=True) for e in pair)
    return reshaped(spread(reshaped(x, single), several), line.shape)


def _repeat(line: Line, x: Line, along: Along) -> Line | None:
    repeats, axis = line.params["repeats"], line.params["axis"]
    if not isinstance(repeats, int):
        return None
    if axis is None:
        x, axis = reshaped(x, (x.entries,)), 0
    axis %= x.ndim
    before, behind = x.shape[: axis + 1], x.shape[axis + 1 :]
    return reshaped(spread(reshaped(x, (*before, 1, *behind)), (*before, repeats, *behind)), line.shape)


def _triangle(line: Line, x: Line, along: Along) -> Line | None:
    """Where column - row is at most k (tril), or at least k (triu)."""
    x = spread(x, line.shape)
    comparison = later.less_equal if line.name == "tril" else later.greater_equal
    apart = _apart(x.lines, x.shape[-2:], along)
    k = x.lines.number(line.params["k"], apart.dtype)
    kept = elementwise(x.lines, comparison, (apart, k), {})
    return elementwise(x.lines, later.where, (kept, x, _zero(x)), {})


def _diag(line: Line, x: Line, along: Along) -> Line | None:
    """A vector as the diagonal of a matrix; the diagonal of a matrix, as what is left of its rows where all
    other entries are 0."""
    if line.dtype.name not in ("float32", "float64", "int64"):
        return None
    lines, k = x.lines, line.params["k"]
    rows, columns = line.shape if x.ndim == 1 else x.shape
    apart = _apart(lines, (rows, columns), along)
    here = elementwise(lines, later.equal, (apart, lines.number(k, apart.dtype)), {})
    if x.ndim == 1:
        row = reshaped(_padded(x, ((max(k, 0), max(-k, 0)),)), (1, columns))
        return elementwise(lines, later.where, (here, row, _zero(x)), {})
    chosen = elementwise(lines, later.where, (here, x, _zero(x)), {})
    sums = chosen if columns == 1 else reduced(later.sum, chosen, (1,), x.dtype)
    return reshaped(sliced(sums, ((max(-k, 0), line.entries, 1), (0, 1, 1))), line.shape)


def _apart(lines: Lines, shape: Shape, along: Along) -> Line:
    """How far the column lies behind the row."""
    rows, columns = shape
    return elementwise(lines, later.subtract, (along(lines, columns, 2, 1), along(lines, rows, 2, 0)), {})


def _zero(x: Line, lines: Lines | None = None) -> Line:
    return (lines or x.lines).number(np.zeros((), x.dtype)[()], x.dtype)


_RULES: Mapping[str, Callable[[Line, Line, Along], Line | None]] = {
    "pad": _pad,
    "roll": _roll,
    "tile": _tile,
    "repeat": _repeat,
    "tril": _triangle,
    "triu": _triangle,
    "diag": _diag,
}
