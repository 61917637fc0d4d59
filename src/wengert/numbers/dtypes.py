"""Which dtype a result has: PyTorch's categories, with Python numbers weak as in NumPy 2.

The highest category wins (bool, integer, floating, complex); within it, the widest dtype among the arrays. So
an int64 array times a float32 array is float32. A Python number only raises the category, to the default
dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

float32, float64 = np.dtype("float32"), np.dtype("float64")
int32, int64 = np.dtype("int32"), np.dtype("int64")
bool_ = np.dtype("bool")
complex64, complex128 = np.dtype("complex64"), np.dtype("complex128")

CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
PYTHON_CATEGORY = {bool: 0, int: 1, float: 2, complex: 3}
_default = float32


def get_default_dtype() -> np.dtype[Any]:
    """The dtype that Python floats become, and that integers become where an operation makes them floats.

    >>> get_default_dtype()
    dtype('float32')
    """
    return _default


def set_default_dtype(dtype: Any) -> None:
    """Let Python floats become ``dtype``: float32, as at first, or float64. It holds for all threads.

    Raises TypeError for any other dtype.

    >>> import wengert
    >>> set_default_dtype("float64")
    >>> wengert.tensor(0.1).item()
    0.1
    >>> set_default_dtype("float32")
    """
    global _default
    wanted = np.dtype(dtype)
    if wanted not in (float32, float64):
        raise TypeError(f"set_default_dtype: expected float32 or float64, got {wanted}")
    _default = wanted


def result_type(args: Sequence[Any]) -> np.dtype[Any]:
    """The common dtype of arrays and Python numbers. Raises TypeError for other dtypes (strings, dates).

    >>> import numpy as np
    >>> result_type([np.zeros(2, "int64"), np.zeros(2, "float32")])
    dtype('float32')
    >>> result_type([np.zeros(2, "int64"), 0.5])
    dtype('float32')
    """
    arrays: list[np.dtype[Any]] = [a.dtype for a in args if hasattr(a, "dtype")]
    for dtype in arrays:
        if dtype.kind == "O":
            return dtype
        if dtype.kind not in CATEGORY:
            raise TypeError(f"expected numbers, got an array of dtype {dtype}")
    top = max((CATEGORY[d.kind] for d in arrays), default=-1)
    weak = max((PYTHON_CATEGORY[type(a)] for a in args if type(a) in PYTHON_CATEGORY), default=-1)
    widest = [d for d in arrays if CATEGORY[d.kind] == top]
    if weak <= top:
        common: np.dtype[Any] = np.result_type(*widest)
        return common
    if weak == 1:
        return int64
    floating: np.dtype[Any] = np.result_type(*widest) if top == 2 else _default
    return floating if weak == 2 else np.result_type(floating, complex64)
