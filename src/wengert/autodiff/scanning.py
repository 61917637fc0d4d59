"""`scan`: a loop over time, from one state to the next."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.autodiff.trees import leaves, rebuild
from wengert.ops.kinds import shape
from wengert.ops.op import bottom
from wengert.ops.shape import stack, unstack

Step = Callable[[Any, Any], tuple[Any, Any]]


def scan(f: Step, init: Any, xs: Any = None, length: int | None = None) -> tuple[Any, Any]:
    """Carry a state through time: ``carry, y = f(carry, x)`` for every x along the first axis of xs.

    ``init`` is the first carry; ``xs``, every carry and every y are arrays, tensors or nests of them in
    dicts, lists and tuples. Returns the last carry, and the ys stacked along a new first axis. Without xs
    (None), f is called ``length`` times with None. f may return None as y. All of it can be differentiated in
    any mode, and batched by `wengert.vmap`.

    The carry keeps its nesting, shapes and dtypes from step to step; a Python number in ``init`` takes the
    dtype that f gives it. Raises ValueError where the first axes of xs, or ``length``, disagree, where there
    is no step at all, and where a carry changes its shape; TypeError where a carry changes its nesting or its
    dtype, where y changes its nesting, where f does not return a pair, and where a number stands in xs.

    **Control flow of compiled steps.** `wengert.compile` turns a step into one program for all values, so a
    Python branch or loop may depend on nothing but what is known beforehand. Two functions take their place:

    - a choice by value is ``wengert.where(condition, a, b)``: both sides are computed, one is taken;
    - a loop over time is ``wengert.scan``. A loop that ends when a value says so becomes a loop of fixed
      length in which ``where`` keeps the carry once it is done.

    The loop is written out in the program, which holds every operation once for each step in time. For some
    hundred steps that is well spent (a hundred steps of a small recurrent network with its gradient compile
    in seconds). Beyond, compiling takes longer and longer; leave a loop of thousands eager, or compile a
    piece of it and call that again and again, with the carry handed on.

    >>> import numpy as np, wengert
    >>> total, sums = wengert.scan(lambda carry, x: (carry + x, carry + x), 0.0, np.array([1.0, 2.0, 3.0]))
    >>> float(total), sums.tolist()
    (6.0, [1.0, 3.0, 6.0])
    >>> def newton(root, _):  # stays where it is once it is near enough
    ...     near = abs(root * root - 2.0) < 1e-12
    ...     return wengert.where(near, root, (root + 2.0 / root) / 2), None
    >>> wengert.compile(lambda start: wengert.scan(newton, start, length=8)[0])(np.array(1.0)).tolist()
    1.414213562373095
    """
    steps = _parts(xs, length)
    carry = init
    ys: list[Any] = []
    for number, x in enumerate(steps):
        carry, y = _next(f, carry, x, number)
        if ys and _nesting(y) != _nesting(ys[0]):
            raise TypeError(
                f"scan: y should keep its nesting, but step {number} turned {_nesting(ys[0])} into "
                f"{_nesting(y)}"
            )
        ys.append(y)
    columns = zip(*map(leaves, ys), strict=True)
    return carry, rebuild(ys[0], [_stacked(column, k) for k, column in enumerate(columns)])


def _parts(xs: Any, length: int | None) -> list[Any]:
    """What f gets at each step."""
    arrays = leaves(xs) if xs is not None else []
    for k, array in enumerate(arrays):
        if not shape(array):
            raise TypeError(
                f"scan: expected arrays or tensors in xs, to go along their first axes, but leaf {k} is "
                f"{array!r:.40}, which has no axis; make a list of numbers an array with wengert.tensor"
            )
    counts = list(dict.fromkeys(shape(array)[0] for array in arrays))
    if len(counts) > 1:
        shapes = ", ".join(str(shape(array)) for array in arrays)
        raise ValueError(f"scan: the first axes of xs should agree in length, got arrays of shapes {shapes}")
    if not counts and length is None:
        raise ValueError("scan: expected xs, or the number of steps as length, got neither")
    count = counts[0] if counts else length
    if length is not None and length != count:
        raise ValueError(f"scan: length is {length}, but xs has {count} steps along its first axis")
    if count is None or count < 1:
        raise ValueError(
            f"scan: expected at least one step, got {count}; without one, ys would have no shape"
        )
    if not arrays:
        return [xs] * count
    return [rebuild(xs, parts) for parts in zip(*map(unstack, arrays), strict=True)]


def _next(f: Step, carry: Any, x: Any, number: int) -> tuple[Any, Any]:
    """One step, with a check that the carry stays what it is."""
    result = f(carry, x)
    if not isinstance(result, tuple) or len(result) != 2:
        raise TypeError(
            f"scan: f should return a pair (carry, y), got {type(result).__name__}; "
            f"write `return carry, None` where nothing is to be collected"
        )
    new = result[0]
    if _nesting(new) != _nesting(carry):
        raise TypeError(
            f"scan: the carry should keep its nesting, but step {number} turned {_nesting(carry)} into "
            f"{_nesting(new)}"
        )
    for k, (before, after) in enumerate(zip(leaves(carry), leaves(new), strict=True)):
        if shape(before) != shape(after):
            raise ValueError(
                f"scan: the carry should keep its shape, but step {number} turned leaf {k} from "
                f"{shape(before)} into {shape(after)}; give init the shape that f returns"
            )
        old, now = getattr(before, "dtype", None), getattr(after, "dtype", None)
        if old is not None and old != now and (number or now is not None):
            raise TypeError(
                f"scan: the carry should keep its dtype, but step {number} turned leaf {k} from {old} into "
                f"{now or type(after).__name__}; convert init, or what f returns, with .astype"
            )
    return result


def _nesting(tree: Any) -> str:
    """The nesting of a tree in words; a star stands for a leaf."""
    if isinstance(tree, dict):
        return "{" + ", ".join(f"{key!r}: {_nesting(branch)}" for key, branch in tree.items()) + "}"
    if isinstance(tree, (list, tuple)):
        inside = ", ".join(map(_nesting, tree))
        return f"[{inside}]" if isinstance(tree, list) else f"({inside})"
    return "*"


def _stacked(column: tuple[Any, ...], k: int) -> Any:
    """The y of every step as one array."""
    if all(y is None for y in column):
        return None
    shapes = list(dict.fromkeys(map(shape, column)))
    if len(shapes) > 1:
        raise ValueError(
            f"scan: y should have one shape at every step, but leaf {k} has {' and '.join(map(str, shapes))}"
        )
    if {type(bottom(y)) for y in column} <= _NUMBERS:
        import numpy as np

        column = tuple(y * np.asarray(type(bottom(y))(1)) for y in column)
    return stack(column)


_NUMBERS = {float, int, complex}
"""Python's numbers, which only become an array beside one."""
