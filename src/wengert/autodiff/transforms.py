"""Functions that take a function and return its derivative, in any nesting."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Sequence
from typing import Any

from wengert.autodiff.batching import vmap
from wengert.autodiff.forward import Dual
from wengert.autodiff.levels import new_level
from wengert.autodiff.reverse import Variable, sweep, variable
from wengert.autodiff.trees import leaves, mapped, rebuild
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import ones_like, zeros_like
from wengert.ops.kinds import shape
from wengert.ops.op import Traced
from wengert.ops.shape import reshape

Function = Callable[..., Any]


def _below(x: Any, level: int) -> Any:
    """The value with the layer of a finished transform taken off."""
    if isinstance(x, Variable) and x.level == level:
        return x.data
    if type(x) is Dual and x.level == level:
        return x.primal
    return x


def _require_numbers(arg: Any, who: str) -> Any:
    for leaf in leaves(arg):
        kind = getattr(getattr(leaf, "dtype", None), "kind", None)
        if kind in ("i", "u", "b"):
            raise TypeError(
                f"{who}: expected floating-point arguments to differentiate, got an array of {leaf.dtype}; "
                f"convert it with .astype(float)"
            )
        if isinstance(leaf, (str, bytes)) or leaf is None:
            raise TypeError(f"{who}: expected numbers or arrays to differentiate, got {leaf!r:.40}")
    return mapped(lambda leaf: float(leaf) if type(leaf) is int else leaf, arg)


def _require_scalar(y: Any, who: str) -> None:
    if len(leaves(y)) != 1 or isinstance(y, (dict, list, tuple)):
        raise TypeError(f"{who}: expected the function to return one number, got {type(y).__name__}")
    if math.prod(shape(y)) != 1:
        raise ValueError(
            f"{who}: expected the function to return one number, got shape {shape(y)}; "
            f"sum it, or use wengert.jacobian for every entry's gradient"
        )


def _positions(argnums: int | Sequence[int], args: Sequence[Any], who: str) -> list[int]:
    positions = [argnums] if isinstance(argnums, int) else list(argnums)
    for k in positions:
        if not -len(args) <= k < len(args):
            raise ValueError(
                f"{who}: argnums names argument {k}, but the function was called with {len(args)}"
            )
    return [k % len(args) for k in positions]


def _guarded(leaf: Any, level: int) -> Any:
    """A constant as a variable without gradient, where its library's operators do not make way for others."""
    return Variable(leaf, False, level) if type(leaf).__name__ in ("ivmpf", "ivmpc") else leaf


class _Tape:
    """One run of a function on variables of a level of its own."""

    def __init__(
        self, f: Function, args: Sequence[Any], positions: Sequence[int], words: dict[str, Any]
    ) -> None:
        self.args = [args[k] for k in positions]
        with new_level() as self.level:
            self.inputs = [mapped(lambda leaf: variable(leaf, self.level), arg) for arg in self.args]
            filled = [mapped(lambda leaf: _guarded(leaf, self.level), a) for a in args]
            for k, wrapped in zip(positions, self.inputs, strict=True):
                filled[k] = wrapped
            self.output = f(*filled, **words)

    def pull_back(self, output: Any, adjoints: Any) -> list[Any]:
        """The adjoints of the inputs, in their own nesting, from those of the output's leaves."""
        roots, seeds = [], []
        for y, adjoint in zip(leaves(output), leaves(adjoints), strict=True):
            if isinstance(y, Variable) and y.level == self.level and y.requires_grad:
                roots.append(y)
                seeds.append(adjoint)
        inputs = leaves(self.inputs)
        found = sweep(roots, seeds, wanted=inputs) if roots else {}
        flat = [found[id(v)] if id(v) in found else zeros_like(v.data) for v in inputs]
        return list(rebuild(self.inputs, flat))


def value_and_grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """A function that returns f's value and its gradient, from one forward and one reverse pass.

    The gradient has the nesting, shapes and dtypes of the argument (of each one, as a tuple, where
    ``argnums`` is a sequence). With ``has_aux``, f returns ``(value, anything)`` and so does the value.
    Raises ValueError where f returns more than one number.

    >>> import wengert
    >>> wengert.value_and_grad(lambda x: x * x)(3.0)
    (9.0, 6.0)
    """

    @functools.wraps(f)
    def with_gradient(*args: Any, **words: Any) -> Any:
        who = f"the gradient of {getattr(f, '__name__', 'f')}"
        positions = _positions(argnums, args, who)
        checked = [_require_numbers(a, who) if k in positions else a for k, a in enumerate(args)]
        tape = _Tape(f, checked, positions, words)
        y, aux = tape.output if has_aux else (tape.output, None)
        _require_scalar(y, who)
        value = _below(y, tape.level)
        gradients = tape.pull_back(y, ones_like(value))
        gradient = gradients[0] if isinstance(argnums, int) else tuple(gradients)
        return ((value, mapped(lambda a: _below(a, tape.level), aux)) if has_aux else value), gradient

    return with_gradient


def grad(f: Function, argnums: int | Sequence[int] = 0, has_aux: bool = False) -> Function:
    """The gradient of a function that returns one number. See `value_and_grad`.

    >>> import wengert
    >>> wengert.grad(lambda x: x * x * x)(2.0)
    12.0
    """
    both = value_and_grad(f, argnums, has_aux)

    @functools.wraps(f)
    def gradient(*args: Any, **words: Any) -> Any:
        value, result = both(*args, **words)
        return (result, value[1]) if has_aux else result

    return gradient


def vjp(f: Function, *args: Any) -> tuple[Any, Function]:
    """f's value, and the function that takes an adjoint of the value to the adjoints of the arguments.

    >>> import wengert
    >>> value, pull_back = wengert.vjp(lambda x, y: x * y, 2.0, 5.0)
    >>> value, pull_back(1.0)
    (10.0, (5.0, 2.0))
    """
    checked = [_require_numbers(a, "vjp") for a in args]
    tape = _Tape(f, checked, range(len(args)), {})

    def pull_back(adjoint: Any) -> tuple[Any, ...]:
        return tuple(tape.pull_back(tape.output, adjoint))

    return mapped(lambda y: _below(y, tape.level), tape.output), pull_back


def jvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> tuple[Any, Any]:
    """f's value and its directional derivative along the tangents, in one forward pass.

    >>> import wengert
    >>> wengert.jvp(lambda x, y: x * y, (2.0, 5.0), (1.0, 0.0))
    (10.0, 5.0)
    """
    if len(args) != len(tangents):
        raise ValueError(
            f"jvp: expected one tangent per argument, got {len(args)} arguments and {len(tangents)} tangents"
        )
    for k, (a, t) in enumerate(zip(args, tangents, strict=True)):
        for leaf, tangent in zip(leaves(a), leaves(t), strict=True):
            if shape(leaf) != shape(tangent):
                raise ValueError(
                    f"jvp: tangent {k} has shape {shape(tangent)}, but its argument has shape {shape(leaf)}"
                )
    with new_level() as level:
        checked = [_require_numbers(a, "jvp") for a in args]
        duals = [mapped(lambda p, t: Dual(p, t, level), a, t) for a, t in zip(checked, tangents, strict=True)]
        out = f(*duals)
    value = mapped(lambda y: _below(y, level), out)
    return value, mapped(lambda y: _tangent(y, level), out)


def _tangent(y: Any, level: int) -> Any:
    if type(y) is Dual and y.level == level:
        return zeros_like(y.primal) if y.tangent is None else y.tangent
    return zeros_like(y)


def linearize(f: Function, *args: Any) -> tuple[Any, Function]:
    """f's value, and its derivative at the arguments as a linear function of tangents.

    The tape is recorded once; each call of the linear map walks it, as the transpose of the transpose.

    >>> import wengert
    >>> value, push_forward = wengert.linearize(lambda x: x * x * x, 2.0)
    >>> value, push_forward(1.0), push_forward(10.0)
    (8.0, 12.0, 120.0)
    """
    value, pull_back = vjp(f, *args)
    # the pullback is linear, so its own pullback at any point is the pushforward
    zeros = mapped(zeros_like, value)
    _, push = vjp(pull_back, zeros)

    def push_forward(*tangents: Any) -> Any:
        return push(tuple(tangents))[0]

    return value, push_forward


UNIT_VECTORS = "unit vectors"


def _basis(x: Any) -> Any:
    """The unit arrays of x's shape along a new first axis."""
    import numpy as np

    extents = shape(x)
    count = math.prod(extents)
    units = np.eye(count, dtype=getattr(x, "dtype", None)).reshape(count, *extents)
    while isinstance(x, Traced):
        x = x.beneath
    if type(x) is Node and x.graph.refuse is not None:  # a program in which products with them go away
        return x.graph.leaf("constant", units, UNIT_VECTORS)
    return units


def jacobian(f: Function, argnums: int | Sequence[int] = 0, mode: str | None = None) -> Function:
    """Every partial derivative of an array-valued function of one array: shape of the value, then of the
    argument.

    Reverse mode is taken where the value has fewer entries than the argument, else forward mode; ``mode``
    overrides. Of a number with respect to a number it is the derivative.

    >>> import numpy as np, wengert
    >>> wengert.jacobian(lambda x: x * x)(np.array([1.0, 2.0])).tolist()
    [[2.0, 0.0], [0.0, 4.0]]
    """
    if mode not in (None, "forward", "reverse"):
        raise ValueError(f"jacobian: mode should be 'forward', 'reverse' or None, got {mode!r}")

    @functools.wraps(f)
    def every_partial(*args: Any) -> Any:
        found = [_jacobian_of(f, k, args, mode) for k in _positions(argnums, args, "jacobian")]
        return found[0] if isinstance(argnums, int) else tuple(found)

    return every_partial


def _jacobian_of(f: Function, position: int, args: Sequence[Any], mode: str | None) -> Any:
    def partial(x: Any) -> Any:
        return f(*args[:position], x, *args[position + 1 :])

    x = _require_numbers(args[position], "jacobian")
    if isinstance(x, (dict, list, tuple)):
        return _jacobian_of_leaves(partial, x)
    if not shape(x):
        return jvp(partial, (x,), (ones_like(x),))[1]
    value, pull_back = vjp(partial, x)
    outputs = math.prod(shape(value))
    if mode == "reverse" or (mode is None and outputs < math.prod(shape(x))):
        if not shape(value):
            return pull_back(ones_like(value))[0]
        rows = vmap(lambda adjoint: pull_back(adjoint)[0])(_basis(value))
        return reshape(rows, shape=(*shape(value), *shape(x)))
    columns = vmap(lambda tangent: jvp(partial, (x,), (tangent,))[1], out_axes=-1)(_basis(x))
    return reshape(columns, shape=(*shape(value), *shape(x)))


def _jacobian_of_leaves(f: Function, x: Any) -> Any:
    """One column per number of a nest of numbers, in forward mode."""
    flat = leaves(x)
    if any(shape(leaf) for leaf in flat):
        raise TypeError("jacobian: a nest of arrays has no single Jacobian; name one array by argnums")

    def column(k: int) -> Any:
        tangents = [ones_like(leaf) if j == k else zeros_like(leaf) for j, leaf in enumerate(flat)]
        return jvp(f, (x,), (rebuild(x, tangents),))[1]

    columns = [column(k) for k in range(len(flat))]
    return rebuild(columns[0], [rebuild(x, list(row)) for row in zip(*map(leaves, columns), strict=True)])


def hessian(f: Function, argnums: int = 0) -> Function:
    """The matrix of second derivatives of a function that returns one number: forward over reverse mode.

    >>> import numpy as np, wengert
    >>> wengert.hessian(lambda x: x[0] ** 2 * x[1])(np.array([1.0, 2.0])).tolist()
    [[4.0, 2.0], [2.0, 0.0]]
    """
    return jacobian(grad(f, argnums), argnums, mode="forward")


def hvp(f: Function, args: Sequence[Any], tangents: Sequence[Any]) -> Any:
    """The Hessian of a function that returns one number, times the tangents, at the cost of two gradients.

    Returns the product in the nesting of the first argument (a tuple for several arguments).

    >>> import wengert
    >>> wengert.hvp(lambda x: x ** 3, (2.0,), (1.0,))
    12.0
    """
    argnums = 0 if len(args) == 1 else tuple(range(len(args)))
    return jvp(grad(f, argnums), args, tangents)[1]
