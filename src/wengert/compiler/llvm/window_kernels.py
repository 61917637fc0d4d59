"""Kernels of convolution and pooling: the rows of windows, each a kernel of its own.

Their arguments lie in memory in C order. The units are images, or pieces of the only weight, and may be done
by several threads.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from wengert.compiler.accesses import access, contiguous
from wengert.compiler.groups import Group
from wengert.compiler.lines import Line
from wengert.compiler.llvm import convolutions, pooling
from wengert.compiler.llvm.convolutions import Convolution
from wengert.compiler.llvm.emission import Kernel
from wengert.compiler.llvm.exact_convolutions import (
    emit_exact_conv2d_weight,
    emit_exact_conv_transpose2d,
    where_finite,
)
from wengert.compiler.llvm.machine import Machine
from wengert.compiler.llvm.moves import Move
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register
from wengert.compiler.llvm.walks import Counts, Pooling, Windows
from wengert.compiler.plans import Plan


@dataclass
class Row:
    """One row while its kernel is written: where the arguments and the result lie, and the units to do."""

    line: Line
    machine: Machine
    code: Code
    element: str
    sources: Sequence[Register]
    target: Register
    first: Register
    last: Register

    @property
    def places(self) -> tuple[Register, ...]:
        """The arguments, then the result."""
        return (*self.sources, self.target)


def window_kernel(plan: Plan, group: Group, machine: Machine, name: str) -> Kernel:
    """The kernel of a row of windows."""
    (line,) = group.members
    move = Move(plan, line, machine, name)
    sources = [move.source(a)[0] for a in line.args]
    row = Row(line, machine, move.code, move.element, sources, move.target(), move.first, move.last)
    kernel = move.kernel(_units(row))
    _WRITERS[line.name](row)
    return kernel


def is_window(line: Line) -> bool:
    """Whether a row of windows has a kernel for these dtypes and extents."""
    if line.name not in WINDOWS or not line.entries or any(not a.entries for a in line.args):
        return False
    known = _FLOATS if line.name in _CONVOLUTIONS or line.name == "avg_pool2d" else _NUMBERS
    if line.dtype.name not in known or any(a.dtype != line.dtype for a in line.args):
        return False
    if line.name in _CONVOLUTIONS:
        weight = line if line.name == "conv2d_weight" else line.args[1]
        return weight.ndim == 4
    return True


def is_plain(line: Line) -> bool:
    """Whether the entries lie side by side in C order."""
    walked = zip(access(line).strides, contiguous(line.shape), line.shape, strict=True)
    return all(n == 1 or stride == expected for stride, expected, n in walked)


def is_readable(line: Line, a: Line) -> bool:
    """Whether a kernel can read an argument of a row as it lies."""
    return is_plain(a) or (line.name == "overlap_add" and _is_one_entry_per_window(a))


def window_work(line: Line) -> int:
    """About how many elementary operations a row takes."""
    if line.name in _CONVOLUTIONS:
        c = _convolution(line)
        return 2 * c.images * c.outputs * c.inner * c.area * c.result
    windows = _pooling(line)
    return 2 * windows.images * windows.result * windows.area


def _units(row: Row) -> int:
    line = row.line
    if line.name == "conv2d_weight":
        return convolutions.weight_units(row.machine, _convolution(line), row.element)
    if line.name in _CONVOLUTIONS:
        return convolutions.units(_convolution(line))
    return _pooling(line).images


def _convolution(line: Line) -> Convolution:
    settings = {k: line.params[k] for k in ("stride", "padding", "dilation", "groups")}
    if line.name == "conv2d":
        x, weight = line.args
        return Convolution.of(x.shape, weight.shape[0], weight.shape[-2:], **settings)
    if line.name == "conv_transpose2d":
        weight = line.args[1]
        return Convolution.of(line.shape, weight.shape[0], weight.shape[-2:], **settings)
    x, a = line.args
    return Convolution.of(x.shape, a.shape[-3], line.params["kernel_size"], **settings)


def _pooling(line: Line) -> Pooling:
    settings = line.params
    if line.name == "overlap_add":
        shape, kernel = line.shape, line.args[0].shape[-2:]
    else:
        shape, kernel = line.args[-1].shape, settings["kernel_size"]
    dilation, ceil_mode = settings.get("dilation", 1), settings.get("ceil_mode", False)
    return Pooling.of(shape, kernel, settings["stride"], settings["padding"], dilation, ceil_mode)


def _convolve(emit: Callable[..., None]) -> Callable[[Row], None]:
    def write(row: Row) -> None:
        convolution = _convolution(row.line)
        emit(row.code, row.machine, convolution, *row.places, row.element, row.first, row.last)

    return write


def _transpose(emit: Callable[..., None], exact: Callable[..., None], other: int) -> Callable[[Row], None]:
    """A transpose of a convolution, term by term where the factor of that number has strange entries."""

    def write(row: Row) -> None:
        convolution, code = _convolution(row.line), row.code
        entries = row.line.args[other].entries
        with where_finite(code, row.sources[other], entries, row.element) as strange:
            emit(code, row.machine, convolution, *row.places, row.element, row.first, row.last)
        with code.when(strange):
            exact(code, convolution, *row.places, row.element, row.first, row.last)

    return write


def _pool(emit: Callable[..., None]) -> Callable[[Row], None]:
    def write(row: Row) -> None:
        emit(row.code, _pooling(row.line), *row.places, row.element, row.first, row.last)

    return write


def _avg_pool2d(row: Row) -> None:
    windows, settings = _pooling(row.line), row.line.params
    counts = Counts.of(
        row.line.args[0].shape,
        settings["kernel_size"],
        settings["stride"],
        settings["padding"],
        settings["ceil_mode"],
        settings["count_include_pad"],
        windows.placement.counts,
    )
    x, result = row.places
    pooling.emit_avg_pool2d(row.code, windows, counts, x, result, row.element, row.first, row.last)


def _overlap_add(row: Row) -> None:
    (source,) = row.sources
    found = _pooling(row.line)
    if is_plain(row.line.args[0]):
        pooling.emit_overlap_add(row.code, found, source, row.target, row.element, row.first, row.last)
        return
    windows = Windows(row.code, found, row.element)
    with (
        row.code.borrowed(row.element, windows.layout.entries) as sums,
        row.code.loop(row.first, row.last) as unit,
    ):

        def share(_: Index, place: Index, width: int) -> Register:
            return row.code.load(windows.result(source, unit, place), row.element, width)

        windows.add_up(sums, row.target, unit, share)


def _is_one_entry_per_window(a: Line) -> bool:
    """Whether windows repeat one entry each, as those of a mean's gradient do."""
    *outer, down, right = access(a).strides
    walked = zip(outer, contiguous(a.shape[:-2]), a.shape, strict=False)
    one = all(n == 1 or stride == 0 for stride, n in zip((down, right), a.shape[-2:], strict=True))
    return one and all(n == 1 or stride == expected for stride, expected, n in walked)


_FLOATS = ("float32", "float64")
_NUMBERS = (*_FLOATS, "int32", "int64")
_CONVOLUTIONS = ("conv2d", "conv_transpose2d", "conv2d_weight")
_WRITERS: dict[str, Callable[[Row], None]] = {
    "conv2d": _convolve(convolutions.emit_conv2d),
    "conv_transpose2d": _transpose(convolutions.emit_conv_transpose2d, emit_exact_conv_transpose2d, 1),
    "conv2d_weight": _transpose(convolutions.emit_conv2d_weight, emit_exact_conv2d_weight, 0),
    "max_pool2d": _pool(pooling.emit_max_pool2d),
    "pool_at_maxima": _pool(pooling.emit_pool_at_maxima),
    "unpool_at_maxima": _pool(pooling.emit_unpool_at_maxima),
    "avg_pool2d": _avg_pool2d,
    "windows": _pool(pooling.emit_windows),
    "overlap_add": _overlap_add,
}
WINDOWS = frozenset(_WRITERS)
