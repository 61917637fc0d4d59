"""NumPy's complaints about shapes and dtypes, in the words of the operation that the user wrote."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from wengert.ops.kinds import Discrete, Elementwise, Select
from wengert.ops.op import Op

Shape = tuple[int, ...]
Shapes = Sequence[Shape]
Parameters = Mapping[str, Any]


class ShapeMismatch(ValueError):
    """The shapes of an operation's arguments do not fit each other, or its parameters.

    >>> import wengert
    >>> wengert.ones(2, 3) @ wengert.ones(2, 3)
    Traceback (most recent call last):
    wengert.numbers.mismatch.ShapeMismatch: matmul: (2, 3) @ (2, 3): the inner extents 3 and 2 differ
    """


def in_words(op: Op, args: Sequence[Any], params: Parameters, error: Exception) -> Exception:
    """The error to raise where NumPy raised ``error`` for ``op(*args, **params)``."""
    if not type(error).__module__.startswith(("builtins", "numpy")):
        return error
    shapes = [np.shape(a) for a in args]
    if isinstance(error, np.linalg.LinAlgError):
        return np.linalg.LinAlgError(f"{op.name} of {_listed(shapes)}: {_first_sentence(error)}")
    if isinstance(error, np.exceptions.AxisError):
        return ShapeMismatch(f"{op.name}: axis {error.axis} is out of bounds for {_listed(shapes)}")
    if isinstance(error, TypeError):
        dtypes = " and ".join(str(getattr(a, "dtype", type(a).__name__)) for a in args)
        return TypeError(f"{op.name} of {dtypes}, {_listed(shapes)}: {_first_sentence(error)}")
    if isinstance(error, IndexError):
        dtypes = "".join(f"; an index of {a.dtype}" for a in args[1:] if hasattr(a, "dtype"))
        return IndexError(f"{op.name} of {_listed(shapes[:1])}: {_first_sentence(error)}{dtypes}")
    found = _mismatch(op, shapes, params)
    return ShapeMismatch(f"{op.name}{found}" if found else f"{op.name} of {_listed(shapes)}: {error}")


def _mismatch(op: Op, shapes: Shapes, params: Parameters) -> str | None:
    if isinstance(op, (Elementwise, Select, Discrete)):
        return f": {_listed(shapes)} do not broadcast" if _conflict(shapes) else None
    describe = _DESCRIPTIONS.get(op.name)
    return describe(shapes, params) if describe is not None else None


def _matmul(shapes: Shapes, params: Parameters) -> str | None:
    a, b = shapes
    product = f": {a} @ {b}"
    if not a or not b:
        return f"{product}: a number has no axes to sum over; multiply by it with *"
    inner = b[0] if len(b) == 1 else b[-2]
    if a[-1] != inner:
        return f"{product}: the inner extents {a[-1]} and {inner} differ"
    return f"{product}: the batch shapes {a[:-2]} and {b[:-2]} do not broadcast"


def _concatenate(shapes: Shapes, params: Parameters) -> str | None:
    axis = params["axis"]
    if len({len(s) for s in shapes}) > 1:
        return f": expected arrays with equally many axes, got {_listed(shapes)}"
    return f" along axis {axis}: {_listed(shapes)} differ in another axis than {axis}"


def _stack(shapes: Shapes, params: Parameters) -> str | None:
    return f": expected equal shapes, got {_listed(shapes)}"


def _reshape(shapes: Shapes, params: Parameters) -> str | None:
    (have,) = shapes
    return f": {have} has {math.prod(have)} entries, which do not fit the shape {params['shape']}"


def _broadcast_to(shapes: Shapes, params: Parameters) -> str | None:
    return f": {shapes[0]} does not broadcast to {params['shape']}"


def _squeeze(shapes: Shapes, params: Parameters) -> str | None:
    return f": axis {params['axis']} of {_listed(shapes)} has not the extent 1"


_DESCRIPTIONS = {
    "matmul": _matmul,
    "concatenate": _concatenate,
    "stack": _stack,
    "reshape": _reshape,
    "broadcast_to": _broadcast_to,
    "squeeze": _squeeze,
}


def _conflict(shapes: Shapes) -> bool:
    try:
        np.broadcast_shapes(*shapes)
    except ValueError:
        return True
    return False


def _listed(shapes: Shapes) -> str:
    words = [str(s) for s in shapes]
    if len(words) < 2:
        return f"shape {', '.join(words)}"
    return f"shapes {', '.join(words[:-1])} and {words[-1]}"


def _first_sentence(error: Exception) -> str:
    return str(error).split(", and the inputs")[0].rstrip(".")
