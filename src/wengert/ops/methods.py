"""Operators and methods of values that answer operations: ``x + y``, ``x.sum(axis=0)``, ``x[1:]``.

Every operation of the table is a method of its name or alias, under PyTorch's names where they differ.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, ClassVar

from wengert.ops import arithmetic, indexing, products, reduce
from wengert.ops import shape as shapes
from wengert.ops.op import Op, lookup, rows

OPERATORS = {
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "truediv": arithmetic.divide,
    "pow": arithmetic.power,
    "matmul": products.matmul,
}
COMPARISONS = {
    "lt": arithmetic.less,
    "le": arithmetic.less_equal,
    "gt": arithmetic.greater,
    "ge": arithmetic.greater_equal,
    "eq": arithmetic.equal,
    "ne": arithmetic.not_equal,
}
LOGIC = {"and": arithmetic.logical_and, "or": arithmetic.logical_or}


class ArrayMethods:
    """The operators and methods; a class that inherits them provides ``shape`` and answers `Op` calls."""

    __slots__ = ()
    __array_priority__ = 1000
    _op_priority = 1000.0  # sympy's way of handing an operator over
    __hash__ = object.__hash__
    shape: Any
    _methods: ClassVar[dict[str, Callable[..., Any]]] = {}

    if TYPE_CHECKING:  # set below, one by one, from the rows of the table

        def __getattr__(self, name: str) -> Any: ...
        def __add__(self, other: Any) -> Any: ...
        def __radd__(self, other: Any) -> Any: ...
        def __sub__(self, other: Any) -> Any: ...
        def __rsub__(self, other: Any) -> Any: ...
        def __mul__(self, other: Any) -> Any: ...
        def __rmul__(self, other: Any) -> Any: ...
        def __truediv__(self, other: Any) -> Any: ...
        def __rtruediv__(self, other: Any) -> Any: ...
        def __pow__(self, other: Any) -> Any: ...
        def __rpow__(self, other: Any) -> Any: ...
        def __matmul__(self, other: Any) -> Any: ...
        def __rmatmul__(self, other: Any) -> Any: ...
        def __and__(self, other: Any) -> Any: ...
        def __rand__(self, other: Any) -> Any: ...
        def __or__(self, other: Any) -> Any: ...
        def __ror__(self, other: Any) -> Any: ...
        def __lt__(self, other: Any) -> Any: ...
        def __le__(self, other: Any) -> Any: ...
        def __gt__(self, other: Any) -> Any: ...
        def __ge__(self, other: Any) -> Any: ...

    def __neg__(self) -> Any:
        return arithmetic.negative(self)

    def __pos__(self) -> Any:
        return self

    def __abs__(self) -> Any:
        return arithmetic.abs(self)

    def __invert__(self) -> Any:
        return arithmetic.logical_not(self)

    def __getitem__(self, key: Any) -> Any:
        return indexing.getitem(self, key)

    def __len__(self) -> int:
        if not self.shape:
            raise TypeError("len() of a value without axes")
        return int(self.shape[0])

    def __iter__(self) -> Iterator[Any]:
        if not self.shape:
            raise TypeError("iteration over a value without axes")
        return (self[k] for k in range(self.shape[0]))

    @property
    def ndim(self) -> int:
        """The number of axes."""
        return len(self.shape)

    @property
    def T(self) -> Any:
        """The matrix transpose; of a vector, the vector itself."""
        if self.ndim < 2:
            return self
        if self.ndim == 2:
            return shapes.transpose(self)
        return shapes.permute(self, axes=tuple(reversed(range(self.ndim))))

    @property
    def mT(self) -> Any:
        """The transpose of the last two axes."""
        return shapes.transpose(self)

    def size(self, dim: int | None = None) -> Any:
        """The shape, or the extent of one axis."""
        return self.shape if dim is None else self.shape[dim]

    def numel(self) -> int:
        """The number of entries."""
        return math.prod(self.shape)

    def dim(self) -> int:
        """The number of axes, under PyTorch's name."""
        return len(self.shape)

    def t(self) -> Any:
        """The transpose of a matrix."""
        return self.T

    def reshape(self, *shape: Any) -> Any:
        """The same entries in another shape."""
        return shapes.reshape(
            self, shape=tuple(shape[0]) if shape and isinstance(shape[0], (tuple, list)) else shape
        )

    view = reshape

    def flatten(self, start_dim: int = 0, end_dim: int = -1) -> Any:
        """The axes from start_dim to end_dim as one."""
        first, last = (shapes.positive(k, max(self.ndim, 1)) for k in (start_dim, end_dim))
        return shapes.reshape(self, shape=(*self.shape[:first], -1, *self.shape[last + 1 :]))

    ravel = flatten

    def permute(self, *axes: Any) -> Any:
        """The axes in another order."""
        return shapes.permute(self, axes=tuple(axes[0]) if isinstance(axes[0], (tuple, list)) else axes)

    def expand(self, *shape: Any) -> Any:
        """The array repeated along axes of extent 1; -1 keeps an axis."""
        wanted = tuple(shape[0]) if isinstance(shape[0], (tuple, list)) else shape
        extra = len(wanted) - self.ndim
        full = tuple(self.shape[k - extra] if n == -1 else n for k, n in enumerate(wanted))
        return shapes.broadcast_to(self, shape=full)

    def repeat(self, *reps: Any) -> Any:
        """The array tiled, as PyTorch's repeat."""
        return shapes.tile(self, reps=tuple(reps[0]) if isinstance(reps[0], (tuple, list)) else reps)

    def clamp(self, min: Any = None, max: Any = None) -> Any:
        """The entries held between two bounds."""
        return clip(self, min, max)

    clip = clamp

    def norm(self, p: Any = 2, dim: Any = None, keepdim: bool = False) -> Any:
        """The norm of order p."""
        return reduce.norm(self, ord=p, axis=dim, keepdims=keepdim)

    def split(self, sections: Any, dim: int = 0) -> list[Any]:
        """Parts along an axis, as numpy.split."""
        return shapes.split(self, sections, axis=dim)

    def take(self, indices: Any, axis: int | None = None) -> Any:
        """Entries at integer positions."""
        return indexing.take(self, indices, axis)


def clip(x: Any, min: Any = None, max: Any = None) -> Any:
    """The entries held between two bounds, either of which may be left out.

    >>> import wengert
    >>> wengert.clip(wengert.tensor([-2.0, 0.5, 3.0]), 0.0, 1.0).tolist()
    [0.0, 0.5, 1.0]
    """
    if min is None and max is None:
        raise TypeError("clip: give min, max or both")
    if min is None:
        return arithmetic.minimum(x, max)
    if max is None:
        return arithmetic.maximum(x, min)
    return arithmetic.clip(x, min, max)


def allclose(a: Any, b: Any, rtol: float = 1e-5, atol: float = 1e-8) -> bool:
    """Whether every entry of a differs from its partner in b by at most ``atol + rtol·|b|``.

    >>> import wengert
    >>> wengert.allclose(wengert.tensor([1.0, 2.0]), wengert.tensor([1.0, 2.0 + 1e-6]))
    True
    """
    return bool(indexing.all(abs(a - b) <= atol + rtol * abs(b)))


def _forward(op: Op) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return op.apply((self, other), op.parameters)

    return method


def _backward(op: Op) -> Callable[[Any, Any], Any]:
    def method(self: Any, other: Any) -> Any:
        return op.apply((other, self), op.parameters)

    return method


def _named(op: Op) -> Callable[..., Any]:
    def method(self: Any, *args: Any, **params: Any) -> Any:
        return op(self, *args, **params)

    method.__name__ = op.name
    method.__doc__ = op.__doc__
    return method


for _word, _op in {**OPERATORS, **LOGIC}.items():
    setattr(ArrayMethods, f"__{_word}__", _forward(_op))
    setattr(ArrayMethods, f"__r{_word}__", _backward(_op))
for _word, _op in COMPARISONS.items():
    setattr(ArrayMethods, f"__{_word}__", _forward(_op))
for _op in rows():
    if _op.arity is not None:
        for _word in (_op.name, *_op.aliases):
            if not hasattr(ArrayMethods, _word):
                setattr(ArrayMethods, _word, _named(_op))

__all__ = ["COMPARISONS", "OPERATORS", "ArrayMethods", "clip", "lookup"]
