"""Reading entries by position, and the transpose of that: adding entries at positions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.ops.kinds import Case, Linear, discrete, linear, shape
from wengert.ops.op import Op, grid, later


class Slot:
    """Stands in an index for the array argument of that number."""

    __slots__ = ("number",)

    def __init__(self, number: int) -> None:
        self.number = number

    def __repr__(self) -> str:
        return f"array{self.number}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Slot) and other.number == self.number

    def __hash__(self) -> int:
        return hash(("slot", self.number))


class GetItem(Linear):
    """``x[key]``. Arrays in the key become arguments, so that a captured program may compute them."""

    def __call__(self, *args: Any, **params: Any) -> Any:
        return self.apply(*self.bind(args, params))

    def bind(
        self, args: tuple[Any, ...], params: dict[str, Any]
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        x, key = (*args, params["key"])[:2] if "key" in params else args
        arrays: list[Any] = []
        template = tuple(_static(entry, arrays) for entry in (key if isinstance(key, tuple) else (key,)))
        return (x, *arrays), {"key": template}


def _static(entry: Any, arrays: list[Any]) -> Any:
    if entry is None or entry is Ellipsis or isinstance(entry, (slice, list)):
        return entry
    if isinstance(entry, int) and not isinstance(entry, bool):
        return entry
    if hasattr(entry, "__index__") and not shape(entry) and not hasattr(entry, "level"):
        try:
            return int(entry.__index__())
        except TypeError:
            pass
    arrays.append(entry)
    return Slot(len(arrays) - 1)


def filled(key: Sequence[Any], arrays: Sequence[Any]) -> tuple[Any, ...]:
    """The index with its arrays back in their places."""
    return tuple(arrays[e.number] if type(e) is Slot else e for e in key)


getitem = GetItem(
    "getitem",
    transpose=lambda g, x, *indices, key: scatter_add.apply((g, *indices), {"key": key, "shape": shape(x)}),
    batch=lambda p, n, inner: {"key": (slice(None), *p["key"])},
    parameters={"key": ()},
    tex="{0}[\\ldots]",
    chain_rule="pull-back of a selection (to the places that were taken)",
    sample=[
        Case(grid(3, 4), (1, slice(0, 4, 2))),
        Case(grid(5), [0, 2, 2]),
        Case(grid(2, 2), [[True, False], [True, True]]),
        Case(grid(3, 4), (..., None, -1)),
    ],
)
scatter_add: Op = linear(
    "scatter_add",
    public=False,
    transpose=lambda g, x, *indices, key, shape: getitem.apply((g, *indices), {"key": key}),
    parameters={"key": (), "shape": ()},
    tex=r"\operatorname{{scatter}} {0}",
    sample=[Case(grid(2, 3), key=(slice(1, 3),), shape=(4, 3))],
    doc="Zeros of the given shape with the entries added at the key: the transpose of indexing.",
)


def _axis_key(axis: int, ndim: int, index: Any) -> tuple[Any, ...]:
    return (*[slice(None)] * (axis % ndim), index)


def take(x: Any, indices: Any, axis: int | None = None) -> Any:
    """Entries at integer positions along an axis, as `numpy.take`; without an axis, of the flattened array.

    >>> import wengert
    >>> wengert.take(wengert.tensor([1.0, 2.0, 3.0]), [2, 0]).tolist()
    [3.0, 1.0]
    """
    if axis is None:
        x, axis = later.reshape(x, shape=(-1,)), 0
    return getitem(x, _axis_key(axis, len(shape(x)), indices))


take_along_axis = linear(
    "take_along_axis",
    transpose=lambda g, x, indices, *, axis: put_along_axis(g, indices, axis=axis, shape=shape(x)),
    arity=2,
    parameters={"axis": -1},
    tex=r"\operatorname{{take}}({0}, {1})",
    aliases=("gather",),
    sample=[Case(grid(2, 3), [[0, 2], [1, 1]], axis=1)],
)
put_along_axis: Op = linear(
    "put_along_axis",
    public=False,
    transpose=lambda g, x, indices, *, axis, shape: take_along_axis(g, indices, axis=axis),
    arity=2,
    parameters={"axis": -1, "shape": ()},
    tex=r"\operatorname{{put}}({0}, {1})",
    sample=[Case(grid(2, 2), [[0, 2], [1, 1]], axis=1, shape=(2, 3))],
    doc="Zeros of the given shape with entries added along an axis: the transpose of take_along_axis.",
)
argmax = discrete(
    "argmax", arity=1, parameters={"axis": None, "keepdims": False}, sample=[Case(grid(2, 3), axis=1)]
)
argmin = discrete(
    "argmin", arity=1, parameters={"axis": None, "keepdims": False}, sample=[Case(grid(2, 3), axis=1)]
)
argsort = discrete("argsort", arity=1, parameters={"axis": -1}, sample=[Case(grid(2, 3))])
any = discrete("any", arity=1, parameters={"axis": None, "keepdims": False}, sample=[Case([True, False])])
all = discrete("all", arity=1, parameters={"axis": None, "keepdims": False}, sample=[Case([True, False])])


def sort(x: Any, axis: int = -1) -> Any:
    """The entries in ascending order along an axis.

    >>> import wengert
    >>> wengert.sort(wengert.tensor([3.0, 1.0, 2.0])).tolist()
    [1.0, 2.0, 3.0]
    """
    return take_along_axis(x, argsort(x, axis=axis), axis=axis)
