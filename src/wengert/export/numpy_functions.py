"""The functions that an exported Python file defines for itself, each with what it needs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class Needed(NamedTuple):
    """A function's text, and what must stand before it."""

    text: str
    modules: tuple[str, ...] = ()
    functions: tuple[str, ...] = ()


FUNCTIONS = {
    "unpack": Needed(
        '''def unpack(shape, dtype, text):
    """An array from its compressed text."""
    return np.frombuffer(zlib.decompress(base64.b85decode("".join(text.split()))), dtype).reshape(shape)
''',
        modules=("base64", "zlib"),
    ),
    "erf": Needed(
        '''def erf(x):
    """The error function of every entry."""
    return np.array([math.erf(entry) for entry in np.ravel(x)], x.dtype).reshape(np.shape(x))
''',
        modules=("math",),
    ),
    "windows": Needed(
        '''def windows(x, kernel, stride, padding, dilation, filling=0):
    """All windows of the last two axes, as (..., rows, columns, kernel height, kernel width)."""
    x = np.pad(x, [(0, 0)] * (x.ndim - 2) + list(padding), constant_values=filling)
    spans = [gap * (size - 1) + 1 for size, gap in zip(kernel, dilation)]
    views = np.lib.stride_tricks.sliding_window_view(x, spans, axis=(-2, -1))
    return views[..., :: stride[0], :: stride[1], :: dilation[0], :: dilation[1]]
'''
    ),
    "overlap_add": Needed(
        '''def overlap_add(parts, shape, stride, padding, dilation):
    """Windows added to their places in an array whose last two axes have the given shape."""
    (above, below), (left, right) = padding
    rows, columns, height, width = parts.shape[-4:]
    out = np.zeros((*parts.shape[:-4], shape[0] + above + below, shape[1] + left + right), parts.dtype)
    for i in range(height):
        for j in range(width):
            down = slice(i * dilation[0], i * dilation[0] + rows * stride[0], stride[0])
            right = slice(j * dilation[1], j * dilation[1] + columns * stride[1], stride[1])
            out[..., down, right] += parts[..., i, j]
    return out[..., above : above + shape[0], left : left + shape[1]]
'''
    ),
    "conv2d": Needed(
        '''def conv2d(x, weight, groups, stride, padding, dilation):
    """Every window times every kernel: from (..., C, H, W) and (O, C / groups, height, width)."""
    taken = windows(x, weight.shape[-2:], stride, padding, dilation)
    *outer, channels, rows, columns, height, width = taken.shape
    taken = taken.reshape(*outer, groups, channels // groups, rows, columns, height, width)
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    result = np.einsum("...gcrsij,gocij->...gors", taken, kernels, optimize=True)
    return result.reshape(*outer, len(weight), rows, columns)
''',
        functions=("windows",),
    ),
    "conv_transpose2d": Needed(
        '''def conv_transpose2d(a, weight, shape, groups, stride, padding, dilation):
    """The transpose of a convolution, from its result to an image of the given shape."""
    *outer, channels, rows, columns = a.shape
    _, inputs, height, width = weight.shape
    a = a.reshape(*outer, groups, channels // groups, rows, columns)
    kernels = weight.reshape(groups, len(weight) // groups, *weight.shape[1:])
    parts = np.einsum("...gors,gocij->...gcrsij", a, kernels, optimize=True)
    parts = parts.reshape(*outer, groups * inputs, rows, columns, height, width)
    return overlap_add(parts, shape, stride, padding, dilation)
''',
        functions=("overlap_add",),
    ),
    "max_pool2d": Needed(
        '''def max_pool2d(x, kernel, stride, padding, dilation):
    """The largest entry of every window."""
    return windows(x, kernel, stride, padding, dilation, -np.inf).max(axis=(-2, -1))
''',
        functions=("windows",),
    ),
    "avg_pool2d": Needed(
        '''def avg_pool2d(x, kernel, stride, padding):
    """The mean of every window's entries; the padding does not count."""
    total = windows(x, kernel, stride, padding, (1, 1)).sum(axis=(-2, -1))
    return total / windows(np.ones_like(x), kernel, stride, padding, (1, 1)).sum(axis=(-2, -1))
''',
        functions=("windows",),
    ),
}


def with_their_own(names: Iterable[str]) -> list[str]:
    """These functions and those that they call, each after those it calls.

    >>> with_their_own(["max_pool2d"])
    ['windows', 'max_pool2d']
    """
    found: list[str] = []
    for name in names:
        if name in FUNCTIONS:
            found += [*with_their_own(FUNCTIONS[name].functions), name]
    return list(dict.fromkeys(found))
