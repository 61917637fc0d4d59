"""The samples of the rule table, as calls that a test can make."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import wengert
from wengert.ops import Case, Op, rows
from wengert.ops.kinds import Discrete
from wengert.ops.linalg import T


class Sample:
    """One sample call of one row."""

    def __init__(self, op: Op, number: int, case: Case) -> None:
        self.op = op
        self.number = number
        self.case = case

    def __repr__(self) -> str:
        return f"{self.op.name}-{self.number}"

    @property
    def is_scalar(self) -> bool:
        """Whether all arguments are plain numbers."""
        listed = self.op.arity is None and len(self.case.args) == 1
        arguments = self.case.args[0] if listed else self.case.args
        return bool(arguments) and all(isinstance(a, (bool, int, float)) for a in arguments)

    def bound(self, dtype: Any = "float64") -> tuple[list[Any], dict[str, Any]]:
        """The arguments as arrays, and the complete parameters."""
        given = list(self.case.args)
        if self.op.arity is None and len(given) == 1:
            words: list[Any] = [[as_array(a, dtype) for a in given[0]]]
        else:
            arrays = len(given) if self.op.arity is None else self.op.arity
            words = [*(as_array(a, dtype) for a in given[:arrays]), *given[arrays:]]
        args, params = self.op.bind(tuple(words), dict(self.case.params))
        return [as_array(a, dtype) for a in args], dict(params)

    def call(self, dtype: Any = "float64") -> tuple[Callable[..., Any], list[Any]]:
        """A function of the arguments that can be differentiated, and these arguments.

        A row that is defined for symmetric matrices gets the symmetric part of its argument; a factorisation
        gives its results without the signs that are free.
        """
        args, params = self.bound(dtype)
        op, symmetric = self.op, "symmetric" in (self.op.domain or "")
        varied = [k for k, a in enumerate(args) if a.dtype.kind == "f"]

        def f(*changed: Any) -> Any:
            full = list(args)
            for k, x in zip(varied, changed, strict=True):
                full[k] = wengert.divide(x + T(x), 2) if symmetric else x
            value = op.apply(tuple(full), params)
            return comparable(self, value) if isinstance(value, tuple) else value

        return f, [args[k] for k in varied]


def as_array(value: Any, dtype: Any) -> Any:
    """Numbers and nested lists as arrays: real numbers of the dtype, indices and conditions as they are."""
    if isinstance(value, (str, tuple)):
        return value
    array = np.asarray(value)
    return array.astype(dtype) if array.dtype.kind == "f" else array


def samples(keep: Callable[[Sample], bool] = lambda sample: True) -> list[Any]:
    """Every sample of the table that ``keep`` keeps, as parameters of a test."""
    found = (Sample(op, k, case) for op in rows() for k, case in enumerate(op.sample))
    return [pytest.param(s, id=repr(s)) for s in found if keep(s)]


def is_differentiable(sample: Sample) -> bool:
    """Whether finite differences say something about the row."""
    return not isinstance(sample.op, Discrete)


def comparable(sample: Sample, parts: tuple[Any, ...]) -> tuple[Any, ...]:
    """The results of a factorisation without the signs that are free; those of other rows as they are."""
    free = {"eigh": {1}, "svd": {0, 2}, "qr": {0, 1}}.get(sample.op.name, set())
    return tuple(part * part if k in free else part for k, part in enumerate(parts))


def leaves(value: Any) -> list[Any]:
    """The results of a call as a list."""
    return list(value) if isinstance(value, (tuple, list)) else [value]


def weights(values: list[Any], seed: int = 0) -> list[Any]:
    """Adjoints or tangents like the values, without any order and exactly representable."""
    counter = itertools.count(3 * seed)

    def draw(like: Any) -> Any:
        entries = [((7 * k) % 11 + 3) / 8 for k, _ in zip(counter, range(np.size(like)), strict=False)]
        return np.array(entries, getattr(like, "dtype", float)).reshape(np.shape(like))

    return [draw(v) for v in values]


def weighted(f: Callable[..., Any], args: list[Any]) -> Callable[..., Any]:
    """A number made of all of f's values: the sum of them times random weights."""
    chosen = weights(leaves(f(*args)))

    def total(*xs: Any) -> Any:
        terms = [wengert.sum(y * w) for y, w in zip(leaves(f(*xs)), chosen, strict=True)]
        return sum(terms[1:], terms[0])

    return total


__all__ = [
    "Sample",
    "as_array",
    "comparable",
    "is_differentiable",
    "leaves",
    "samples",
    "weighted",
    "weights",
]
