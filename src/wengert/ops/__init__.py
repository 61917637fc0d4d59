"""The rule tables. Each row states one fact about one operation; everything else is read off it."""

from wengert.ops import arithmetic, exponential, indexing, linalg, nn, products, reduce, shape, trigonometric
from wengert.ops.constants import Constant
from wengert.ops.kinds import (
    Composite,
    bilinear,
    composite,
    discrete,
    elementwise,
    factorisation,
    joint,
    linear,
    select,
)
from wengert.ops.op import Case, Op, Traced, UnsupportedOperation, grid, lookup, rows

__all__ = [
    "Case",
    "Composite",
    "Constant",
    "Op",
    "Traced",
    "UnsupportedOperation",
    "arithmetic",
    "bilinear",
    "composite",
    "discrete",
    "elementwise",
    "exponential",
    "factorisation",
    "grid",
    "indexing",
    "joint",
    "linalg",
    "linear",
    "lookup",
    "nn",
    "products",
    "reduce",
    "rows",
    "select",
    "shape",
    "trigonometric",
]
