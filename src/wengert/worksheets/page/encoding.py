"""Values and settings as JSON that the page's own evaluator reads.

A number is a pair of its type and itself, such as ``["float", 1.5]`` or ``["float32", 1.5]``. An array is
``["array", dtype, shape, place, text]``: its place in the pool of arrays (None where it is left out), and how
the engine prints it. What the page cannot compute with is ``["text", …]``.
"""

from __future__ import annotations

import base64
import hashlib
import math
from typing import Any

from wengert.ops.constants import Constant, resolve
from wengert.ops.indexing import Slot
from wengert.ops.op import system_of
from wengert.worksheets.values import LARGEST_EXACT_INTEGER, Json, format_value, printable

STORED = {"f4": "<f4", "f8": "<f8", "i4": "<i4", "u1": "|u1"}
DTYPES = {"bool", "int8", "int16", "int32", "int64", "uint8", "uint16", "uint32", "float32", "float64"}


class Pool:
    """The entries of arrays, each array once, up to ``budget`` bytes together."""

    def __init__(self, budget: int) -> None:
        self.budget = budget
        self.left_out = 0
        self.stored: list[Json] = []
        self._places: dict[bytes, int] = {}

    def place(self, array: Any) -> int | None:
        """Where the array is stored; None where it would exceed the budget."""
        kind, data = _stored(array)
        key = hashlib.sha256(kind.encode() + data).digest()
        if key not in self._places:
            if len(data) > self.budget:
                self.left_out += 1
                return None
            self.budget -= len(data)
            self._places[key] = len(self.stored)
            self.stored.append([kind, base64.b64encode(data).decode("ascii")])
        return self._places[key]


def _stored(array: Any) -> tuple[str, bytes]:
    import numpy as np

    if array.dtype.kind == "f":
        kind = "f8" if array.dtype.itemsize == 8 else "f4"
    elif array.dtype.kind == "b":
        kind = "u1"
    else:
        kind = "i4" if array.size == 0 or np.abs(array.astype(float)).max() < 2**31 else "f8"
    return kind, np.ascontiguousarray(array).astype(STORED[kind]).tobytes()


def encoded(value: Any, pool: Pool, digits: int, numbers: str) -> Json:
    """A value as the module's text says."""
    if value is None:
        return None
    if numbers != "float":
        return ["text", printable_lines(format_value(value, digits, numbers))]
    if type(value) is Constant:
        (value,) = resolve((value,), system_of(0.0))
    if isinstance(value, (tuple, list)):
        return ["tuple", [encoded(entry, pool, digits, numbers) for entry in value]]
    name = str(getattr(value, "dtype", ""))
    if name in DTYPES:
        if not getattr(value, "shape", ()):
            return [name, _number(value.item())]
        text = format_value(value, digits, numbers)
        return ["array", name, [int(n) for n in value.shape], pool.place(value), text]
    if name == "" and isinstance(value, (bool, int, float)):
        kind = "bool" if isinstance(value, bool) else "int" if isinstance(value, int) else "float"
        if kind != "int" or abs(value) <= LARGEST_EXACT_INTEGER:
            return [kind, _number(value)]
    return ["text", printable_lines(format_value(value, digits, numbers))]


def _number(x: bool | int | float) -> Json:
    return x if math.isfinite(x) else str(float(x))


def printable_lines(text: str) -> str:
    """`printable`, but line breaks stay."""
    return "\n".join(printable(line) for line in text.split("\n"))


def setting(x: Any) -> Json:
    """A parameter of an operation: an axis, a shape, an index. What has no JSON of its own is an object with
    one key that names it."""
    if x is None or isinstance(x, (bool, str)):
        return x
    if isinstance(x, (list, tuple)):
        return [setting(entry) for entry in x]
    if isinstance(x, slice):
        return {"slice": [setting(x.start), setting(x.stop), setting(x.step)]}
    if x is Ellipsis:
        return {"ellipsis": True}
    if isinstance(x, Slot):
        return {"slot": x.number}
    if type(x) is Constant:
        (x,) = resolve((x,), system_of(0.0))
    if hasattr(x, "item") and not getattr(x, "shape", ()):
        x = x.item()
    if isinstance(x, int):
        return int(x)
    if isinstance(x, float):
        return x if math.isfinite(x) else {"float": str(x)}
    if hasattr(x, "itemsize") or isinstance(x, type):
        return {"dtype": getattr(x, "name", getattr(x, "__name__", str(x)))}
    return {"unknown": printable(repr(x))[:80]}
