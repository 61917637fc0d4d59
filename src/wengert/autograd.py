"""PyTorch's `autograd` names: functions with a rule of one's own, and gradients apart from ``.grad``."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.autodiff.anomaly import detect_anomaly
from wengert.autodiff.custom import CustomOp
from wengert.autodiff.reverse import Variable, sweep
from wengert.numbers.arrays import quietly
from wengert.ops.arithmetic import zeros_like
from wengert.ops.op import Traced
from wengert.tensors import Tensor, as_array

__all__ = ["Context", "Function", "backward", "detect_anomaly", "grad"]

Tensors = Tensor | Sequence[Tensor]


class Context:
    """What a `Function` hands from its forward to its backward.

    Any attribute may be set. ``needs_input_grad`` says for every argument whether its adjoint is wanted.
    """

    def __init__(self, needs_input_grad: tuple[bool, ...]) -> None:
        self.needs_input_grad = needs_input_grad
        self.saved_tensors: tuple[Any, ...] = ()

    def save_for_backward(self, *tensors: Any) -> None:
        """Keep tensors (or None) for the backward pass, where they are ``ctx.saved_tensors``."""
        self.saved_tensors = tensors


class Function:
    """An operation whose forward and backward are stated by hand.

    ``forward(ctx, *args)`` computes one result or a tuple of them; its tensors have no history.
    ``backward(ctx, *adjoints)`` takes one adjoint per result (zeros where nothing arrived) and returns one
    per argument of forward, None where there is none. Call the operation as ``Name.apply(*args)``. Where
    backward is written in wengert's operations and reads what ctx saved, higher derivatives follow. Raises
    ValueError where the number or the shape of the adjoints is wrong.

    >>> import wengert
    >>> class Cube(wengert.autograd.Function):
    ...     @staticmethod
    ...     def forward(ctx, x):
    ...         ctx.save_for_backward(x)
    ...         return x ** 3
    ...     @staticmethod
    ...     def backward(ctx, adjoint):
    ...         (x,) = ctx.saved_tensors
    ...         return adjoint * 3 * x ** 2
    >>> x = wengert.tensor(2.0, requires_grad=True)
    >>> Cube.apply(x).backward()
    >>> x.grad
    tensor(12.)
    """

    forward: Callable[..., Any]
    backward: Callable[..., Any]

    @classmethod
    def apply(cls, *args: Any) -> Any:
        """Run forward, and put the operation on the tape where an argument requires a gradient."""
        for rule in ("forward", "backward"):
            if not callable(getattr(cls, rule, None)):
                raise TypeError(f"{cls.__name__}: state its {rule} as a static method {rule}(ctx, ...)")
        return _FunctionOp(cls, args).apply(args, {})


class _Kept:
    """One run of a Function's forward: the context, and the tensors that went in and out."""

    def __init__(self, context: Context, inputs: Sequence[Any], outputs: Sequence[Any]) -> None:
        self.context, self.inputs, self.outputs = context, inputs, outputs


class _FunctionOp(CustomOp):
    """One call of a Function as an operation. Its rules see tensors where the tape holds arrays."""

    def __init__(self, function: type[Function], args: Sequence[Any]) -> None:
        super().__init__(function.__name__, self._run, self._pull_back)
        self.function = function
        self.needs = tuple(isinstance(a, Variable) and a.requires_grad for a in args)

    def _run(self, *values: Any) -> tuple[Any, _Kept]:
        context = Context(self.needs)
        inputs = [_as_tensor(v) for v in values]
        out = self.function.forward(context, *inputs)
        several = isinstance(out, (tuple, list))
        outputs = tuple(out) if several else (out,)
        lowest = not any(isinstance(v, Traced) for v in values)
        data = tuple(_as_data(y, lowest) for y in outputs)
        return (data if several else data[0]), _Kept(context, inputs, outputs)

    def _pull_back(self, kept: _Kept, adjoint: Any) -> list[Any]:
        given = adjoint if isinstance(adjoint, list) else [adjoint]
        lowest = not any(isinstance(g, Traced) for g in given)
        adjoints = [
            _as_tensor(zeros_like(y) if g is None else g) for g, y in zip(given, kept.outputs, strict=True)
        ]
        found = self.function.backward(kept.context, *adjoints)
        parts = found if isinstance(found, (tuple, list)) else (found,)
        return [None if part is None else _as_data(part, lowest) for part in parts]

    def kept_again(self, args: tuple[Any, ...], result: Any, kept: _Kept) -> _Kept:
        """The context with the tape's own variables in place of the tensors that went in and out."""
        results = result if isinstance(result, tuple) else (result,)
        known = {id(t): v for t, v in zip((*kept.inputs, *kept.outputs), (*args, *results), strict=True)}
        context = copy.copy(kept.context)
        held = [
            t for value in vars(context).values() for t in (value if isinstance(value, tuple) else (value,))
        ]
        if any(isinstance(t, Tensor) and id(t) not in known for t in held):
            # something in between was saved: computed again from the variables, it has its own history
            return self._run(*args)[1]
        for name, value in vars(context).items():
            swapped = (
                tuple(known.get(id(t), t) for t in value)
                if isinstance(value, tuple)
                else known.get(id(value), value)
            )
            setattr(context, name, swapped)
        return _Kept(context, args, results)


def _as_tensor(value: Any) -> Any:
    return Tensor(value) if isinstance(value, (np.ndarray, np.generic)) else value


def _as_data(value: Any, lowest: bool) -> Any:
    if isinstance(value, Tensor):
        return value.data if lowest else value
    return value if isinstance(value, (Traced, float)) else as_array(value)


def grad(
    outputs: Tensors,
    inputs: Tensors,
    grad_outputs: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
    allow_unused: bool = False,
) -> tuple[Any, ...]:
    """The adjoints of the inputs, from those of the outputs (ones, for outputs with one entry). No ``grad``
    changes.

    ``create_graph`` records the pass, for derivatives of the derivatives. Raises RuntimeError for an input
    that the outputs do not depend on; with ``allow_unused`` its adjoint is None.

    >>> import wengert
    >>> x = wengert.tensor(3.0, requires_grad=True)
    >>> (slope,) = grad(x * x, x, create_graph=True)
    >>> grad(slope, x)
    (tensor(2.),)
    """
    targets = [inputs] if isinstance(inputs, Variable) else list(inputs)
    for k, v in enumerate(targets):
        if not isinstance(v, Tensor) or not v.requires_grad:
            raise RuntimeError(f"grad: input {k} requires no gradient; create it with requires_grad=True")
    roots, seeds = _roots(outputs, grad_outputs, "grad")
    found = _swept(roots, seeds, retain_graph, create_graph, targets)
    for k, v in enumerate(targets):
        if id(v) not in found and not allow_unused:
            raise RuntimeError(
                f"grad: the outputs do not depend on input {k}; pass allow_unused=True to receive None for it"
            )
    return tuple(v.wrap(found[id(v)]) if id(v) in found else None for v in targets)


def backward(
    tensors: Tensors,
    grad_tensors: Any = None,
    retain_graph: bool | None = None,
    create_graph: bool = False,
) -> None:
    """Add the derivative of the tensors' sum to the ``grad`` of every leaf, as `Tensor.backward` does for
    one.

    >>> import wengert
    >>> x = wengert.tensor(3.0, requires_grad=True)
    >>> backward([x * x, 2 * x])
    >>> x.grad
    tensor(8.)
    """
    roots, seeds = _roots(tensors, grad_tensors, "backward")
    _swept(roots, seeds, retain_graph, create_graph, None)


def _roots(outputs: Tensors, adjoints: Any, who: str) -> tuple[list[Tensor], list[Any]]:
    roots = [outputs] if isinstance(outputs, Tensor) else list(outputs)
    given = adjoints if isinstance(adjoints, (list, tuple)) else [adjoints] * len(roots)
    if len(given) != len(roots):
        raise ValueError(f"{who}: expected one adjoint per output, got {len(given)} for {len(roots)}")
    if adjoints is not None and not isinstance(adjoints, (list, tuple)) and len(roots) > 1:
        raise ValueError(f"{who}: expected a list of adjoints, one for each of {len(roots)} outputs")
    return roots, [root.seed(adjoint, who) for root, adjoint in zip(roots, given, strict=True)]


def _swept(
    roots: list[Tensor], seeds: list[Any], retain_graph: bool | None, create_graph: bool, wanted: Any
) -> dict[int, Any]:
    free = not (create_graph if retain_graph is None else retain_graph)
    if create_graph:
        seeds = [root.wrap(seed) for root, seed in zip(roots, seeds, strict=True)]
    found: dict[int, Any] = quietly(sweep, roots, seeds, create_graph=create_graph, free=free, wanted=wanted)
    return found
