"""Pooling: one number made of every window of the last two axes.

The settings are those of `wengert.ops.windows`. With ``ceil_mode``, entries that the last whole window leaves
over get a window too.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

from wengert.ops.arithmetic import divide, ones_like
from wengert.ops.kinds import Case, composite, linear
from wengert.ops.kinds import shape as shape_of
from wengert.ops.op import Op, grid
from wengert.ops.reduce import sum
from wengert.ops.shape import broadcast_to, pad, reshape
from wengert.ops.windows import Margins, Pair, margins, overlap_add, pair, window_spans, windows

NO_MARGINS = ((0, 0), (0, 0))


def pooling_margins(
    extents: Sequence[int], kernel_size: Any, stride: Any, padding: Any, dilation: Any, ceil_mode: bool
) -> Margins:
    """The padding of a pooling. With ceil_mode it grows behind, so that the entries which the last whole
    window leaves over get a window too, unless that would start behind the input."""
    given = margins(padding)
    if not ceil_mode:
        return given
    spans = window_spans(kernel_size, stride, dilation)
    vertical, horizontal = map(_grown, extents, spans, pair(stride), given)
    return vertical, horizontal


def _grown(extent: int, span: int, step: int, margin: Pair) -> Pair:
    before, behind = margin
    start = ((before + extent + behind - span) // step + 1) * step
    missing = start + span - (before + extent + behind)
    return (before, behind + missing) if missing < step and start < before + extent else margin


_MAXIMA = {"kernel_size": 1, "stride": 1, "padding": 0, "dilation": 1, "ceil_mode": False}

pool_at_maxima: Op = linear(
    "pool_at_maxima",
    public=False,
    transpose=lambda g, v, x, **settings: unpool_at_maxima(g, x, **settings),
    arity=2,
    parameters=_MAXIMA,
    tex=r"\operatorname{{pool}}_{{{1}}}({0})",
    text="pool({0}, at the maxima of {1})",
    sample=[
        Case(grid(1, 4, 6, shift=9), grid(1, 4, 6), kernel_size=2, stride=2),
        Case(grid(1, 5, 5, shift=9), grid(1, 5, 5), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    ],
    doc="From every window of v the entry in whose place x has the window's first maximum.",
)
unpool_at_maxima: Op = linear(
    "unpool_at_maxima",
    public=False,
    transpose=lambda v, g, x, **settings: pool_at_maxima(v, x, **settings),
    arity=2,
    parameters=_MAXIMA,
    tex=r"\operatorname{{unpool}}_{{{1}}}({0})",
    text="unpool({0}, at the maxima of {1})",
    sample=[
        Case(grid(1, 2, 3, shift=9), grid(1, 4, 6), kernel_size=2, stride=2),
        Case(grid(1, 3, 3, shift=9), grid(1, 5, 5), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    ],
    doc="Every entry of g added in the place where x has the first maximum of that window: the transpose of "
    "pool_at_maxima.",
)


max_pool2d = composite(
    "max_pool2d",
    lambda x, **settings: pool_at_maxima(x, x, **settings),
    public=False,
    vjp=lambda g, y, x, **settings: unpool_at_maxima(g, x, **settings),
    jvp=lambda t, y, x, **settings: pool_at_maxima(t[0], x, **settings),
    batch=lambda p, n, inner: p,
    parameters=_MAXIMA,
    tex=r"\operatorname{{maxpool}} {0}",
    kink="of entries that tie for the maximum of a window, the first takes the derivative",
    sample=[
        Case(grid(2, 1, 4, 6), kernel_size=2, stride=2),
        Case(grid(1, 2, 5, 4), kernel_size=(3, 2), stride=(2, 1), padding=1, dilation=(1, 2)),
        Case(grid(1, 5, 5), kernel_size=2, stride=2, ceil_mode=True),
    ],
    doc="The largest entry of every window of an input (…, H, W); padding is no entry.",
)


def entry_counts(
    ones: Any, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, count_include_pad: bool
) -> Any:
    """How many entries the mean of each window is over, from ones in the input's place; a number where all
    windows agree."""
    given = margins(padding)
    around = pooling_margins(shape_of(ones)[-2:], kernel_size, stride, given, 1, ceil_mode)
    if around == (given if count_include_pad else NO_MARGINS):
        return math.prod(pair(kernel_size))
    if count_include_pad:
        ones = ones_like(pad(ones, pad_width=((0, 0),) * (len(shape_of(ones)) - 2) + given))
        (above, below), (left, right) = given
        (top, bottom), (start, end) = around
        around = ((top - above, bottom - below), (start - left, end - right))
    taken = windows(ones, kernel_size=kernel_size, stride=stride, padding=around, dilation=1)
    return sum(taken, axis=(-2, -1))


def _average(x: Any, *, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, **counting: Any) -> Any:
    around = pooling_margins(shape_of(x)[-2:], kernel_size, stride, padding, 1, ceil_mode)
    taken = windows(x, kernel_size=kernel_size, stride=stride, padding=around, dilation=1)
    counts = entry_counts(ones_like(x), kernel_size, stride, padding, ceil_mode, **counting)
    return divide(sum(taken, axis=(-2, -1)), counts)


def _average_adjoint(
    g: Any, x: Any, *, kernel_size: Any, stride: Any, padding: Any, ceil_mode: bool, **counting: Any
) -> Any:
    around = pooling_margins(shape_of(x)[-2:], kernel_size, stride, padding, 1, ceil_mode)
    share = divide(g, entry_counts(ones_like(x), kernel_size, stride, padding, ceil_mode, **counting))
    spread = broadcast_to(
        reshape(share, shape=(*shape_of(g), 1, 1)), shape=(*shape_of(g), *pair(kernel_size))
    )
    return overlap_add(spread, shape=shape_of(x)[-2:], stride=stride, padding=around, dilation=1)


avg_pool2d = linear(
    "avg_pool2d",
    public=False,
    transpose=_average_adjoint,
    batch=lambda p, n, inner: p,
    definition=_average,
    parameters={
        "kernel_size": 1, "stride": 1, "padding": 0, "ceil_mode": False, "count_include_pad": True,
    },
    tex=r"\operatorname{{avgpool}} {0}",
    sample=[
        Case(grid(2, 1, 4, 6), kernel_size=2, stride=2),
        Case(grid(1, 2, 5, 4), kernel_size=(3, 2), stride=(2, 1), padding=1),
        Case(grid(1, 5, 5), kernel_size=3, stride=2, padding=1, ceil_mode=True, count_include_pad=False),
        Case(grid(1, 4, 6), kernel_size=3, stride=2, padding=1, ceil_mode=True),
    ],
    doc="The mean of every window of an input (…, H, W); count_include_pad counts the padding's zeros too.",
)  # fmt: skip
