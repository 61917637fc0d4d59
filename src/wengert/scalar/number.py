"""`Scalar`: a number on a tape, in pure Python."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.autodiff.levels import silenced_level
from wengert.autodiff.reverse import Variable, next_sequence, sweep
from wengert.ops import arithmetic, nn
from wengert.ops.arithmetic import ones_like
from wengert.ops.kinds import shape
from wengert.ops.op import Op, Traced, system_of


class Scalar(Variable):
    """A number that remembers how it was computed.

    ``data`` may be a float, complex, `fractions.Fraction`, mpmath or sympy number; the gradient is of the same kind.
    Floats follow IEEE 754: the logarithm of a negative number is NaN.

    >>> x, y = Scalar(2.0), Scalar(3.0)
    >>> z = x * y + x ** 2
    >>> z.backward()
    >>> z.data, x.grad, y.grad
    (10.0, 7.0, 2.0)
    """

    __slots__ = ()

    def __init__(self, data: Any, requires_grad: bool = True, level: int = 0) -> None:
        if type(data) is int:
            data = float(data)
        elif isinstance(data, (str, bytes)) or shape(data):
            raise TypeError(f"Scalar: expected a number, got {type(data).__name__}; use wengert.tensor for arrays")
        elif not isinstance(data, Traced):
            system_of(data)
        super().__init__(data, requires_grad, level)

    @property
    def result_type(self) -> type[Variable]:
        return Scalar

    def __repr__(self) -> str:
        return f"Scalar({self.data!r})" if self.grad is None else f"Scalar({self.data!r}, grad={self.grad!r})"

    def __float__(self) -> float:
        return float(self.data)

    def __int__(self) -> int:
        return int(self.data)

    def __bool__(self) -> bool:
        return bool(self.data)

    def item(self) -> Any:
        """The plain number.

        >>> Scalar(2.5).item()
        2.5
        """
        return self.data

    def detach(self) -> Scalar:
        """The same number without its history."""
        return Scalar(self.data, False)

    def backward(self, *, retain_graph: bool = False, create_graph: bool = False) -> None:
        """Add the derivative of this number to the ``grad`` of every number that it was computed from.

        ``retain_graph`` allows another backward pass, ``create_graph`` derivatives of the derivatives (``grad`` is
        then a `Scalar`). Raises RuntimeError where nothing requires a gradient, or the graph is freed.
        """
        if not self.requires_grad:
            raise RuntimeError(
                "backward() on a Scalar that depends on nothing that requires a gradient; make the inputs with "
                "Scalar(value), outside no_grad()"
            )
        seed = ones_like(self.data)
        sweep(
            [self],
            [Scalar(seed, False) if create_graph else seed],
            create_graph=create_graph,
            free=not (retain_graph or create_graph),
        )


def _specialised(op: Op, python_name: str) -> None:
    """Give Scalar an operator that answers floats at once, and leaves everything else to the general dispatch."""
    evaluate = op.evaluate
    plain = getattr(float, python_name, None)
    guarded = op.name in ("divide", "power")

    def operator(self: Scalar, other: Any) -> Any:
        x = self.data
        if type(other) is Scalar:
            y, wanted = other.data, self.requires_grad or other.requires_grad
        elif type(other) is float or type(other) is int:
            y, wanted = other, self.requires_grad
        else:
            return op.apply((self, other), op.parameters)
        if type(x) is not float or (type(y) is not float and type(y) is not int) or self.level:
            return op.apply((self, other), op.parameters)
        out = _new(Scalar)
        out.data = evaluate((x, y), _NONE) if guarded else plain(x, y)  # type: ignore[misc]
        parent = other if type(other) is Scalar and other.requires_grad else None
        _fill(out, op, (self if self.requires_grad else None, parent), (x, y), wanted)
        return out

    def reflected(self: Scalar, other: Any) -> Any:
        x = self.data
        if type(x) is not float or (type(other) is not float and type(other) is not int) or self.level:
            return op.apply((other, self), op.parameters)
        out = _new(Scalar)
        out.data = evaluate((other, x), _NONE) if guarded else plain(float(other), x)  # type: ignore[misc]
        _fill(out, op, (None, self), (other, x), self.requires_grad)
        return out

    setattr(Scalar, python_name, operator)
    setattr(Scalar, python_name.replace("__", "__r", 1), reflected)


def _fill(out: Scalar, op: Op, args: tuple[Any, ...], values: tuple[Any, ...], wanted: bool) -> None:
    out.grad = out.extras = None
    out.level = 0
    if wanted and silenced_level() < 0:
        out.requires_grad = True
        out.op, out.args, out.values, out.params = op, args, values, _NONE
        out.sequence = next_sequence()
    else:
        out.requires_grad = False
        out.op = out.args = out.values = out.params = None
        out.sequence = 0


_NONE: Mapping[str, Any] = {}
_new = object.__new__
for _op, _name in (
    (arithmetic.add, "__add__"),
    (arithmetic.subtract, "__sub__"),
    (arithmetic.multiply, "__mul__"),
    (arithmetic.divide, "__truediv__"),
    (arithmetic.power, "__pow__"),
):
    _specialised(_op, _name)


def dot(weights: Sequence[Any], inputs: Sequence[Any], bias: Any = 0.0) -> Any:
    """``w₁x₁ + … + wₙxₙ + b`` as one operation: what a neuron computes.

    Raises ValueError where the numbers of weights and inputs differ.

    >>> w = [Scalar(2.0), Scalar(-1.0)]
    >>> dot(w, [3.0, 4.0], Scalar(0.5))
    Scalar(2.5)
    """
    if len(weights) != len(inputs):
        raise ValueError(f"dot: expected as many inputs as weights, got {len(weights)} weights and {len(inputs)} inputs")
    return nn.sum_of_products([*weights, *inputs, bias])


__all__ = ["Scalar", "dot"]
