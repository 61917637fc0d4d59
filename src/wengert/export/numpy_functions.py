"""The functions that an exported Python file defines for itself: a source's own, and two more."""

from __future__ import annotations

from typing import NamedTuple

from wengert.compiler.numpy_windows import WINDOWS


class Needed(NamedTuple):
    """A function's text, and the modules that it needs."""

    text: str
    modules: tuple[str, ...] = ()


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
    **{name: Needed(text) for name, text in WINDOWS.items()},
}
