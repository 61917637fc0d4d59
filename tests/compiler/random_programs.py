"""Random programs over the whole rule table. A program is made by evaluating it: a step that NumPy refuses is
thrown away, and so are most steps whose values grow out of bounds."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
from program_outcomes import outcome
from step_programs import WAYS, RandomProgram, Step, dtype_kind, float_places, without_unused

from wengert.ops import rows
from wengert.ops.indexing import Slot
from wengert.ops.kinds import Discrete, Elementwise, Select
from wengert.ops.op import Op, lookup

EXTENTS = (0, 1, 1, 2, 2, 3, 3, 3, 5, 7, 7, 16, 17, 33, 65)
LARGE_EXTENTS = (1, 2, 3, 7, 16, 33, 65, 129, 300, 1000, 9001)
LARGEST = 6_000
"""No array of a program has more entries; of a large one, fifty times as many."""
NUMBERS = (0, 1, 2, 3, -1, 0.5, -1.5, 0.25, 2.0, 1e-3)

_PARAMETERLESS = [
    op
    for op in rows()
    if op.arity is not None and not op.parameters and isinstance(op, (Elementwise, Select, Discrete))
]
UNARY = [op.name for op in _PARAMETERLESS if op.arity == 1 and op.public]
BINARY = [op.name for op in _PARAMETERLESS if op.arity == 2 and op.public]
SAMPLES = [(op, case) for op in rows() for case in op.sample]
REDUCTIONS = ("sum", "sum", "mean", "max", "min", "prod", "var", "std", "logsumexp", "norm", "any", "all")
ARRANGEMENTS = (
    *("reshape", "reshape", "permute", "permute", "transpose", "squeeze", "expand_dims", "broadcast_to"),
    *("broadcast_to", "flip", "tile", "repeat", "pad", "tril", "triu", "diag", "astype"),
)
LOSSES = (
    *("mse_loss", "l1_loss", "huber_loss", "binary_cross_entropy", "binary_cross_entropy_with_logits"),
    *("cross_entropy", "cross_entropy", "softmax_residual", "pairwise_distances"),
)
FREE_SIGNS = {"eigh": (0,), "svd": (1,), "qr": (), "eigensystem": ()}
"""The components of a factorisation whose entries are unique; of other rows, all are."""
_POSITIVE = ("log", "log2", "log1p", "sqrt", "rsqrt", "power", "xlogy", "divide", "ratio", "reciprocal")
_SMALL = ("asin", "acos", "exp", "expm1", "sinh", "cosh", "tan")


class Maker:
    """Makes one program. Every draw comes from ``generator``, so a seed names a program."""

    def __init__(self, generator: np.random.Generator, size: int, large: bool = False) -> None:
        self.random = generator
        self.extents = LARGE_EXTENTS if large else EXTENTS
        self.largest = 50 * LARGEST if large else LARGEST
        self.inputs: dict[str, Any] = {}
        self.steps: list[Step] = []
        self.values: dict[str, Any] = {}
        self.dtype = "float32" if generator.random() < 0.6 else "float64"
        self.special = generator.random() < 0.08
        self.size = size

    # -- drawing
    # ----------------------------------------------------------------------------------------------------

    def one_of(self, choices: Sequence[Any]) -> Any:
        """One of them."""
        return choices[int(self.random.integers(len(choices)))]

    def chance(self, probability: float) -> bool:
        """True so often."""
        return bool(self.random.random() < probability)

    def shape(self, most: int = 4, at_least: int = 0) -> tuple[int, ...]:
        """A shape of not too many entries."""
        ndim = max(at_least, int(self.one_of((0, 1, 1, 2, 2, 2, 2, 3, 3, 4))))
        found: tuple[int, ...] = tuple(int(self.one_of(self.extents)) for _ in range(min(ndim, most)))
        while math.prod(found) > self.largest // 4:
            found = tuple(min(n, int(self.one_of(self.extents[1:]))) for n in found)
        return found

    def input(self, shape: tuple[int, ...], dtype: str | None = None) -> str:
        """A new input."""
        dtype = dtype or (self.dtype if self.chance(0.95) else str(self.one_of(("float32", "float64"))))
        name = f"x{len(self.inputs)}"
        if dtype == "bool":
            array: Any = self.random.random(shape) < 0.5
        elif dtype.startswith("int"):
            array = self.random.integers(-4, 5, shape).astype(dtype)
        else:
            array = np.asarray(self.random.standard_normal(shape)).astype(dtype)
            if self.chance(0.15):
                array = np.round(array)  # ties, and zeros of both signs
            if self.special and array.size:
                odd = self.random.random(shape) < 0.1
                array = np.where(odd, self.random.choice([np.nan, np.inf, -np.inf, -0.0], shape), array)
        array = np.asarray(array, dtype)
        self.inputs[name] = self.values[name] = array
        return name

    def positions(self, shape: tuple[int, ...], extent: int) -> str:
        """A new input of positions along an axis."""
        name = f"x{len(self.inputs)}"
        dtype = self.one_of(("int64", "int64", "int32"))
        array = np.asarray(self.random.integers(-extent if self.chance(0.3) else 0, extent, shape), dtype)
        self.inputs[name] = self.values[name] = array
        return name

    def value(self, ndim: int = 0, kind: str = "") -> str:
        """A value there is, rather a late one; or a new input, with so many axes at least."""
        names = [
            n for n, v in self.values.items() if np.ndim(v) >= ndim and (not kind or dtype_kind(v) in kind)
        ]
        if not names or self.chance(0.12):
            dtype = None
            if not kind and self.chance(0.12):
                dtype = self.one_of(("int64", "int32", "bool", "float32", "float64"))
            return self.input(self.shape(at_least=ndim), dtype)
        late = names[-3:] if self.chance(0.7) else names
        return str(self.one_of(late))

    def axes(self, name: str) -> Any:
        """Some axes of a value, as reductions take them."""
        ndim = np.ndim(self.values[name])
        if not ndim or self.chance(0.25):
            return None
        if self.chance(0.5):
            return int(self.random.integers(-ndim, ndim))
        count = int(self.random.integers(1, ndim + 1))
        chosen = self.random.permutation(ndim)[:count]
        return tuple(int(k) - (ndim if self.chance(0.3) else 0) for k in chosen)

    # -- steps
    # ----------------------------------------------------------------------------------------------------

    def add(self, row: str, *args: Any, **params: Any) -> str | None:
        """Append a step if NumPy can do it and its values are tame; its name."""
        op = lookup(row)
        step = Step(f"v{len(self.steps)}", row, args, {**op.parameters, **params})
        try:
            with warnings.catch_warnings(), np.errstate(all="ignore"):
                warnings.simplefilter("ignore")
                value = step.applied(self.values)
        except (ValueError, TypeError, IndexError, ZeroDivisionError, ArithmeticError, OverflowError):
            return None
        if isinstance(value, tuple):
            choices = FREE_SIGNS.get(row, range(len(value)))
            if not choices:
                return None
            step = dataclasses.replace(step, component=int(self.one_of(choices)))
            value = value[step.component]
        if not self._is_tame(value):
            return None
        self.steps.append(step)
        self.values[step.name] = value
        return step.name

    def _is_tame(self, value: Any) -> bool:
        array = np.asarray(value)
        if (
            array.dtype.name not in ("float32", "float64", "int64", "int32", "bool")
            or array.size > self.largest
        ):
            return False
        if array.dtype.kind == "b" or not array.size:
            return True
        finite = array[np.isfinite(array)] if array.dtype.kind == "f" else array
        if not self.special and finite.size < array.size and self.chance(0.8):
            return False
        return not finite.size or bool(np.abs(finite.astype(float)).max() < 300) or self.chance(0.03)

    def grow(self) -> None:
        """One more step, or none where the draw does not fit."""
        kinds: list[tuple[Callable[[], object], int]] = [
            (self.unary, 16),
            (self.binary, 22),
            (self.ternary, 6),
            (self.reduction, 14),
            (self.arrangement, 20),
            (self.indexing, 8),
            (self.joint, 5),
            (self.product, 9),
            (self.activation, 6),
            (self.along_axis, 6),
            (self.loss, 4),
            (self.image, 2),
            (self.factorisation, 2),
            (self.sample, 8),
        ]
        chances = np.array([c for _, c in kinds], float)
        kinds[int(self.random.choice(len(kinds), p=chances / chances.sum()))][0]()

    def safe(self, row: str, name: str) -> str:
        """A value in the domain of a row, most of the time."""
        if self.chance(0.1) or dtype_kind(self.values[name]) != "f":
            return name
        if row in _POSITIVE:
            positive = self.add(self.one_of(("abs", "square", "softplus")), name)
            moved = positive and self.add("add", positive, float(self.one_of((0.25, 0.5, 1.0))))
            return moved or name
        if row in _SMALL:
            return self.add(self.one_of(("tanh", "sin", "atan")), name) or name
        return name

    def unary(self) -> None:
        row = self.one_of(UNARY)
        self.add(row, self.safe(row, self.value()))

    def partner(self, name: str) -> Any:
        """Something that broadcasts with a value."""
        shape = np.shape(self.values[name])
        if self.chance(0.2):
            return self.one_of(NUMBERS) if self.chance(0.8) else self.number()
        if self.chance(0.6):
            fitting = [n for n, v in self.values.items() if self._broadcasts(shape, np.shape(v))]
            if fitting:
                return self.one_of(fitting)
        start = int(self.random.integers(len(shape) + 1))
        return self.input(tuple(1 if self.chance(0.3) else n for n in shape[start:]))

    def number(self) -> str:
        """A new input that is a Python number."""
        name = f"x{len(self.inputs)}"
        self.inputs[name] = self.values[name] = round(float(self.random.standard_normal()), 3)
        return name

    def binary(self) -> None:
        row = self.one_of(BINARY) if self.chance(0.5) else self.one_of(("add", "subtract", "multiply"))
        a = self.value()
        b = self.partner(a)
        if type(b) is str and row in _POSITIVE:
            b = self.safe(row, b)
        if row == "power":
            a, b = self.safe(row, a), self.one_of((2, 3, 0.5, -1, b, 1, 0, 2.0))
        if self.chance(0.3) and row != "power":
            a, b = b, a
        self.add(row, a, b)

    def _broadcasts(self, a: tuple[int, ...], b: tuple[int, ...]) -> bool:
        try:
            return math.prod(np.broadcast_shapes(a, b)) <= self.largest
        except ValueError:
            return False

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

    def product(self) -> None:
        a = self.value(1, "f")
        shape = np.shape(self.values[a])
        row = self.one_of(
            ("matmul", "matmul", "matmul", "outer", "inner", "linear", "einsum", "tensordot", "kron")
        )
        columns = int(self.one_of(self.extents))
        dtype = str(self.values[a].dtype)
        if row == "matmul":
            choice = self.random.random()
            if choice < 0.2:
                b = self.input((shape[-1],), dtype)
            elif choice < 0.4 and len(shape) > 2:
                b = self.input(
                    (*(1 if self.chance(0.3) else n for n in shape[:-2]), shape[-1], columns), dtype
                )
            elif choice < 0.5 and len(shape) > 1:
                b = self.add("transpose", a) or a
            else:
                b = self.input((shape[-1], columns), dtype)
            other = [n for n, v in self.values.items() if np.ndim(v) > 1 and np.shape(v)[-2] == shape[-1]]
            if other and self.chance(0.4):
                b = self.one_of(other)
            if self.chance(0.2) and len(shape) == 2:
                left = self.input((columns, shape[0]), dtype)
                self.add(row, left, a)
            else:
                self.add(row, a, b)
        elif row == "linear":
            weight, bias = self.input((columns, shape[-1]), dtype), self.input((columns,), dtype)
            self.add(row, a, weight, bias)
        elif row == "einsum":
            subscripts, wanted = self.one_of(
                (
                    ("...i,ij->...j", (shape[-1], columns)),
                    ("...i,i->...", (shape[-1],)),
                    ("...i,ji", (columns, shape[-1])),
                )
            )
            self.add(row, a, self.input(wanted, dtype), subscripts=subscripts)
        elif row == "tensordot":
            self.add(row, a, self.input((shape[-1], columns), dtype), axes=1)
        elif row == "inner":
            self.add(row, a, self.input((columns, shape[-1]) if self.chance(0.5) else (shape[-1],), dtype))
        else:
            self.add(row, a, self.input((int(self.one_of((1, 2, 3))),), dtype))

    def loss(self) -> None:
        a = self.value(1, "f")
        shape = np.shape(self.values[a])
        reduction = self.one_of(("mean", "sum", "none"))
        row = self.one_of(LOSSES)
        if row in ("cross_entropy", "softmax_residual"):
            axis = int(self.random.integers(len(shape))) if self.chance(0.4) else len(shape) - 1
            if not shape[axis]:
                return
            labels = self.positions(tuple(n for k, n in enumerate(shape) if k != axis), shape[axis])
            self.values[labels] = self.inputs[labels] = np.abs(self.inputs[labels]) % shape[axis]
            params = {"reduction": reduction} if row == "cross_entropy" else {}
            self.add(row, a, labels, axis=axis, **params)
        elif row == "pairwise_distances":
            if len(shape) == 2:
                self.add(row, a, self.input((int(self.one_of((1, 3, 7))), shape[1])), ord=self.one_of((1, 2)))
        else:
            if row == "binary_cross_entropy":
                a = self.add("sigmoid", a) or a
            target = self.input(shape)
            if row.startswith("binary"):
                target = self.add("sigmoid", target) or target
            self.add(row, a, target, reduction=reduction)

    def image(self) -> None:
        channels, height, width = (int(self.one_of(c)) for c in ((1, 2, 3), (4, 5, 7), (4, 6, 9)))
        x = self.input((int(self.one_of((1, 2))), channels, height, width))
        if self.chance(0.6):
            kernel = self.input(
                (
                    int(self.one_of((1, 2, 5))),
                    channels,
                    int(self.one_of((1, 2, 3))),
                    int(self.one_of((1, 2, 3))),
                )
            )
            y = self.add("conv2d", x, kernel, stride=self.one_of((1, 2, (1, 2))), padding=self.one_of((0, 1)))
        else:
            row = self.one_of(("max_pool2d", "avg_pool2d"))
            y = self.add(
                row,
                x,
                kernel_size=self.one_of((2, 3)),
                stride=self.one_of((1, 2)),
                padding=self.one_of((0, 1)),
            )
        if y:
            self.add(self.one_of(("relu", "tanh", "negative")), y)

    def factorisation(self) -> None:
        n = int(self.one_of((1, 2, 3, 5)))
        a = self.input((n, n))
        across = self.add("transpose", a)
        gram = across and self.add("matmul", a, across)
        if not gram:
            return
        name = f"x{len(self.inputs)}"
        self.inputs[name] = self.values[name] = 3 * np.eye(n, dtype=self.values[gram].dtype)
        regular = self.add("add", gram, name)
        if regular:
            self.add(
                self.one_of(("inv", "det", "slogdet", "cholesky", "svd", "eigh", "solve", "trace")),
                *([regular] if self.chance(0.8) else [regular, self.input((n, 2))]),
            )

    def sample(self) -> None:
        """A sample call of any row of the table, with its own arguments as inputs."""
        op, case = self.one_of(SAMPLES)
        given = list(case.args)
        if op.arity is None and len(given) == 1:
            words: list[Any] = [[np.asarray(a) for a in given[0]]]
        else:
            arrays = len(given) if op.arity is None else op.arity
            words = [*(a if type(a) is str else np.asarray(a) for a in given[:arrays]), *given[arrays:]]
        args, params = op.bind(tuple(words), dict(case.params))
        names: list[Any] = []
        for a in args:
            array = np.asarray(a)
            name = f"x{len(self.inputs)}"
            self.inputs[name] = array.astype(self.dtype) if array.dtype.kind == "f" else array
            self.values[name] = self.inputs[name]
            names.append(name)
        self._sampled(op, names, dict(params))

    def _sampled(self, op: Op, names: list[Any], params: dict[str, Any]) -> None:
        made = self.add(op.name, *names, **params)
        if made and self.chance(0.5):
            self.add(self.one_of(("negative", "tanh", "square")), made)

    # -- the whole
    # ----------------------------------------------------------------------------------------------------

    def program(self) -> RandomProgram:
        """A program of about so many steps."""
        self.input(self.shape())
        tries = 0
        while len(self.steps) < self.size and tries < 6 * self.size:
            self.grow()
            tries += 1
        used = {a for step in self.steps for a in step.args if type(a) is str}
        ends = [step.name for step in self.steps if step.name not in used]
        if not ends or self.chance(0.2):
            ends.append(self.one_of(list(self.values)))
        if self.chance(0.1):
            ends.append(ends[0])
        found = RandomProgram(self.inputs, tuple(self.steps), tuple(ends))
        found = without_unused(found)
        return dataclasses.replace(found, way=self._way(found))

    def _way(self, program: RandomProgram) -> str:
        way = str(self.one_of(("value", "value", "value", "gradient", "gradient", "gradient", *WAYS)))
        if way != "value" and not float_places(program):
            return "value"
        probe = dataclasses.replace(program, way=way)
        try:
            outcome(probe, lambda f: f)
        except Exception:  # whatever eager evaluation refuses has nothing to be compared with
            return "value"
        return way


def random_program(seed: int, size: int = 6, large: bool = False) -> RandomProgram:
    """The program of a seed."""
    generator = np.random.default_rng(seed)
    return Maker(generator, int(generator.integers(1, 2 * size)), large).program()
