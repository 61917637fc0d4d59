"""Random settings of the rows whose kernels stand alone: windows, positions, axes and arrangements.

As a script it runs many of them natively, with guarded memory at all widths, and prints what differs.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any
from unittest import mock

import numpy as np
from guarded_memory import everything_guarded

import wengert
from wengert.autodiff.trees import leaves
from wengert.compiler import native
from wengert.compiler.llvm.machine import WIDTHS, this_machine
from wengert.ops import indexing, pooling, windows

Array = Any


@dataclass
class Case:
    """A function of some arrays, and what it does in words."""

    function: Callable[..., Any]
    arrays: list[Array]
    words: str

    def outcome(self, *tensors: Any) -> Any:
        """The values, twice where they are floats, and then the gradients by all arrays of floats."""
        values = self.function(*tensors)
        floats = tuple(k for k, a in enumerate(self.arrays) if a.dtype.kind == "f")
        if type(values) is tuple or np.asarray(self.function(*self.arrays)).dtype.kind != "f":
            return values

        def square(*given: Any) -> Any:
            return (self.function(*given) ** 2).sum() * 0.5

        return values, values, wengert.grad(square, argnums=floats)(*tensors)


def calls(step: Any) -> list[str]:
    """What a compiled step leaves to NumPy."""
    return [what for what, _ in step.latest.executable.executor.blueprint.notes.calls]


def differences(case: Case, vector_bits: int, at_end: bool) -> list[str]:
    """Where native code differs from eager evaluation, and what it leaves to NumPy."""
    tensors = [wengert.tensor(a) for a in case.arrays]
    step = wengert.compile(case.outcome, backend="native")
    machine = this_machine().limited(vector_bits)
    with mock.patch.object(native, "this_machine", lambda: machine), everything_guarded(at_end):
        found = leaves(step(*tensors))
    problems = [f"left to NumPy: {what}" for what in calls(step)]
    for k, (got, want) in enumerate(zip(found, leaves(case.outcome(*tensors)), strict=True)):
        a, b = np.asarray(got.data), np.asarray(want.data)
        size = np.abs(b[np.isfinite(b)]).max(initial=1)
        tolerance = {"float32": 2e-4, "float64": 1e-10}.get(b.dtype.name, 0.0)
        if a.dtype != b.dtype or a.shape != b.shape:
            problems.append(f"result {k}: {a.dtype}{a.shape} for {b.dtype}{b.shape}")
        elif not np.allclose(a, b, tolerance, tolerance * size, equal_nan=b.dtype.kind == "f"):
            problems.append(f"result {k}: off by {np.abs(a - b).max()}, {a[a != b][:3]} for {b[a != b][:3]}")
    return problems


def random_case(seed: int) -> Case | None:
    """The case of a seed; None where its settings fit no array."""
    maker = _Maker(np.random.default_rng(seed))
    kind = maker.one_of(("convolution", "pooling", "rows", "along", "extremes", "arrangement"))
    try:
        case: Case = getattr(maker, kind)()
        case.function(*map(wengert.tensor, case.arrays))
    except ValueError:
        return None
    return case


class _Maker:
    def __init__(self, random: np.random.Generator) -> None:
        self.random = random
        self.dtype = str(random.choice(["float32", "float64"]))

    def one_of(self, choices: Sequence[Any]) -> Any:
        return choices[int(self.random.integers(len(choices)))]

    def number(self, first: int, end: int) -> int:
        return int(self.random.integers(first, end))

    def shape(self, least: int, end: int) -> tuple[int, ...]:
        return tuple(self.number(1, 7) for _ in range(self.number(least, end)))

    def floats(self, *shape: int) -> Array:
        return self.random.standard_normal(shape).astype(self.dtype)

    def setting(self, first: int, end: int) -> Any:
        return self.one_of((self.number(first, end), (self.number(first, end), self.number(first, end))))

    def padding(self, least: int) -> Any:
        sides = tuple((self.number(least, 3), self.number(least, 3)) for _ in range(2))
        return self.one_of((self.number(0, 3), sides))

    def view(self) -> Callable[[Any], Any]:
        return self.one_of(
            (
                lambda x: x,
                lambda x: x * 2,
                lambda x: wengert.flip(x, axis=-1),
                lambda x: wengert.transpose(x, -1, -2),
            )
        )

    def convolution(self) -> Case:
        groups, inner, outer = self.number(1, 4), self.number(1, 4), self.number(1, 5)
        kernel = (self.number(1, 4), self.number(1, 5))
        extents = (self.number(1, 14), self.number(1, 40))
        front = self.shape(0, 2)
        settings = {
            "stride": self.setting(1, 4),
            "padding": self.padding(-1),
            "dilation": self.setting(1, 3),
        }
        weight = self.floats(groups * outer, inner, *kernel)
        strange = self.one_of((0.0, 0.0, np.nan, np.inf))
        if strange:
            weight.reshape(-1)[self.number(0, weight.size)] = strange
        if self.one_of((True, False)):
            x, view = self.floats(*front, groups * inner, *extents), self.view()
            if strange and self.one_of((True, False)):
                x.reshape(-1)[self.number(0, x.size)] = strange
            return Case(
                lambda x, weight: windows.conv2d(view(x), weight, groups=groups, **settings),
                [x, weight],
                f"conv2d {x.shape} {weight.shape} {settings}",
            )
        counts = windows.window_counts(extents, kernel, **settings)
        a = self.floats(*front, groups * outer, *counts)
        return Case(
            lambda a, weight: windows.conv_transpose2d(a, weight, shape=extents, groups=groups, **settings),
            [a, weight],
            f"conv_transpose2d {a.shape} {weight.shape} {settings}",
        )

    def pooling(self) -> Case:
        x = np.round(self.floats(*self.shape(0, 3), self.number(1, 14), self.number(1, 40)) * 4)
        view, row = self.view(), self.one_of(("max_pool2d", "pool_at_maxima", "avg_pool2d", "windows"))
        settings: dict[str, Any] = {"kernel_size": self.setting(1, 4), "stride": self.setting(1, 4)}
        settings["padding"] = self.padding(-1 if row == "windows" else 0)
        if row != "avg_pool2d":
            settings["dilation"] = self.setting(1, 3)
        else:
            settings["count_include_pad"] = self.one_of((True, False))
        if row != "windows":
            settings["ceil_mode"] = self.one_of((True, False))
        op = getattr(windows if row == "windows" else pooling, row)
        words = f"{row} {x.shape} {settings}"
        if row == "pool_at_maxima":
            return Case(lambda x: op(view(x) * 3 + 1, view(x), **settings), [x], words)
        return Case(lambda x: op(view(x), **settings), [x], words)

    def rows(self) -> Case:
        shape = self.shape(1, 5)
        dtype = self.one_of(("float32", "float64", "int64", "int32", "bool"))
        x = (self.floats(*shape) * 5).astype(dtype)
        first = self.number(0, len(shape))
        count = self.number(1, len(shape) - first + 1)
        together = self.shape(0, 3)
        numbers = []
        for k in range(count):
            own = tuple(1 if self.random.random() < 0.2 else n for n in together)
            own = own[self.number(0, len(own) + 1) if k else 0 :]
            extent = shape[first + k]
            positions = self.random.integers(-extent, extent, own)
            numbers.append(np.asarray(positions, self.one_of(("int64", "int32"))))
        key = (slice(None),) * first
        return Case(
            lambda x, *numbers: indexing.getitem(x, (*key, *numbers)),
            [x, *numbers],
            f"getitem {dtype}{shape} at {first} by {[n.shape for n in numbers]}",
        )

    def along(self) -> Case:
        shape = list(self.shape(1, 4))
        axis = self.number(0, len(shape))
        shape[axis] = extent = self.one_of((1, 3, 7, 300))
        x = self.floats(*shape)
        if self.one_of((True, False)):
            return Case(lambda x: wengert.cumsum(x, axis=axis), [x], f"cumsum {shape} {axis}")
        wanted = (*shape[:axis], self.number(1, 5), *shape[axis + 1 :])
        positions = self.random.integers(-extent, extent, wanted)
        return Case(
            lambda x, positions: wengert.take_along_axis(x, positions, axis=axis),
            [x, positions],
            f"take_along_axis {shape} {axis} {positions.shape}",
        )

    def extremes(self) -> Case:
        shape = self.shape(1, 4)
        dtype = self.one_of(("float32", "float64", "int64", "int32", "bool"))
        x = np.round(self.floats(*shape) * 2).astype(dtype)
        if x.dtype.kind == "f" and self.one_of((True, False)):
            x.reshape(-1)[self.number(0, x.size)] = np.nan
        axis = self.one_of((None, self.number(0, len(shape))))

        def extremes(x: Any) -> Any:
            turned = wengert.flip(x, axis=0)
            return wengert.argmax(x, axis=axis), wengert.argmin(turned, axis=axis, keepdims=True)

        return Case(extremes, [x], f"argmax and argmin {dtype}{shape} {axis}")

    def arrangement(self) -> Case:
        x = self.floats(self.number(1, 20), self.number(1, 20))
        row = self.one_of(("pad", "roll", "tile", "repeat", "tril", "triu", "diag", "diagonal"))
        k = self.number(-4, 5)
        settings: dict[str, Any] = {
            "pad": {"pad_width": tuple((self.number(0, 4), self.number(0, 4)) for _ in range(2))},
            "roll": self.one_of(({"shift": k}, {"shift": (k, 3), "axis": (0, 1)})),
            "tile": {"reps": self.one_of((2, (3, 1), (2, 1, 3)))},
            "repeat": {"repeats": 3, "axis": self.one_of((None, 0, 1))},
        }.get(row, {"k": k})
        if row == "diag":
            x = x[0]
        elif row == "diagonal":
            row, settings = "diag", {"k": self.number(1 - x.shape[0], x.shape[1])}
        op = getattr(wengert, row)
        return Case(lambda x: op(x, **settings), [x], f"{row} {x.shape} {settings}")


def main(first: int, last: int) -> None:
    """Run the cases of these seeds."""
    run = 0
    for seed in range(first, last):
        case = random_case(seed)
        if case is None:
            continue
        run += 1
        print(f"# {seed}: {case.words}", file=sys.stderr, flush=True)
        for problem in differences(case, WIDTHS[seed % len(WIDTHS)], at_end=bool(seed // 3 % 2)):
            print(f"{seed}: {case.words}: {problem}", flush=True)
    print(f"{run} cases")


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
