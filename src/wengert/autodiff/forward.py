"""Forward mode: dual numbers, a primal with its tangent."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from wengert.numbers.graph import Node
from wengert.ops.kinds import Deferred, shape
from wengert.ops.methods import ArrayMethods
from wengert.ops.op import Op, Traced, later
from wengert.ops.shape import broadcast_to


class Dual(ArrayMethods, Traced):
    """``primal + tangent·ε`` with ε² = 0. The tangent is None where it is zero."""

    __slots__ = ("_tangent", "level", "primal")

    def __init__(self, primal: Any, tangent: Any, level: int) -> None:
        self.primal = primal
        self._tangent = tangent
        self.level = level

    @property
    def tangent(self) -> Any:
        """The tangent, computed now where the rule put it off."""
        if type(self._tangent) is Deferred:
            self._tangent = self._tangent.compute()
        return self._tangent

    @property
    def beneath(self) -> Any:
        """The primal."""
        return self.primal

    @property
    def shape(self) -> tuple[int, ...]:
        """The extents of the axes; ``()`` for a number."""
        return shape(self.primal)

    @property
    def dtype(self) -> Any:
        """The primal's dtype."""
        return self.primal.dtype

    def __bool__(self) -> bool:
        return bool(self.primal)

    def __float__(self) -> float:
        return float(self.primal)

    def __repr__(self) -> str:
        return f"Dual({self.primal!r}, {self.tangent!r})"

    def record(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        level = self.level
        primals = tuple(a.primal if type(a) is Dual and a.level == level else a for a in args)
        result = op.apply(primals, params)
        tangents = [a.tangent if type(a) is Dual and a.level == level else None for a in args]
        tangent = push_forward(op, tangents, primals, result, params)
        if isinstance(result, tuple):
            parts = tangent or [None] * len(result)
            return tuple(Dual(p, t, level) for p, t in zip(result, parts, strict=True))
        if type(tangent) is Node and type(result) is Node:
            tangent = tangent.graph.derivative("tangent", tangent, result)
        return Dual(result, tangent, level)


def push_forward(
    op: Op, tangents: list[Any], primals: tuple[Any, ...], result: Any, params: Mapping[str, Any]
) -> Any:
    """The tangent of one operation's result; None where it is zero."""
    if not op.differentiable or all(t is None for t in tangents):
        return None
    tangent = op.jvp(tangents, primals, result, params)
    if tangent is None or isinstance(tangent, (list, tuple)):
        return tangent
    dtype, own = (getattr(x, "dtype", None) for x in (result, tangent))
    if dtype is not None and own is not None and own != dtype and dtype.kind == "f" and own.kind != "c":
        tangent = later.astype(tangent, dtype=dtype.name)  # NumPy's own rule for whole numbers is another
    return tangent if shape(tangent) == shape(result) else broadcast_to(tangent, shape=shape(result))
