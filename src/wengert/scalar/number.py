"""`Scalar`: a number on a tape, in pure Python."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import mul
from typing import Any

from wengert.autodiff.anomaly import WATCHERS, note
from wengert.autodiff.levels import silenced_level
from wengert.autodiff.reverse import Variable, next_sequence, sweep, variable
from wengert.numbers.graph import Node
from wengert.numbers.python import REALS
from wengert.ops import nn
from wengert.ops.arithmetic import ones_like
from wengert.ops.kinds import Elementwise, Select, shape
from wengert.ops.methods import OPERATORS, ArrayMethods
from wengert.ops.op import Op, Traced, bottom, rows, system_of
from wengert.ops.shape import stack, transpose, unstack


class Scalar(Variable):
    """A number that remembers how it was computed.

    ``data`` may be a float, complex, `fractions.Fraction`, mpmath or sympy number; the gradient is of the
    same kind. Floats follow IEEE 754: the logarithm of a negative number is NaN.

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
            raise TypeError(
                f"Scalar: expected a number, got {type(data).__name__}; use wengert.tensor for arrays"
            )
        elif not isinstance(data, Traced):
            system_of(data)
        super().__init__(data, requires_grad, level)

    @property
    def result_type(self) -> type[Variable]:
        return Scalar

    def bare(self, data: Any, level: int) -> Variable:
        if not shape(data):
            return super().bare(data, level)
        out = variable(data, level)  # beside an array the result is a tensor
        out.requires_grad = False
        return out

    def accumulate(self, adjoint: Any, create_graph: bool) -> None:
        """Add an adjoint to ``grad``; one that came through arrays becomes a plain number again."""
        if hasattr(adjoint, "dtype") and type(self.data) is float and not isinstance(adjoint, (Node, Traced)):
            adjoint = float(adjoint)
        super().accumulate(adjoint, create_graph)

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
        """Add the derivative of this number to the ``grad`` of what it was computed from.

        ``retain_graph`` allows another backward pass, ``create_graph`` derivatives of the derivatives
        (``grad`` is then a `Scalar`). Raises RuntimeError where nothing requires a gradient, or where an
        earlier pass has freed the graph.
        """
        if not self.requires_grad:
            raise RuntimeError(
                "backward() on a Scalar that depends on nothing that requires a gradient; "
                "make the inputs with Scalar(value), outside no_grad(). What a function of wengert.compile "
                "returns has no history: call backward() inside that function"
            )
        seed = ones_like(self.data)
        sweep(
            [self],
            [Scalar(seed, False) if create_graph else seed],
            create_graph=create_graph,
            free=not (retain_graph or create_graph),
        )


_new = object.__new__
_NONE: Mapping[str, Any] = {}


def _result(
    op: Op, data: Any, args: tuple[Scalar | None, ...], values: tuple[Any, ...], wanted: bool
) -> Scalar:
    """A number on the tape of level 0: `bare` and `remember` in one, as it runs once per operation."""
    out = _new(Scalar)
    out.data = data
    out.level = 0
    out.grad = out.extras = None
    if wanted and silenced_level() < 0:
        out.requires_grad = True
        out.op, out.args, out.values, out.params = op, args, values, _NONE
        out.sequence = next_sequence()
        if WATCHERS:
            note(out)
    else:
        out.requires_grad = False
        out.op = out.args = out.values = out.params = None
        out.sequence = 0
    return out


def _specialised_operator(op: Op, name: str) -> None:
    """Give Scalar an operator that answers floats at once, and leaves the rest to the general dispatch."""
    evaluate = REALS.find(op)
    assert evaluate is not None

    def operator(self: Scalar, other: Any) -> Any:
        x, mine = self.data, self.requires_grad
        if type(x) is float and not self.level:
            if type(other) is Scalar:
                y, its = other.data, other.requires_grad
                if type(y) is float and not other.level:
                    args = (self if mine else None, other if its else None)
                    return _result(op, evaluate(x, y), args, (x, y), mine or its)
            elif type(other) is float or type(other) is int:
                return _result(op, evaluate(x, other), (self, None), (x, other), mine)
        return op.apply((self, other), op.parameters)

    def reflected(self: Scalar, other: Any) -> Any:
        x = self.data
        if type(x) is float and not self.level and (type(other) is float or type(other) is int):
            return _result(op, evaluate(other, x), (None, self), (other, x), self.requires_grad)
        return op.apply((other, self), op.parameters)

    setattr(Scalar, f"__{name}__", operator)
    setattr(Scalar, f"__r{name}__", reflected)


def _specialised_method(op: Op) -> None:
    """Give Scalar a method that answers a float at once where it is called without parameters."""
    implementations, params = op.implementations, op.parameters
    fallback = getattr(ArrayMethods, op.name)

    def method(self: Scalar, *args: Any, **words: Any) -> Any:
        x = self.data
        if args or words or params or type(x) is not float or self.level or "float" not in implementations:
            return fallback(self, *args, **words)
        return _result(op, implementations["float"](x), (self,), (x,), self.requires_grad)

    method.__name__ = op.name
    method.__doc__ = op.__doc__
    setattr(Scalar, op.name, method)


for _name, _op in OPERATORS.items():
    if isinstance(_op, Elementwise):
        _specialised_operator(_op, _name)
for _op in rows():
    _simple = isinstance(_op, (Elementwise, Select)) and _op.arity == 1 and not _op.parameters
    if _simple and hasattr(ArrayMethods, _op.name):  # a row that users add is a function alone
        _specialised_method(_op)


def dot(weights: Sequence[Any], inputs: Sequence[Any], bias: Any = 0) -> Any:
    """``w₁x₁ + … + wₙxₙ + b`` as one operation: what a neuron computes.

    Raises ValueError where the numbers of weights and inputs differ.

    >>> w = [Scalar(2.0), Scalar(-1.0)]
    >>> dot(w, [3.0, 4.0], Scalar(0.5))
    Scalar(2.5)
    """
    return dots([(weights, bias)], inputs)[0]


def dots(rows: Iterable[tuple[Sequence[Any], Any]], inputs: Sequence[Any]) -> list[Any]:
    """`dot` of each row's weights and bias with the same inputs, one operation for each: a layer of neurons.

    >>> dots([([1.0, 2.0], 0.0), ([3.0, 4.0], 0.5)], [Scalar(1.0), Scalar(-1.0)])
    [Scalar(-1.0), Scalar(-0.5)]
    """
    if shape(inputs):
        return _layer(list(rows), inputs)
    x, wanted = _floats_of(inputs), inputs
    if x is None and all([type(n) is float or type(n) is int for n in inputs]):  # noqa: C419 (a list is quicker)
        x, wanted = list(map(float, inputs)), [None] * len(inputs)
    elif x is None and any(shape(bottom(n)) for n in inputs):
        return _layer(list(rows), stack(inputs))
    results = []
    for weights, bias in rows:
        if len(weights) != len(inputs):
            raise _mismatch(len(weights), len(inputs))
        constant = type(bias) is float or type(bias) is int
        w = None if x is None else _floats_of(weights if constant else (*weights, bias))
        if x is None or w is None:
            results.append(nn.sum_of_products([*weights, *inputs, bias]))
            continue
        b, wanted_bias = (bias, None) if constant else (w.pop(), bias)
        total = sum(map(mul, w, x), b)
        parents = (*weights, *wanted, wanted_bias)
        results.append(_result(nn.sum_of_products, total, parents, (*w, *x, b), True))
    return results


def _layer(rows: Sequence[tuple[Sequence[Any], Any]], x: Any) -> list[Any]:
    """A layer over arrays, as one product with the matrix of the weights."""
    import numpy as np

    count = shape(x)[0]
    for weights, _ in rows:
        if len(weights) != count:
            raise _mismatch(len(weights), count)
    one = np.ones((), bottom(x).dtype)  # numbers alone make no array, and no dtype
    first, *others = [w for weights, _ in rows for w in weights]
    matrix = stack([first * one, *others]).reshape(len(rows), count)
    bias, *biases = [b for _, b in rows]
    return list(unstack(x @ transpose(matrix) + stack([bias * one, *biases])))


def _mismatch(weights: int, inputs: int) -> ValueError:
    return ValueError(f"dot: expected as many inputs as weights, got {weights} weights and {inputs} inputs")


def _floats_of(scalars: Sequence[Any]) -> list[float] | None:
    """The floats in Scalars of level 0 that all require a gradient; None where there is anything else."""
    if set(map(type, scalars)) != _SCALARS or [s for s in scalars if s.level or not s.requires_grad]:
        return None
    values = [s.data for s in scalars]
    return values if set(map(type, values)) == _FLOATS else None


_SCALARS, _FLOATS = {Scalar}, {float}


__all__ = ["Scalar", "dot", "dots"]
