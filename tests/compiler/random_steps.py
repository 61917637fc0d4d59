"""Steps of random programs: elementwise rows, reductions, arrangements and indices."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from random_values import NUMBERS, POSITIVE, Values

from wengert.ops import rows
from wengert.ops.indexing import Slot
from wengert.ops.kinds import Discrete, Elementwise, Select

_PARAMETERLESS = [
    op
    for op in rows()
    if op.arity is not None and not op.parameters and isinstance(op, (Elementwise, Select, Discrete))
]
UNARY = [op.name for op in _PARAMETERLESS if op.arity == 1 and op.public]
BINARY = [op.name for op in _PARAMETERLESS if op.arity == 2 and op.public]
REDUCTIONS = ("sum", "sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "norm", "any", "all")
ARRANGEMENTS = (
    *("reshape", "reshape", "permute", "permute", "transpose", "squeeze", "expand_dims", "broadcast_to"),
    *("broadcast_to", "flip", "tile", "repeat", "pad", "tril", "triu", "diag", "astype"),
)


class Steps(Values):
    """Steps of one row each. A draw that does not fit adds nothing."""

    def unary(self) -> None:
        row = self.one_of(UNARY)
        self.add(row, self.safe(row, self.value()))

    def binary(self) -> None:
        row = self.one_of(BINARY) if self.chance(0.5) else self.one_of(("add", "subtract", "multiply"))
        a = self.value()
        b = self.partner(a)
        if type(b) is str and row in POSITIVE:
            b = self.safe(row, b)
        if row == "power":
            a, b = self.safe(row, a), self.one_of((2, 3, 0.5, -1, b, 1, 0, 2.0))
        if self.chance(0.3) and row != "power":
            a, b = b, a
        self.add(row, a, b)

    def ternary(self) -> None:
        a = self.value()
        b = self.partner(a)
        if self.chance(0.3):
            low, high = sorted((self.one_of(NUMBERS), self.one_of(NUMBERS)))
            self.add("clip", a, low, high)
            return
        compare = self.one_of(("less", "greater", "less_equal", "greater_equal", "equal", "not_equal"))
        condition = self.add(compare, a, b) if self.chance(0.7) else self.value(0, "b")
        if condition:
            self.add("where", condition, self.partner(condition), a if self.chance(0.5) else self.partner(a))

    def reduction(self) -> None:
        row = self.one_of(REDUCTIONS)
        a = self.value(0, "" if row in ("any", "all", "sum", "max") else "f")
        params: dict[str, Any] = {"axis": self.axes(a), "keepdims": self.chance(0.4)}
        if row in ("var", "std"):
            params["correction"] = int(self.one_of((0, 1)))
        if row == "norm":
            params["ord"] = self.one_of((1, 2, math.inf))
        self.add(row, a, **params)

    def activation(self) -> None:
        row = self.one_of(
            ("relu", "leaky_relu", "hardtanh", "elu", "gelu", "softmax", "log_softmax", "standardise")
        )
        a = self.value(0, "f")
        params: dict[str, Any] = {}
        if row == "gelu":
            params["approximate"] = self.one_of(("none", "tanh"))
        if row in ("softmax", "log_softmax", "standardise"):
            ndim = np.ndim(self.values[a])
            if not ndim:
                return
            params["axis"] = int(self.random.integers(-ndim, ndim))
        self.add(row, a, **params)

    def along_axis(self) -> None:
        row = self.one_of(("cumsum", "argmax", "argmin", "argsort", "take_along_axis", "flip", "roll"))
        a = self.value(1)
        shape = np.shape(self.values[a])
        axis = int(self.random.integers(-len(shape), len(shape)))
        if row == "take_along_axis":
            place = axis % len(shape)
            if not shape[place]:
                return
            count = 1 if self.chance(0.6) else int(self.one_of((2, 3)))
            wanted = tuple(count if k == place else n for k, n in enumerate(shape))
            self.add(row, a, self.positions(wanted, shape[place]), axis=axis)
        elif row == "roll":
            self.add(row, a, shift=int(self.random.integers(-3, 4)), axis=axis)
        else:
            self.add(row, a, axis=axis)

    def arrangement(self) -> None:
        a = self.value()
        shape = np.shape(self.values[a])
        ndim = len(shape)
        row = self.one_of(ARRANGEMENTS)
        params: dict[str, Any] = {}
        if row == "reshape":
            params["shape"] = self.another_shape(shape)
        elif row == "permute":
            params["axes"] = tuple(int(k) for k in self.random.permutation(ndim))
        elif row == "transpose" and ndim:
            params = {"axis0": int(self.random.integers(ndim)), "axis1": int(self.random.integers(ndim))}
        elif row == "expand_dims":
            params["axis"] = int(self.random.integers(-ndim - 1, ndim + 1))
        elif row == "broadcast_to":
            new = tuple(int(self.one_of((1, 2, 3))) for _ in range(int(self.random.integers(3))))
            params["shape"] = (*new, *(int(self.one_of(self.extents)) if n == 1 else n for n in shape))
        elif row == "flip":
            params["axis"] = self.axes(a)
        elif row == "tile":
            params["reps"] = tuple(int(self.one_of((1, 2, 3))) for _ in range(max(1, ndim)))
        elif row == "repeat" and ndim:
            params = {"repeats": int(self.one_of((1, 2, 3))), "axis": int(self.random.integers(-ndim, ndim))}
        elif row == "pad":
            params["pad_width"] = tuple(
                (int(self.one_of((0, 1, 2))), int(self.one_of((0, 1)))) for _ in shape
            )
        elif row in ("tril", "triu", "diag"):
            params["k"] = int(self.random.integers(-2, 3))
        elif row == "astype":
            params["dtype"] = str(
                self.one_of(("float32", "float64", "float32", "float64", "int64", "int32", "bool"))
            )
            if params["dtype"].startswith("int") and not np.isfinite(self.values[a]).all():
                return
        self.add(row, a, **params)

    def another_shape(self, shape: tuple[int, ...]) -> tuple[int, ...]:
        """A shape of as many entries."""
        count, found = math.prod(shape), []
        if not count:
            return tuple(int(n) for n in self.random.permutation(shape))
        while count > 1 and len(found) < 3:
            divisors = [d for d in range(1, count + 1) if count % d == 0]
            found.append(int(self.one_of(divisors)))
            count //= found[-1]
        found.append(count if self.chance(0.7) else -1)
        return tuple(found)

    def indexing(self) -> None:
        a = self.value(1)
        shape = np.shape(self.values[a])
        key: list[Any] = []
        extra: list[str] = []
        for n in shape:
            if self.chance(0.1):
                key.append(None)
            choice = self.random.random()
            if choice < 0.2 and n:
                key.append(int(self.random.integers(-n, n)))
            elif choice < 0.3 and n and not extra and self.chance(0.5):
                extra.append(self.positions(self.shape(most=1, at_least=1), n))
                key.append(Slot(0))
            elif choice < 0.7:
                ends: list[int | None] = [
                    None if self.chance(0.3) else int(self.random.integers(-n - 1, n + 2)) for _ in "ab"
                ]
                key.append(slice(ends[0], ends[1], self.one_of((None, 1, 2, -1, -2, 3))))
            elif self.chance(0.15) and Ellipsis not in key:
                key.append(Ellipsis)
                break
            else:
                key.append(slice(None))
        self.add("getitem", a, *extra, key=tuple(key))

    def joint(self) -> None:
        a = self.value(1)
        shape = np.shape(self.values[a])
        if self.chance(0.4):
            same = [n for n, v in self.values.items() if np.shape(v) == shape]
            parts = [a, *(self.one_of(same) for _ in range(int(self.random.integers(3))))]
            self.add("stack", *parts, axis=int(self.random.integers(-len(shape) - 1, len(shape) + 1)))
            return
        axis = int(self.random.integers(len(shape)))
        parts = [a]
        for _ in range(int(self.random.integers(1, 3))):
            like = [
                n
                for n, v in self.values.items()
                if np.ndim(v) == len(shape)
                and all(k == axis or m == s for k, (m, s) in enumerate(zip(np.shape(v), shape, strict=True)))
            ]
            parts.append(self.one_of(like))
        self.add("concatenate", *parts, axis=axis - (len(shape) if self.chance(0.3) else 0))
