"""The scalar engine: automatic differentiation of single numbers, with the standard library alone."""

from wengert.scalar.number import Scalar, dot

__all__ = ["Scalar", "dot"]
