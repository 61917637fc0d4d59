"""Convolution and pooling in a few lines of NumPy each, for a source that runs without this package."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wengert.compiler.lines import Line
from wengert.ops.pooling import pooling_margins
from wengert.ops.windows import margins, pair

WINDOWS: Mapping[str, str] = {
    "windows": '''def windows(x, kernel_size, stride, padding, dilation, filling=0):
    """All windows of the last two axes: (..., rows, columns, kernel height, kernel width)."""
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + list(padding), constant_values=filling)
    spans = [gap * (size - 1) + 1 for size, gap in zip(kernel_size, dilation)]
    views = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(-2, -1))
    return views[..., :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
''',
    "overlap_add": '''def overlap_add(parts, shape, stride, padding, dilation):
    """Windows added to their places in an array whose last two axes have the given shape."""
    (above, below), (before, behind) = padding
    rows, columns, height, width = parts.shape[-4:]
    out = np.zeros((*parts.shape[:-4], shape[0] + above + below, shape[1] + before + behind), parts.dtype)
    for i in range(height):
        for j in range(width):
            down = slice(i * dilation[0], i * dilation[0] + rows * stride[0], stride[0])
            right = slice(j * dilation[1], j * dilation[1] + columns * stride[1], stride[1])
            out[..., down, right] += parts[..., i, j]
    return out[..., above : above + shape[0], before : before + shape[1]]
''',
    "conv2d": '''def conv2d(x, weight, groups, **placement):
    """Every window of (..., C, H, W) times every kernel of (O, C / groups, height, width)."""
    taken = windows(x, weight.shape[-2:], **placement)
    *outer, channels, rows, columns, height, width = taken.shape
    taken = taken.reshape(*outer, groups, channels // groups, rows, columns, height, width)
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    result = np.einsum("...gcrsij,gocij->...gors", taken, kernels, optimize=True)
    return result.reshape(*outer, len(weight), rows, columns)
''',
    "conv_transpose2d": '''def conv_transpose2d(a, weight, shape, groups, **placement):
    """The transpose of a convolution, from its result to an image of the given shape."""
    *outer, channels, rows, columns = a.shape
    _, inputs, height, width = weight.shape
    a = a.reshape(*outer, groups, channels // groups, rows, columns)
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    parts = np.einsum("...gors,gocij->...gcrsij", a, kernels, optimize=True)
    parts = parts.reshape(*outer, groups * inputs, rows, columns, height, width)
    return overlap_add(parts, shape, **placement)
''',
    "conv2d_weight": '''def conv2d_weight(x, a, kernel_size, groups, **placement):
    """What a convolution's result a owes to each entry of the weight, from its image x."""
    taken = windows(x, kernel_size, **placement)
    channels, rows, columns, height, width = taken.shape[-5:]
    taken = taken.reshape(-1, groups, channels // groups, rows, columns, height, width)
    outputs = a.shape[-3]
    a = a.reshape(-1, groups, outputs // groups, rows, columns)
    result = np.einsum("ngcrsij,ngors->gocij", taken, a, optimize=True)
    return result.reshape(outputs, channels // groups, height, width)
''',
    "first_maxima": '''def first_maxima(x, **settings):
    """Which entry of every window is its first maximum."""
    taken = windows(x, **settings, filling=-np.inf)
    flat = taken.reshape(*taken.shape[:-2], -1)
    first = np.argmax(flat, axis=-1)[..., None] == np.arange(flat.shape[-1])
    return first.reshape(taken.shape)
''',
    "max_pool2d": '''def max_pool2d(x, **settings):
    """The largest entry of every window."""
    return windows(x, **settings, filling=-np.inf).max(axis=(-2, -1))
''',
    "pool_at_maxima": '''def pool_at_maxima(v, x, **settings):
    """From every window of v the entry in whose place x has the window's first maximum."""
    return np.where(first_maxima(x, **settings), windows(v, **settings), 0).sum(axis=(-2, -1))
''',
    "unpool_at_maxima": '''def unpool_at_maxima(g, x, kernel_size, **placement):
    """Every entry of g added in the place where x has the first maximum of that window."""
    first = first_maxima(x, kernel_size=kernel_size, **placement)
    return overlap_add(np.where(first, g[..., None, None], 0), x.shape[-2:], **placement)
''',
    "avg_pool2d": '''def avg_pool2d(x, kernel_size, stride, padding, count_include_pad):
    """The mean of every window's entries."""
    total = windows(x, kernel_size, stride, padding, (1, 1)).sum(axis=(-2, -1))
    ones = np.ones(x.shape[-2:], x.dtype)
    counted = windows(ones, kernel_size, stride, padding, (1, 1), filling=int(count_include_pad))
    return total / counted.sum(axis=(-2, -1))
''',
}

NEEDED: Mapping[str, tuple[str, ...]] = {
    "conv2d": ("windows",),
    "conv_transpose2d": ("overlap_add",),
    "conv2d_weight": ("windows",),
    "first_maxima": ("windows",),
    "max_pool2d": ("windows",),
    "pool_at_maxima": ("windows", "first_maxima"),
    "unpool_at_maxima": ("windows", "first_maxima", "overlap_add"),
    "avg_pool2d": ("windows",),
}
"""The functions that others call."""


def with_their_own(names: Iterable[str]) -> list[str]:
    """These functions and those that they call, each after those it calls.

    >>> with_their_own(["max_pool2d"])
    ['windows', 'max_pool2d']
    """
    found: list[str] = []
    for name in names:
        found += [*with_their_own(NEEDED.get(name, ())), name]
    return list(dict.fromkeys(found))


def plain_settings(line: Line) -> dict[str, Any] | None:
    """The parameters of a row on windows, written in full; None where the short definition does not hold."""
    params: dict[str, Any] = {k: v for k, v in line.params.items() if k not in ("ceil_mode", "parts")}
    extents = (line.args[1] if line.name == "unpool_at_maxima" else line.args[0]).shape[-2:]
    given = margins(params["padding"])
    around = given
    if line.params.get("ceil_mode"):
        kernel, dilation = params["kernel_size"], params.get("dilation", 1)
        around = pooling_margins(extents, kernel, params["stride"], given, dilation, True)
    if min(min(side) for side in around) < 0 or (around != given and params.get("count_include_pad")):
        return None
    if line.name in ("max_pool2d", "pool_at_maxima", "unpool_at_maxima") and line.args[0].dtype.kind != "f":
        return None
    params |= {k: pair(params[k]) for k in ("kernel_size", "stride", "dilation") if k in params}
    params |= {"shape": tuple(params["shape"])} if "shape" in params else {}
    return {**params, "padding": around}
