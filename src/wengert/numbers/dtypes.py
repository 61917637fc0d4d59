"""Which dtype a result has: PyTorch's categories, with Python numbers weak as in NumPy 2.

The highest category wins (bool, integer, floating, complex); within it, the widest dtype among the arrays. So an
int64 array times a float32 array is float32. A Python number only raises the category, to the default dtype.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

DEFAULT_FLOAT = np.dtype("float32")
CATEGORY = {"b": 0, "i": 1, "u": 1, "f": 2, "c": 3}
PYTHON_CATEGORY = {bool: 0, int: 1, float: 2, complex: 3}


def result_type(args: Sequence[Any]) -> np.dtype[Any]:
    """The common dtype of arrays and Python numbers. Raises TypeError for other dtypes (strings, dates).

    >>> import numpy as np
    >>> result_type([np.zeros(2, "int64"), np.zeros(2, "float32")])
    dtype('float32')
    >>> result_type([np.zeros(2, "int64"), 0.5])
    dtype('float32')
    """
    arrays = [a.dtype for a in args if hasattr(a, "dtype")]
    for dtype in arrays:
        if dtype.kind == "O":
            return dtype
        if dtype.kind not in CATEGORY:
            raise TypeError(f"expected numbers, got an array of dtype {dtype}")
    top = max((CATEGORY[d.kind] for d in arrays), default=-1)
    weak = max((PYTHON_CATEGORY[type(a)] for a in args if type(a) in PYTHON_CATEGORY), default=-1)
    widest = [d for d in arrays if CATEGORY[d.kind] == top]
    if weak <= top:
        return np.result_type(*widest)
    if weak == 1:
        return np.dtype("int64")
    floating = np.result_type(*widest) if top == 2 else DEFAULT_FLOAT
    return floating if weak == 2 else np.result_type(floating, np.complex64)
