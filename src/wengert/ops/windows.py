"""Sliding windows over the last two axes, and convolution, which is a weight times them.

Taking windows is linear, and its transpose adds overlapping windows up again.

In every row ``kernel_size``, ``stride`` and ``dilation`` are a number or a pair (vertical, horizontal).
``padding`` is that too, or a pair of pairs ((above, below), (left, right)); a negative one crops.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.ops.kinds import Case, bilinear, linear
from wengert.ops.kinds import shape as shape_of
from wengert.ops.op import Op, grid
from wengert.ops.products import einsum
from wengert.ops.shape import reshape

Pair = tuple[int, int]
Margins = tuple[Pair, Pair]


def pair(setting: int | Sequence[int]) -> Pair:
    """The setting of the vertical and of the horizontal axis."""
    if isinstance(setting, int):
        return setting, setting
    first, second = setting
    return int(first), int(second)


def margins(padding: Any) -> Margins:
    """The padding before and behind, along each of the two axes."""
    vertical, horizontal = (padding, padding) if isinstance(padding, int) else padding
    return pair(vertical), pair(horizontal)


def window_spans(kernel_size: Any, stride: Any, dilation: Any) -> Pair:
    """How many entries a window spans along each axis: dilation·(kernel - 1) + 1. Raises ValueError for
    settings below 1."""
    kernel, gaps = pair(kernel_size), pair(dilation)
    for name, setting in (("kernel_size", kernel), ("stride", pair(stride)), ("dilation", gaps)):
        if min(setting) < 1:
            raise ValueError(f"{name}: expected at least 1, got {setting}")
    return gaps[0] * (kernel[0] - 1) + 1, gaps[1] * (kernel[1] - 1) + 1


def window_counts(extents: Sequence[int], kernel_size: Any, stride: Any, padding: Any, dilation: Any) -> Pair:
    """How many windows fit along each axis: ⌊(n + padding - span) / stride⌋ + 1.

    Raises ValueError for settings below 1, and for a window that does not fit once.
    """
    spans = window_spans(kernel_size, stride, dilation)
    padded = tuple(n + sum(margin) for n, margin in zip(extents, margins(padding), strict=True))
    if spans[0] > padded[0] or spans[1] > padded[1]:
        kernel = pair(kernel_size)
        dilated = "" if spans == kernel else f", which spans {spans} with dilation {pair(dilation)},"
        around = "" if padded == tuple(extents) else f", which is {padded} with its padding"
        raise ValueError(f"kernel_size {kernel}{dilated} does not fit in {tuple(extents)}{around}")
    steps = pair(stride)
    return (padded[0] - spans[0]) // steps[0] + 1, (padded[1] - spans[1]) // steps[1] + 1


_PLACEMENT = {"stride": 1, "padding": 0, "dilation": 1}

windows: Op = linear(
    "windows",
    public=False,
    transpose=lambda g, x, *, kernel_size, **placement: overlap_add(g, shape=shape_of(x)[-2:], **placement),
    batch=lambda p, n, inner: p,
    parameters={"kernel_size": 1, **_PLACEMENT},
    tex=r"\operatorname{{windows}} {0}",
    sample=[
        Case(grid(1, 2, 4, 5), kernel_size=(2, 3)),
        Case(grid(2, 1, 5, 4), kernel_size=2, stride=(2, 1), padding=1, dilation=(1, 2)),
    ],
    doc="The windows of an array of shape (…, H, W), as (…, rows, columns, kernel height, kernel width); "
    "what lies outside is 0.",
)
overlap_add: Op = linear(
    "overlap_add",
    public=False,
    transpose=lambda g, x, *, shape, **placement: windows(g, kernel_size=shape_of(x)[-2:], **placement),
    batch=lambda p, n, inner: p,
    parameters={"shape": (), **_PLACEMENT},
    tex=r"\operatorname{{overlap}} {0}",
    sample=[
        Case(grid(1, 2, 3, 3, 2, 3), shape=(4, 5)),
        Case(grid(2, 1, 3, 4, 2, 2), shape=(5, 4), stride=(2, 1), padding=1, dilation=(1, 2)),
    ],
    doc="Windows of shape (…, rows, columns, kernel height, kernel width), each added to its place in an "
    "array whose last two axes have the given shape: the transpose of windows.",
)


# The three maps of one trilinear form ⟨a, w ⋆ x⟩, the sum of windows(x) · w · a: each map leaves one of x (an
# image), w (a weight) and a (a result) open. So the transposes of each are the two others.

Settings = Mapping[str, Any]


def _in_groups(a: Any, axis: int, groups: int) -> Any:
    """The axis of channels as two: the groups, and the channels in each."""
    n = len(shape_of(a)) + axis if axis < 0 else axis
    extents = shape_of(a)
    return reshape(a, shape=(*extents[:n], groups, extents[n] // groups, *extents[n + 1 :]))


def _image_windows(x: Any, kernel_size: Any, groups: int, placement: Settings) -> Any:
    return _in_groups(windows(x, kernel_size=kernel_size, **placement), -5, groups)


def _convolution(x: Any, weight: Any, *, groups: int, **placement: Any) -> Any:
    taken = _image_windows(x, shape_of(weight)[-2:], groups, placement)
    result = einsum("...gcrsij,gocij->...gors", taken, _in_groups(weight, 0, groups))
    *outer, _, _, rows, columns = shape_of(result)
    return reshape(result, shape=(*outer, shape_of(weight)[0], rows, columns))


def _transposed(a: Any, weight: Any, *, shape: Sequence[int], groups: int, **placement: Any) -> Any:
    parts = einsum("...gors,gocij->...gcrsij", _in_groups(a, -3, groups), _in_groups(weight, 0, groups))
    *outer, _, channels, rows, columns, height, width = shape_of(parts)
    joined = reshape(parts, shape=(*outer, groups * channels, rows, columns, height, width))
    return overlap_add(joined, shape=shape, **placement)


def _weight(x: Any, a: Any, *, kernel_size: Any, groups: int, **placement: Any) -> Any:
    taken = _image_windows(x, kernel_size, groups, placement)
    result = einsum("...gcrsij,...gors->gocij", taken, _in_groups(a, -3, groups))
    return reshape(result, shape=(shape_of(a)[-3], *shape_of(result)[2:]))


_CONVOLUTION = {**_PLACEMENT, "groups": 1}
_IMAGE, _KERNEL, _RESULT = grid(1, 2, 5, 4), grid(2, 2, 3, 2, shift=9), grid(1, 2, 3, 6, shift=5)
_SPREAD = {"stride": (2, 1), "padding": (1, 2), "dilation": (1, 2)}

conv2d: Op = bilinear(
    "conv2d",
    public=False,
    transpose=(
        lambda a, x, weight, **settings: conv_transpose2d(a, weight, shape=shape_of(x)[-2:], **settings),
        lambda a, x, weight, **settings: conv2d_weight(x, a, kernel_size=shape_of(weight)[-2:], **settings),
    ),
    batch=lambda p, n, inner: p,
    definition=_convolution,
    parameters=_CONVOLUTION,
    tex=r"{1} \star {0}",
    text="{1} ⋆ {0}",
    precedence=20,
    sample=[
        Case(grid(2, 2, 3, 4), grid(3, 2, 2, 3, shift=9)),
        Case(_IMAGE, _KERNEL, **_SPREAD),
        Case(grid(1, 4, 3, 3), grid(2, 2, 2, 2, shift=9), groups=2),
        Case(grid(2, 3, 3), grid(1, 2, 2, 2, shift=9)),
    ],
    doc="The cross-correlation of an image (…, C, H, W) with a weight (O, C / groups, height, width): every "
    "window times every kernel.",
)
conv_transpose2d: Op = bilinear(
    "conv_transpose2d",
    public=False,
    transpose=(
        lambda x, a, weight, *, shape, **settings: conv2d(x, weight, **settings),
        lambda x, a, weight, *, shape, **settings: conv2d_weight(
            x, a, kernel_size=shape_of(weight)[-2:], **settings
        ),
    ),
    batch=lambda p, n, inner: p,
    definition=_transposed,
    parameters={"shape": (), **_CONVOLUTION},
    tex=r"{1} \star^{{\mathsf T}} {0}",
    text="{1} ⋆ᵀ {0}",
    precedence=20,
    sample=[
        Case(grid(2, 3, 2, 2), grid(3, 2, 2, 3, shift=9), shape=(3, 4)),
        Case(_RESULT, _KERNEL, shape=(5, 4), **_SPREAD),
        Case(grid(2, 2, 2), grid(2, 2, 2, 2, shift=9), shape=(3, 3), groups=2),
    ],
    doc="The transpose of conv2d in its image: from a result (…, O, rows, columns) and a weight to an image "
    "whose last two axes have the given shape.",
)
conv2d_weight: Op = bilinear(
    "conv2d_weight",
    public=False,
    transpose=(
        lambda weight, x, a, *, kernel_size, **settings: conv_transpose2d(
            a, weight, shape=shape_of(x)[-2:], **settings
        ),
        lambda weight, x, a, *, kernel_size, **settings: conv2d(x, weight, **settings),
    ),
    definition=_weight,
    parameters={"kernel_size": 1, **_CONVOLUTION},
    tex=r"\operatorname{{weight}}({0}, {1})",
    sample=[
        Case(grid(2, 2, 3, 4), grid(2, 3, 2, 2, shift=9), kernel_size=(2, 3)),
        Case(_IMAGE, _RESULT, kernel_size=(3, 2), **_SPREAD),
        Case(grid(4, 3, 3), grid(2, 2, 2, shift=9), kernel_size=2, groups=2),
    ],
    doc="The transpose of conv2d in its weight: from an image and a result to a weight with kernels of the "
    "given size.",
)
