"""`vmap`: a function of one example, applied to a batch of them at once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.autodiff.levels import new_level
from wengert.autodiff.trees import leaves, rebuild
from wengert.ops.kinds import Discrete, Elementwise, Joint, Question, Select, SumOfProducts, shape
from wengert.ops.methods import ArrayMethods
from wengert.ops.op import Op, Traced
from wengert.ops.products import matmul
from wengert.ops.shape import broadcast_to, permute, positive, reshape, stack


class Batched(ArrayMethods, Traced):
    """An array whose first axis, hidden from the function, counts examples."""

    __slots__ = ("level", "values")

    def __init__(self, values: Any, level: int) -> None:
        self.values = values
        self.level = level

    @property
    def beneath(self) -> Any:
        """The values of all examples."""
        return self.values

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of one example."""
        return shape(self.values)[1:]

    @property
    def dtype(self) -> Any:
        """The dtype of the values."""
        return self.values.dtype

    def __bool__(self) -> bool:
        raise TypeError(
            "a Python branch on a batched value would decide for all examples at once; use wengert.where"
        )

    def __repr__(self) -> str:
        return f"Batched({self.values!r})"

    def record(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        level = self.level
        size = shape(self.values)[0]
        mine = [type(a) is Batched and a.level == level for a in args]
        values = [a.values if own else a for a, own in zip(args, mine, strict=True)]
        if isinstance(op, Question):
            return op.apply(tuple(values), params)
        result = _all_at_once(op, values, mine, params, size)
        if result is None:
            result = _one_by_one(op, values, mine, params, size)
        if isinstance(result, tuple):
            return tuple(Batched(part, level) for part in result)
        return Batched(result, level)


def _all_at_once(op: Op, values: list[Any], mine: list[bool], params: Mapping[str, Any], size: int) -> Any:
    """One call for the whole batch, where the row's kind says how; None where it does not."""
    if isinstance(op, (Elementwise, Select, SumOfProducts)) or (
        isinstance(op, Discrete) and not op.parameters and op.arity
    ):
        return op.apply(tuple(_aligned(values, mine)), params)
    if op is matmul:
        return _batched_matmul(values, mine)
    if isinstance(op, Joint) and op.batch is not None:
        inner = shape(values[mine.index(True)])[1:]
        whole = [v if own else _repeated(v, size) for v, own in zip(values, mine, strict=True)]
        return op.apply(tuple(whole), op.batch(params, size, inner))
    if op.batch is not None and mine[0] and not any(mine[1:]):
        batched = op.batch(params, size, shape(values[0])[1:])
        return None if batched is None else op.apply(tuple(values), batched)
    return None


def _repeated(x: Any, size: int) -> Any:
    """What is the same for every example, once for each."""
    return broadcast_to(_as_array(x), shape=(size, *shape(x)))


def _aligned(values: list[Any], mine: list[bool]) -> list[Any]:
    """Ones inserted behind the batch axis, so that examples of different rank broadcast together."""
    ranks = [len(shape(v)) - own for v, own in zip(values, mine, strict=True)]
    top = max(ranks)
    return [
        reshape(v, shape=(shape(v)[0], *[1] * (top - rank), *shape(v)[1:])) if own and rank < top else v
        for v, own, rank in zip(values, mine, ranks, strict=True)
    ]


def _batched_matmul(values: list[Any], mine: list[bool]) -> Any:
    a, b = values
    ranks = [len(shape(v)) - own for v, own in zip(values, mine, strict=True)]
    if 1 in ranks and max(ranks) > 2:
        return None
    if mine[0] and ranks[0] == 1:
        if not mine[1]:
            return a @ b
        a = reshape(a, shape=(shape(a)[0], 1, shape(a)[1]))
    if mine[1] and ranks[1] == 1:
        b = reshape(b, shape=(*shape(b), 1))
    if mine[0] and mine[1] and max(ranks) > 2:
        a, b = _aligned([a, b], mine)
    result = a @ b
    if mine[1] and ranks[1] == 1:
        result = reshape(result, shape=shape(result)[:-1])
    if mine[0] and ranks[0] == 1:
        result = reshape(result, shape=(shape(result)[0], *shape(result)[2:]))
    return result


def _one_by_one(op: Op, values: list[Any], mine: list[bool], params: Mapping[str, Any], size: int) -> Any:
    results = [
        op.apply(tuple(v[k] if own else v for v, own in zip(values, mine, strict=True)), params)
        for k in range(size)
    ]
    if isinstance(results[0], tuple):
        return tuple(stack(list(parts)) for parts in zip(*results, strict=True))
    return stack(results)


def vmap(
    f: Callable[..., Any], in_axes: int | Sequence[int | None] | None = 0, out_axes: int = 0
) -> Callable[..., Any]:
    """The function applied to every example of a batch, without a loop where the operations allow it.

    ``in_axes`` says along which axis each argument counts examples; None hands an argument over whole. An
    argument may be a nest of dicts, lists and tuples. Raises ValueError where batch sizes differ.

    >>> import numpy as np, wengert
    >>> per_example = wengert.vmap(wengert.grad(lambda w, x: (w @ x) ** 2), in_axes=(None, 0))
    >>> per_example(np.array([1.0, 2.0]), np.array([[1.0, 0.0], [0.0, 1.0]])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """

    @functools.wraps(f)
    def mapped(*args: Any) -> Any:
        axes = [in_axes] * len(args) if in_axes is None or isinstance(in_axes, int) else list(in_axes)
        if len(axes) != len(args):
            raise ValueError(f"vmap: in_axes names {len(axes)} arguments, got {len(args)}")
        sizes = {
            shape(leaf)[axis]: None
            for arg, axis in zip(args, axes, strict=True)
            if axis is not None
            for leaf in leaves(arg)
        }
        if len(sizes) != 1:
            raise ValueError(f"vmap: expected one batch size, got {list(sizes) or 'no batched argument'}")
        (size,) = sizes
        with new_level() as level:
            wrapped = [
                arg
                if axis is None
                else rebuild(arg, [Batched(_to_front(v, axis), level) for v in leaves(arg)])
                for arg, axis in zip(args, axes, strict=True)
            ]
            out = f(*wrapped)
            return rebuild(out, [_from_front(_values(v, level, size), out_axes) for v in leaves(out)])

    return mapped


def _to_front(x: Any, axis: int) -> Any:
    k = positive(axis, len(shape(x)))
    return x if k == 0 else permute(x, axes=(k, *(j for j in range(len(shape(x))) if j != k)))


def _from_front(x: Any, axis: int) -> Any:
    ndim = len(shape(x))
    k = positive(axis, ndim)
    if k == 0:
        return x
    rest = list(range(1, ndim))
    rest.insert(k, 0)
    return permute(x, axes=tuple(rest))


def _values(x: Any, level: int, size: int) -> Any:
    if type(x) is Batched and x.level == level:
        return x.values
    return _repeated(x, size)


def _as_array(x: Any) -> Any:
    import numpy as np

    return x if hasattr(x, "shape") else np.asarray(x)
