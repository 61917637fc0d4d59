"""Functions with a derivative of the user's own."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.autodiff.batching import Batched
from wengert.autodiff.forward import Dual
from wengert.autodiff.levels import is_recording
from wengert.autodiff.reverse import Variable
from wengert.autodiff.transforms import vjp
from wengert.ops.arithmetic import zeros_like
from wengert.ops.kinds import component, shape
from wengert.ops.op import Op, traced_level

Function = Callable[..., Any]


class CustomOp(Op):
    """An operation outside the table with the user's rule.

    ``forward(*args)`` returns the result, or a tuple of several, and what the backward rule wants to keep.
    ``backward(kept, adjoint)`` returns an adjoint per argument; the adjoint of several results is a list with
    None where nothing arrived. When the sweep itself is recorded, forward runs again on the recorded
    arguments, so higher derivatives follow.
    """

    def __init__(self, name: str, forward: Function, backward: Function) -> None:
        self.name = name
        self.arity = None
        self.parameters: Mapping[str, Any] = {}
        self.domain = self.kink = self.tex = self.text = self.infix = self.definition = None
        self.forward = forward
        self.backward = backward

    def apply(self, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        top = max((a for a in args if traced_level(a) >= 0), key=traced_level, default=None)
        if top is None:
            return self.forward(*args)[0]
        if isinstance(top, Batched):
            return top.record(self, args, params)
        if not isinstance(top, Variable):
            raise TypeError(
                f"{self.name} states a reverse rule only, and this is forward mode; use wengert.custom_jvp, "
                f"or mode='reverse' in wengert.jacobian"
            )
        level = top.level
        mine = [isinstance(a, Variable) and a.level == level for a in args]
        values = tuple(a.data if own else a for a, own in zip(args, mine, strict=True))
        data, kept = self.forward(*values)
        out = top.bare(data, level)
        parents = tuple(a if own and a.requires_grad else None for a, own in zip(args, mine, strict=True))
        if any(p is not None for p in parents) and is_recording(level):
            out.remember(self, parents, values, {"kept": kept})
        if isinstance(data, tuple):
            return tuple(out.record(component, (out,), {"index": k}) for k in range(len(data)))
        return out

    def vjp(
        self,
        adjoint: Any,
        args: tuple[Any, ...],
        result: Any,
        params: Mapping[str, Any],
        parents: Sequence[Any],
    ) -> Sequence[Any]:
        recorded = any(p is not None and a is p for a, p in zip(args, parents, strict=True))
        kept = self.kept_again(args, result, params["kept"]) if recorded else params["kept"]
        found = self.backward(kept, adjoint)
        parts = found if isinstance(found, (tuple, list)) else (found,)
        if len(parts) != len(args):
            raise ValueError(
                f"{self.name}: the backward rule returned {len(parts)} adjoints for {len(args)} arguments"
            )
        for k, (part, arg) in enumerate(zip(parts, args, strict=True)):
            if part is not None and parents[k] is not None and shape(part) not in (shape(arg), ()):
                raise ValueError(
                    f"{self.name}: the backward rule's adjoint {k} has shape {shape(part)}, "
                    f"but the argument has shape {shape(arg)}"
                )
        return [part if parent is not None else None for part, parent in zip(parts, parents, strict=True)]

    def kept_again(self, args: tuple[Any, ...], result: Any, kept: Any) -> Any:
        """What the backward rule keeps, computed from recorded arguments."""
        return self.forward(*args)[1]


class custom_vjp:
    """A function whose reverse rule is stated by hand.

    >>> import wengert
    >>> @wengert.custom_vjp
    ... def clipped(x):
    ...     return x
    >>> clipped.defvjp(lambda x: (x, None), lambda kept, adjoint: (wengert.clip(adjoint, -1.0, 1.0),))
    >>> wengert.grad(lambda x: clipped(x) * 5)(2.0)
    1.0
    """

    def __init__(self, f: Function) -> None:
        self.f = f
        self.op: CustomOp | None = None
        functools.update_wrapper(self, f)

    def defvjp(self, forward: Function, backward: Function) -> None:
        """``forward(*args) -> (value, kept)``; ``backward(kept, adjoint) -> adjoints``, one per argument."""
        self.op = CustomOp(self.f.__name__, forward, backward)

    def __call__(self, *args: Any) -> Any:
        if self.op is None:
            raise TypeError(
                f"{self.f.__name__}: state its rule with {self.f.__name__}.defvjp(forward, backward) first"
            )
        return self.op.apply(args, {})


class custom_jvp:
    """A function whose forward rule is stated by hand; reverse mode follows by transposing it.

    >>> import wengert
    >>> @wengert.custom_jvp
    ... def f(x):
    ...     return x * x
    >>> f.defjvp(lambda primals, tangents: (f(primals[0]), 2 * primals[0] * tangents[0]))
    >>> wengert.jvp(f, (3.0,), (1.0,)), wengert.grad(f)(3.0)
    ((9.0, 6.0), 6.0)
    """

    def __init__(self, f: Function) -> None:
        self.f = f
        self.rule: Function | None = None
        functools.update_wrapper(self, f)

    def defjvp(self, rule: Function) -> None:
        """``rule(primals, tangents) -> (value, tangent)``, linear in the tangents."""
        self.rule = rule

    def __call__(self, *args: Any) -> Any:
        if self.rule is None:
            raise TypeError(f"{self.f.__name__}: state its rule with {self.f.__name__}.defjvp(rule) first")
        top = max((a for a in args if traced_level(a) >= 0), key=traced_level, default=None)
        if type(top) is Dual:
            return self._push_forward(top.level, args)
        if isinstance(top, Variable):
            return CustomOp(self.f.__name__, self._forward, self._transpose).apply(args, {})
        return self.f(*args)

    def _push_forward(self, level: int, args: tuple[Any, ...]) -> Any:
        assert self.rule is not None
        mine = [type(a) is Dual and a.level == level for a in args]
        primals = tuple(a.primal if own else a for a, own in zip(args, mine, strict=True))
        tangents = tuple(
            a.tangent if own and a.tangent is not None else zeros_like(p)
            for a, p, own in zip(args, primals, mine, strict=True)
        )
        value, tangent = self.rule(primals, tangents)
        return Dual(value, tangent, level)

    def _forward(self, *args: Any) -> tuple[Any, Any]:
        return self(*args), args

    def _transpose(self, args: Any, adjoint: Any) -> Any:
        rule = self.rule
        assert rule is not None
        _, pull_back = vjp(lambda *tangents: rule(args, tangents)[1], *map(zeros_like, args))
        return pull_back(adjoint)
