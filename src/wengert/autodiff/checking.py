"""Do the derivatives agree with finite differences, and with each other?"""

from __future__ import annotations

import math
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from wengert.autodiff.reverse import Variable
from wengert.autodiff.transforms import jvp, vjp
from wengert.autodiff.trees import leaves, mapped, rebuild
from wengert.ops.kinds import shape

Flat = Callable[..., list[Any]]
"""A function of numbers and arrays that returns a list of them."""

ENTRIES = 64
"""Of a larger argument, so many entries are tried one by one; one direction goes through all entries."""

EPSILON = {"float16": 2.0**-10, "float32": 2.0**-23, "float64": 2.0**-52}
STENCIL = ((1, 8 / 12), (-1, -8 / 12), (2, -1 / 12), (-2, 1 / 12))
"""The central difference of fourth order: steps and weights (Fornberg 1988, table 1)."""

ORDINALS = {1: "first", 2: "second", 3: "third"}


class GradientMismatch(AssertionError):
    """Two ways to the same derivative disagree.

    ``argument`` (its number), ``entry``, ``mode`` (``'forward'`` or ``'reverse'``) and ``order`` say where;
    ``found`` and ``expected`` are the two values, ``expected`` by the ``reference``.
    """

    def __init__(
        self, argument: str, entry: str, mode: str, order: int, found: float, expected: float, reference: str
    ) -> None:
        self.argument, self.entry, self.mode, self.order = argument, entry, mode, order
        self.found, self.expected, self.reference = found, expected, reference
        super().__init__(
            f"{ORDINALS.get(order, f'{order}th')} derivative in {mode} mode, {argument}, {entry}: "
            f"found {found!r}, but expected {expected!r} by {reference}"
        )


def check_gradients(
    f: Callable[..., Any],
    *args: Any,
    order: int = 2,
    atol: float | None = None,
    rtol: float | None = None,
    modes: Sequence[str] = ("forward", "reverse"),
) -> None:
    """Check the derivatives of ``f`` at ``args``, up to an order; nothing happens where all is well.

    Forward mode is compared with central finite differences, and reverse mode with forward mode through the
    adjoint identity ⟨Jᵀȳ, ẋ⟩ = ⟨ȳ, Jẋ⟩. The second order does the same with the gradient in the place of
    ``f``: forward over reverse, and reverse over reverse. For a function with one mode only (a `custom_vjp`
    has no forward mode), name it by ``modes``; the reverse mode alone is compared with finite differences.

    The arguments are floating-point numbers, arrays, or nests of them in dicts, lists and tuples, and so is
    the value; values that are whole numbers or truth values are left out. Step and tolerances follow from the
    coarsest dtype. Where ``f`` has a kink near ``args``, finite differences mean nothing.

    Raises `GradientMismatch` (an AssertionError), which names argument, entry, mode, order and both values;
    TypeError where an argument is not floating-point; ValueError for an order below 1 or an unknown mode.
    The identity: A. Griewank and A. Walther, "Evaluating Derivatives" (2nd edition, 2008), section 3.3.

    >>> import wengert
    >>> wengert.check_gradients(lambda x, y: wengert.sin(x) * y, 0.5, 2.0)

    A rule stated by hand, with a wrong sign:

    >>> @wengert.custom_vjp
    ... def cosine(x):
    ...     return wengert.cos(x)
    >>> cosine.defvjp(lambda x: (wengert.cos(x), x), lambda x, adjoint: (adjoint * wengert.sin(x),))
    >>> wengert.check_gradients(cosine, 0.5, order=1, modes=["reverse"])  # doctest: +ELLIPSIS
    Traceback (most recent call last):
        ...
    wengert.autodiff.checking.GradientMismatch: first derivative in reverse mode, argument 0, ...
    """
    if order < 1:
        raise ValueError(f"check_gradients: order should be 1 or more, got {order}")
    unknown = set(modes) - {"forward", "reverse"}
    if unknown or not modes:
        raise ValueError(f"check_gradients: modes should be 'forward', 'reverse' or both, got {modes!r}")
    check = _Check(args, atol, rtol, modes)
    checked: Flat = check.flattened(f)
    for k in range(1, order + 1):
        check.first_order(checked, k)
        checked = check.gradient(checked)


class _Check:
    """The point, the directions and the tolerances of one check."""

    def __init__(
        self, args: Sequence[Any], atol: float | None, rtol: float | None, modes: Sequence[str]
    ) -> None:
        self.modes = modes
        self.nest = [mapped(_plain, a) for a in args]
        self.names = [f"argument {k}" for k, a in enumerate(self.nest) for _ in leaves(a)]
        self.point = leaves(self.nest)
        self.random = random.Random(0)
        epsilon = max(
            (_epsilon(x, name) for x, name in zip(self.point, self.names, strict=True)), default=0.0
        )
        self.step = epsilon ** (1 / 5)
        self.atol = epsilon ** (1 / 3) if atol is None else atol
        self.rtol = epsilon ** (1 / 3) if rtol is None else rtol

    def flattened(self, f: Callable[..., Any]) -> Flat:
        """f of the leaves of its arguments, as the list of the leaves of its value that have derivatives."""
        return lambda *point: [y for y in leaves(f(*rebuild(self.nest, point))) if _has_derivatives(y)]

    def gradient(self, f: Flat) -> Flat:
        """The gradient of a random weighted sum of f's values."""
        weights = [self.direction(y) for y in _values(f, self.point)]
        return lambda *point: list(vjp(f, *point)[1](weights))

    def direction(self, like: Any) -> Any:
        """A random number or array without small entries, so that none goes unseen."""
        return _filled(
            like, [self.random.choice((-1, 1)) * self.random.uniform(0.5, 1.5) for _ in _entries(like)]
        )

    def directions(self) -> Iterator[tuple[str, str, list[Any], float]]:
        """Argument, entry, tangents and the scale of the step: each entry alone, then all together."""
        zeros = [_filled(x, [0.0] * len(_entries(x))) for x in self.point]
        for k, x in enumerate(self.point):
            entries = _entries(x)
            for j in range(0, len(entries), math.ceil(len(entries) / ENTRIES) or 1):
                unit = _filled(x, [float(i == j) for i in range(len(entries))])
                yield self.names[k], _place(j, x), [*zeros[:k], unit, *zeros[k + 1 :]], _scale(entries[j])
        scales = [_filled(x, [_scale(e) for e in _entries(x)]) for x in self.point]
        tangents = [scale * self.direction(scale) for scale in scales]
        yield "all arguments", "along a direction through every entry", tangents, 1.0

    def first_order(self, f: Flat, order: int) -> None:
        """Compare f's own first derivatives, where f itself is a derivative of one order less."""
        weights = [self.direction(y) for y in _values(f, self.point)]
        if not weights:
            return
        adjoints = vjp(f, *self.point)[1](weights) if "reverse" in self.modes else ()
        for argument, entry, tangents, scale in self.directions():
            expected, reference = self.difference(f, tangents, self.step * scale), "finite differences"
            if "forward" in self.modes:
                found = list(map(_plain, jvp(f, self.point, tangents)[1]))
                self.compare(found, expected, argument, entry, order)
                expected, reference = found, "forward mode"
            if "reverse" in self.modes:
                pulled, pushed = _inner(adjoints, tangents), _inner(weights, expected)
                magnitude = _inner(list(map(abs, weights)), list(map(abs, expected)))
                if not self.close(pulled, pushed, magnitude):
                    raise GradientMismatch(argument, entry, "reverse", order, pulled, pushed, reference)

    def compare(self, found: list[Any], expected: list[Any], argument: str, entry: str, order: int) -> None:
        """Compare two lists of tangents entry by entry."""
        for n, (a, b) in enumerate(zip(found, expected, strict=True)):
            for j, (x, y) in enumerate(zip(_entries(a), _entries(b), strict=True)):
                if not self.close(x, y, abs(y)):
                    place = f"{entry}, of value {n}" if len(found) > 1 else f"{entry}, of the value"
                    place = f"{place} {_place(j, b)}" if shape(b) else place
                    raise GradientMismatch(argument, place, "forward", order, x, y, "finite differences")

    def close(self, found: float, expected: float, magnitude: float) -> bool:
        """Whether two values agree; NaN agrees with nothing."""
        return abs(found - expected) <= self.atol + self.rtol * magnitude

    def difference(self, f: Flat, tangents: list[Any], step: float) -> list[Any]:
        """f's directional derivative along the tangents by central differences."""
        total: list[Any] = []
        for k, weight in STENCIL:
            moved = [x + t * (k * step) for x, t in zip(self.point, tangents, strict=True)]
            terms = [y * (weight / step) for y in _values(f, moved)]
            total = [a + b for a, b in zip(total, terms, strict=True)] if total else terms
        return total


def _has_derivatives(value: Any) -> bool:
    """Whether derivatives of values of this type are numbers: not of whole numbers or truth values."""
    return getattr(getattr(value, "dtype", None), "kind", "f") == "f" and not isinstance(value, (bool, int))


def _plain(x: Any) -> Any:
    return x.data if isinstance(x, Variable) else x


def _values(f: Flat, point: list[Any]) -> list[Any]:
    return list(map(_plain, f(*point)))


def _epsilon(x: Any, name: str) -> float:
    kind = "float64" if type(x) is float else str(getattr(x, "dtype", type(x).__name__))
    if kind not in EPSILON:
        raise TypeError(f"check_gradients: {name}: expected floating-point numbers or arrays, got {kind}")
    return EPSILON[kind]


def _scale(entry: float) -> float:
    """How far a step should go in an entry of this size."""
    return max(abs(entry), 0.01)


def _entries(x: Any) -> list[float]:
    return list(map(float, x.ravel())) if shape(x) else [float(x)]


def _filled(like: Any, entries: list[float]) -> Any:
    """The entries in the type, shape and dtype of another value."""
    if not hasattr(like, "dtype"):
        return entries[0]
    import numpy as np

    return np.array(entries, like.dtype).reshape(like.shape)


def _place(position: int, x: Any) -> str:
    """The name of an entry, counted along the flat array."""
    index: list[int] = []
    for extent in reversed(shape(x)):
        position, k = divmod(position, extent)
        index.insert(0, k)
    return f"entry {index}" if index else "the number"


def _inner(left: Sequence[Any], right: Sequence[Any]) -> float:
    return math.fsum(
        a * b
        for x, y in zip(left, right, strict=True)
        for a, b in zip(_entries(_plain(x)), _entries(y), strict=True)
    )
