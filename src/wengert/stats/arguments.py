"""What the functions of this package are given: arrays or tensors of finite numbers."""

from __future__ import annotations

from typing import Any

import numpy as np

from wengert.ops.op import bottom


def numbers(name: str, values: Any, dimensions: int | None = None) -> Any:
    """The values as an array, or the tensor that they are; whole numbers become float64, other types stay.

    Raises ValueError for another number of dimensions, for no numbers, and for numbers that are not finite,
    and TypeError for what is not a real number.
    """
    given = values if hasattr(values, "beneath") else np.asarray(values)
    array = plain(given)
    if array.dtype.kind in "biu":
        given = given.astype(np.float64)
    elif array.dtype.kind not in "fO":
        raise TypeError(f"{name}: expected real numbers, got an array of {array.dtype}")
    if dimensions is not None and len(given.shape) != dimensions:
        kind = {1: "a vector (n,)", 2: "a matrix (rows, columns)"}[dimensions]
        raise ValueError(f"{name}: expected {kind}, got the shape {given.shape}")
    if not array.size:
        raise ValueError(f"{name}: expected numbers, got the empty shape {given.shape}")
    if array.dtype.kind == "f" and not np.isfinite(array).all():
        bad = int(np.sum(~np.isfinite(array)))
        raise ValueError(f"{name}: expected finite numbers, got {bad} of {array.size} that are not")
    return given


def plain(values: Any) -> Any:
    """The array beneath a tensor, and beneath whatever differentiates it; any other array as it is."""
    return np.asarray(bottom(values))
