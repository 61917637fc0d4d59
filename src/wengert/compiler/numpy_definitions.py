"""The functions that a program's source defines for itself, because NumPy has none of their kind."""

from __future__ import annotations

import inspect
import math
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from wengert.compiler.numpy_calls import OWN
from wengert.compiler.numpy_windows import WINDOWS, with_their_own
from wengert.numbers import error_function
from wengert.ops.op import lookup

TEXTS: Mapping[str, str] = {
    "keep": '''def keep(condition, x, out):
    """x where the condition holds, else 0. Its bits are masked, so that not even a NaN comes through."""
    bits = out.view(f"i{out.itemsize}")
    np.negative(condition.view("i1"), out=bits)
    np.bitwise_and(bits, x.view(bits.dtype), out=bits)
''',
    "select": '''def select(condition, a, b, out):
    """a where the condition holds, else b. Their bits are masked: much faster than a choice per entry."""
    bits = out.view(f"i{out.itemsize}")
    a, b = a.view(bits.dtype), b.view(bits.dtype)
    np.negative(condition.view("i1"), out=bits)
    np.bitwise_and(bits, a ^ b, out=bits)
    np.bitwise_xor(bits, b, out=bits)
''',
    "blocks": '''def blocks(count, rows):
    """Slices of so many rows at a time, small enough to stay in the processor's cache."""
    return [slice(start, min(start + rows, count)) for start in range(0, count, rows)]
''',
    "of_number": '''def of_number(name, *numbers):
    """A function of Python numbers; NumPy's answer where Python has none."""
    try:
        return getattr(math, name)(*numbers)
    except (ValueError, OverflowError):
        return getattr(np, name)(*numbers)
''',
    "scatter_add": '''def scatter_add(g, key, shape):
    """Zeros of the given shape with the entries of g added at the key."""
    out = np.zeros(shape, g.dtype)
    if any(isinstance(entry, (list, np.ndarray)) for entry in key):
        np.add.at(out, key, g)
    else:
        out[key] = g
    return out
''',
    "put_along_axis": '''def put_along_axis(g, indices, axis, shape):
    """Zeros of the given shape with the entries of g added along an axis."""
    out = np.zeros(shape, g.dtype)
    grid = list(np.ogrid[tuple(map(slice, indices.shape))])
    grid[axis] = indices
    np.add.at(out, tuple(grid), g)
    return out
''',
}
"""Short definitions in NumPy."""


def _erf() -> str:
    text = inspect.getsource(error_function)
    text = text[text.index("_INV_SQRT_PI") :]
    return re.sub(r": Array|: tuple\[float, \.\.\.\]| -> Array|  # fmt: skip", "", text)


def definitions(names: Iterable[str]) -> tuple[list[str], list[str]]:
    """The imports and the definitions for these functions. A row that would take pages is wengert's own."""
    wanted = with_their_own(sorted(names))
    texts = [_text(name) for name in wanted if not name.startswith(OWN)]
    rows = [name for name in wanted if name.startswith(OWN)]
    imports = ["import math"] if "of_number" in wanted else []
    if rows:
        imports.append("from wengert.ops.op import lookup  # for what would take pages in NumPy")
        texts += [f'{name} = lookup("{name.removeprefix(OWN)}")\n' for name in rows]
    return imports, texts


def _text(name: str) -> str:
    return _erf() if name == "erf" else TEXTS.get(name) or WINDOWS[name]


def functions(names: Iterable[str]) -> dict[str, Any]:
    """The functions themselves, for a program that runs here: the table's rows, and the short ones above."""
    own = {name for name in names if name in TEXTS and name != "put_along_axis"}
    found: dict[str, Any] = {"np": np, "math": math}
    for name in own:
        exec(compile(TEXTS[name], f"<{name}>", "exec"), found)
    return {name: found[name] if name in own else _row(name) for name in names}


def _row(name: str) -> Callable[..., Any]:
    op = lookup(name.removeprefix(OWN))
    return lambda *args, **params: op.apply(args, {**op.parameters, **params})
