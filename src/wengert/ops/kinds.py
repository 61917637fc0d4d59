"""The kinds of row. Each turns the one fact that a row states into a forward and a reverse rule.

| kind | states | forward | reverse |
|---|---|---|---|
| elementwise | the partial per argument | sum of partial * tangent | adjoint * partial |
| select | which entries an argument supplies | the selected tangents | the selected adjoints |
| linear | the transpose | the operation on the tangent | the transpose |
| bilinear | a transpose per argument | op(ẋ, y) + op(x, ẏ) | a transpose per argument |
| composite | nothing, or a named rule | through its operations | through its operations |
| factorisation | its own jvp and vjp | stated | stated |
| discrete | that it is locally constant | no tangent | no adjoint |
"""

from __future__ import annotations

import builtins
from array import array
from collections.abc import Callable, Mapping, Sequence
from operator import mul
from typing import Any

from wengert.ops.op import Case, Op, alike, later, traced_level

Rule = Callable[..., Any]
Args = tuple[Any, ...]
Params = Mapping[str, Any]
Values = Sequence[Any]


def shape(value: Any) -> tuple[int, ...]:
    """The shape of any value; ``()`` for a number."""
    extents: tuple[int, ...] = getattr(value, "shape", ())
    return extents


def total(terms: Sequence[Any]) -> Any:
    """The sum of the terms that are not None; None where all are."""
    present = [t for t in terms if t is not None]
    return builtins.sum(present[1:], present[0]) if present else None


class Elementwise(Op):
    """Each result entry depends on the matching entries of the arguments."""

    def __init__(self, name: str, *, partials: Sequence[Rule], **row: Any) -> None:
        super().__init__(name, arity=len(partials), **row)
        self.partials = tuple(partials)

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        floats = type(adjoint) is float
        if not floats:
            args = alike(args, result)
        if len(args) == 2 and not params:  # written out, because most programs are made of these
            (a, b), (left, right), (first, second) = args, self.partials, parents
            times = mul if floats else scale
            return (
                None if first is None else times(adjoint, left(a, b, result)),
                None if second is None else times(adjoint, right(a, b, result)),
            )
        return [
            scale(adjoint, partial(*args, result, **params)) if parent is not None else None
            for partial, parent in zip(self.partials, parents)  # noqa: B905 (this runs once per operation)
        ]

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        args = alike(args, result)
        return total(
            [
                None if t is None else scale(t, partial(*args, result, **params))
                for partial, t in zip(self.partials, tangents, strict=True)
            ]
        )


class Over:
    """The partial ``1/b``, kept as a quotient: a cotangent is divided by b, in its own number system."""

    __slots__ = ("denominator",)

    def __init__(self, denominator: Any) -> None:
        self.denominator = denominator

    def __rmul__(self, cotangent: Any) -> Any:
        return later.divide(cotangent, self.denominator)


def scale(cotangent: Any, partial: Any) -> Any:
    """``cotangent * partial``, without the multiplication where the partial is the number one."""
    if type(partial) is Over:
        return later.divide(cotangent, partial.denominator)
    if type(partial) is int:
        if partial == 1:
            return cotangent
        if partial == -1:
            return -cotangent
    return cotangent * partial


class SumOfProducts(Op):
    """``x₁y₁ + … + xₙyₙ + b`` over 2n+1 numbers: what a neuron computes, as one operation. Over floats its
    rule answers with an `array`, so that the reverse sweep can add all the parts at once."""

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        n = len(args) // 2
        partners = args[n : 2 * n] + args[:n]
        if type(adjoint) is float and type(result) is float:
            floats = array("d", [adjoint * p for p in partners])
            floats.append(adjoint)
            return floats
        partners = alike(partners, result)
        out = [None if a is None else adjoint * p for a, p in zip(parents, partners)]  # noqa: B905 (the bias is apart)
        out.append(None if parents[-1] is None else adjoint)
        return out

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        n = len(args) // 2
        partners = alike((*args[n : 2 * n], *args[:n]), result)
        products = [None if t is None else t * p for t, p in zip(tangents, partners, strict=False)]
        return total([*products, tangents[-1]])


class Select(Op):
    """Each result entry is taken from one argument. A selection is never a product with 0, so an entry that
    is not taken adds nothing, even where it is infinite. ``choose[i]`` selects from a tangent or an adjoint
    what belongs to argument i; None marks an argument that is not differentiated."""

    def __init__(self, name: str, *, choose: Sequence[Rule | None], **row: Any) -> None:
        super().__init__(name, arity=len(choose), **row)
        self.choose = tuple(choose)

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        if len(args) == 1 and not params:
            (choose,) = self.choose
            return (None if choose is None else choose(adjoint, args[0], result),)
        return [
            choose(adjoint, *args, result, **params) if parent is not None and choose else None
            for choose, parent in zip(self.choose, parents, strict=True)
        ]

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        return total(
            [
                None if t is None or choose is None else choose(t, *args, result, **params)
                for choose, t in zip(self.choose, tangents, strict=True)
            ]
        )


class Linear(Op):
    """Linear in its first argument; further arguments (indices) are not differentiated. ``transpose(g, x,
    …)`` is the adjoint map; of x only the shape may matter."""

    over_axes = True

    def __init__(self, name: str, *, transpose: Rule, arity: int = 1, **row: Any) -> None:
        super().__init__(name, arity=arity, **row)
        self.transpose = transpose

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        first = self.transpose(adjoint, *args, **params) if parents[0] is not None else None
        return (first,) if len(args) == 1 else (first, *[None] * (len(args) - 1))

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        return None if tangents[0] is None else self.apply((tangents[0], *args[1:]), params)


class Joint(Op):
    """Linear in all its arguments together (concatenate, stack). ``transpose(g, xs, …)`` gives an adjoint for
    each."""

    def __init__(self, name: str, *, transpose: Rule, **row: Any) -> None:
        super().__init__(name, arity=None, **row)
        self.transpose = transpose

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        parts = self.transpose(adjoint, args, **params)
        return [part if parent is not None else None for part, parent in zip(parts, parents, strict=True)]

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        filled = tuple(a * 0 if t is None else t for a, t in zip(args, tangents, strict=True))
        return self.apply(filled, params)


class Bilinear(Op):
    """Linear in each of two arguments. ``transpose[i](g, a, b, …)`` is the adjoint map of argument i."""

    def __init__(self, name: str, *, transpose: tuple[Rule, Rule], **row: Any) -> None:
        super().__init__(name, arity=2, **row)
        self.transpose = transpose

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        return [
            rule(adjoint, *args, **params) if parent is not None else None
            for rule, parent in zip(self.transpose, parents, strict=True)
        ]

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        a, b = args
        da, db = tangents
        return total(
            [
                None if da is None else self.apply((da, b), params),
                None if db is None else self.apply((a, db), params),
            ]
        )


class Composite(Op):
    """Written in other operations. It is differentiated through them, unless it states a rule of its own
    for stability or speed: ``vjp_rule(g, y, *args, **params)``, or a tuple of such rules, one for each
    argument and None for one that is not differentiated, and ``jvp_rule(tangents, y, *args,
    **params)``."""

    def __init__(
        self,
        name: str,
        definition: Rule,
        *,
        vjp: Rule | tuple[Rule | None, ...] | None = None,
        jvp: Rule | None = None,
        arity: int = 1,
        **row: Any,
    ) -> None:
        super().__init__(name, arity=arity, definition=definition, **row)
        self.body = definition
        self.vjp_rule = vjp
        self.jvp_rule = jvp

    def apply(self, args: Args, params: Params) -> Any:
        if self.vjp_rule is None and any(traced_level(a) >= 0 for a in args):
            return self.body(*args, **params)
        return super().apply(args, params)

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        assert self.vjp_rule is not None, self.name
        if isinstance(self.vjp_rule, tuple):
            return [
                rule(adjoint, result, *args, **params) if parent is not None and rule is not None else None
                for rule, parent in zip(self.vjp_rule, parents, strict=True)
            ]
        contributions = self.vjp_rule(adjoint, result, *args, **params)
        return contributions if isinstance(contributions, (tuple, list)) else [contributions]

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        assert self.jvp_rule is not None, self.name
        return self.jvp_rule(tangents, result, *args, **params)


class Factorisation(Composite):
    """A matrix factorisation: a library computes it, and its rules are stated in other operations. Where it
    has several results, adjoints and tangents come as a list with None for zero."""

    def __init__(self, name: str, *, vjp: Rule, jvp: Rule, **row: Any) -> None:
        definition = row.pop("definition", None)
        super().__init__(name, definition, vjp=vjp, jvp=jvp, **row)


class Deferred:
    """A tangent that is computed when it is first asked for: one of several results may have a derivative
    where another has none."""

    __slots__ = ("compute",)

    def __init__(self, compute: Callable[[], Any]) -> None:
        self.compute = compute


class Component(Op):
    """One of the results of an operation that has several. The adjoint of all the results together is a list
    with None where nothing arrived."""

    def vjp(self, adjoint: Any, args: Args, result: Any, params: Params, parents: Values) -> Values:
        return [[adjoint if k == params["index"] else None for k in range(len(parents[0].data))]]

    def jvp(self, tangents: Values, args: Args, result: Any, params: Params) -> Any:
        return None if tangents[0] is None else tangents[0][params["index"]]


component = Component(
    "component",
    arity=1,
    parameters={"index": 0},
    public=False,
    tex="{0}",
    chain_rule="one of several results",
)


class Discrete(Op):
    """Locally constant, so nothing flows through it: comparisons, argmax."""

    differentiable = False


class Question(Discrete):
    """One truth value about its whole argument, all examples of a batch together: for a rule that must
    refuse."""


def elementwise(name: str, *, partials: Sequence[Rule], **row: Any) -> Elementwise:
    """A row that states its local partial derivatives, each a function of the arguments and the result."""
    return Elementwise(name, partials=partials, **row)


def select(name: str, *, choose: Sequence[Rule | None], **row: Any) -> Select:
    """A row that takes each entry from one of its arguments."""
    return Select(name, choose=choose, **row)


def linear(name: str, *, transpose: Rule, **row: Any) -> Linear:
    """A row that states its transpose."""
    return Linear(name, transpose=transpose, **row)


def joint(name: str, *, transpose: Rule, **row: Any) -> Joint:
    """A row that is linear in a list of arguments."""
    return Joint(name, transpose=transpose, **row)


def bilinear(name: str, *, transpose: tuple[Rule, Rule], **row: Any) -> Bilinear:
    """A row that states a transpose per argument."""
    return Bilinear(name, transpose=transpose, **row)


def composite(name: str, definition: Rule, **row: Any) -> Composite:
    """A row that is written in other operations."""
    return Composite(name, definition, **row)


def factorisation(name: str, *, vjp: Rule, jvp: Rule, **row: Any) -> Factorisation:
    """A row for a matrix factorisation with its stated rules."""
    return Factorisation(name, vjp=vjp, jvp=jvp, **row)


def discrete(name: str, *, arity: int, **row: Any) -> Discrete:
    """A row through which nothing flows."""
    return Discrete(name, arity=arity, **row)


__all__ = [
    "Bilinear",
    "Case",
    "Composite",
    "Deferred",
    "Discrete",
    "Elementwise",
    "Factorisation",
    "Joint",
    "Linear",
    "Question",
    "Select",
    "bilinear",
    "composite",
    "discrete",
    "elementwise",
    "factorisation",
    "joint",
    "linear",
    "select",
    "shape",
]
