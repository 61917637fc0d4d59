"""Updates in place: ``w -= 0.1 * g``, ``x[0] = 1.0``, ``x.zero_()``.

An update puts a new array in the tensor's place and leaves the old one alone, so what the tape has seen stays
right.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.autodiff.levels import is_recording
from wengert.autodiff.reverse import Variable
from wengert.numbers.graph import Node
from wengert.numbers.mismatch import ShapeMismatch
from wengert.ops import arithmetic
from wengert.ops.methods import clip
from wengert.ops.op import Op


class UpdatesInPlace:
    """The methods of a tensor that change it."""

    __slots__ = ()
    data: Any
    level: int
    requires_grad: bool

    def _update(self, new: Any, what: str, functional: str) -> Any:
        """Put the entries of ``new`` in this tensor's place. ``what`` and ``functional`` word the error."""
        self._refuse_on_tape(what, functional)
        if isinstance(new, Variable):
            if new.requires_grad and is_recording(new.level):
                raise RuntimeError(_lost(what, functional))
            new = new.data
        if type(new) is not Node:  # a node is traced, and becomes the update of a captured step
            new = np.asarray(new)
        dtype = self.data.dtype
        if new.shape != self.data.shape:
            new = _spread(new, self.data.shape, what)
        if new.dtype != dtype:
            if not np.can_cast(new.dtype, dtype, "same_kind"):
                raise TypeError(
                    f"{what}: a result of {new.dtype} does not fit in a tensor of {dtype}; write {functional}"
                )
            new = new.astype(dtype)
        self.data = new
        return self

    def _refuse_on_tape(self, what: str, functional: str) -> None:
        if self.requires_grad and is_recording(self.level):
            kind = (
                "leaf that requires a gradient"
                if getattr(self, "is_leaf", True)
                else "tensor that the tape needs"
            )
            raise RuntimeError(
                f"{what} in place on a {kind}: its derivative would be lost.\n"
                f"  wrong:  {what}\n  right:  {functional}\n"
                f"  or, for an update that is not to be differentiated:  with wengert.no_grad(): {what}"
            )

    def __setitem__(self, key: Any, value: Any) -> None:
        what, functional = "x[key] = value", "x = wengert.where(mask, value, x)"
        self._refuse_on_tape(what, functional)
        if isinstance(value, Variable):
            if value.requires_grad and is_recording(value.level):
                raise RuntimeError(
                    _lost(what, f"{functional}, or build x with wengert.stack or wengert.concatenate")
                )
            value = value.data
        plain = tuple(map(_plain, key)) if isinstance(key, tuple) else _plain(key)
        changed = np.array(self.data)
        try:
            changed[plain] = value
        except (ValueError, IndexError) as error:
            raise type(error)(f"{what} on shape {changed.shape}: {error}") from None
        self.data = changed

    def zero_(self) -> Any:
        """Zeros in every place."""
        return self._update(np.zeros_like(self.data), "x.zero_()", "x = wengert.zeros_like(x)")

    def fill_(self, value: Any) -> Any:
        """One value in every place."""
        plain, traced = _plain(value), type(self.data) is Node or type(_plain(value)) is Node
        new = arithmetic.zeros_like(self.data) + plain if traced else np.full_like(self.data, plain)
        return self._update(new, "x.fill_(value)", "x = wengert.full_like(x, value)")

    def copy_(self, other: Any) -> Any:
        """The entries of another tensor, converted to this tensor's dtype. No gradient flows to ``other``."""
        new = _plain(other)
        new = (new if type(new) is Node else np.asarray(new)).astype(self.data.dtype)
        return self._update(new, "x.copy_(y)", "x = y.clone()")

    def clamp_(self, min: Any = None, max: Any = None) -> Any:
        """The entries held between two bounds."""
        return self._update(clip(self.data, min, max), "x.clamp_(min, max)", "x = x.clamp(min, max)")


def _plain(value: Any) -> Any:
    return value.data if isinstance(value, Variable) else value


def _lost(what: str, functional: str) -> str:
    return f"{what} would lose the derivative of the value.\n  wrong:  {what}\n  right:  {functional}"


def _spread(new: Any, shape: tuple[int, ...], what: str) -> Any:
    try:
        return np.broadcast_to(new, shape)
    except ValueError:
        raise ShapeMismatch(
            f"{what}: a result of shape {new.shape} does not fit in a tensor of shape {shape}"
        ) from None


def _operator(symbol: str, op: Op) -> Callable[[Any, Any], Any]:
    """``x += y``: of a tensor on the tape it makes a new result; of any other it updates in place."""
    what, functional = f"x {symbol}= y", f"x = x {symbol} y"

    def update(self: Any, other: Any) -> Any:
        recorded = self.requires_grad or (isinstance(other, Variable) and other.requires_grad)
        if recorded and is_recording(self.level) and not (self.requires_grad and self.is_leaf):
            return op(self, other)
        self._refuse_on_tape(what, functional)
        return self._update(op(self.data, _plain(other)), what, functional)

    return update


def _method(symbol: str, op: Op, name: str) -> Callable[..., Any]:
    what, functional = f"x.{name}_(y)", f"x = x {symbol} y"

    def method(self: Any, other: Any, alpha: Any = 1) -> Any:
        self._refuse_on_tape(what, functional)
        if isinstance(other, Variable) and other.requires_grad and is_recording(other.level):
            raise RuntimeError(_lost(what, functional))
        scaled = _plain(other) if alpha == 1 else arithmetic.multiply(_plain(other), alpha)
        return self._update(op(self.data, scaled), what, functional)

    def plain_method(self: Any, other: Any) -> Any:
        return method(self, other)

    chosen = method if name in ("add", "sub") else plain_method
    chosen.__name__ = f"{name}_"
    chosen.__doc__ = f"``{what}``: {functional}, in place" + (
        ", with y times ``alpha``." if chosen is method else "."
    )
    return chosen


for _symbol, _op, _name, _dunder in (
    ("+", arithmetic.add, "add", "__iadd__"),
    ("-", arithmetic.subtract, "sub", "__isub__"),
    ("*", arithmetic.multiply, "mul", "__imul__"),
    ("/", arithmetic.divide, "div", "__itruediv__"),
    ("**", arithmetic.power, "pow", "__ipow__"),
):
    setattr(UpdatesInPlace, _dunder, _operator(_symbol, _op))
    setattr(UpdatesInPlace, f"{_name}_", _method(_symbol, _op, _name))
