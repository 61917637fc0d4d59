"""What the draws of many steps give, drawn all at once: the bits that the steps would draw one by one.

Every number costs one word of its generator's stream. Where llvmlite is installed, native code fills the
arrays; otherwise the words of all steps are a matrix with a row for each step, and a draw makes its numbers
of some columns of it.
"""

from __future__ import annotations

import ctypes
import functools
import importlib.util
import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from wengert.compiler.captured import Draw
from wengert.random import Generator

Array = np.ndarray[Any, Any]
Filling = Callable[[int, int, int], None]


def drawn(draws: Sequence[Draw], steps: int) -> list[Array]:
    """For each draw an array with a row for every step, as if each step had made all draws in order. The
    generators go on behind them.

    >>> from types import SimpleNamespace
    >>> generator, node = Generator(3), SimpleNamespace(shape=(2,), dtype=np.dtype(float))
    >>> draw = Draw(generator, "uniform", {"shape": (2,), "low": 0, "high": 1, "dtype": float}, node)
    >>> found = drawn([draw], 3)[0]
    >>> bool((found == Generator(3).uniform((3, 2))).all()), generator.counter
    (True, 6)
    """
    results: list[Any] = [None] * len(draws)
    streams: dict[int, list[int]] = {}
    for number, draw in enumerate(draws):
        streams.setdefault(id(draw.generator), []).append(number)
    for numbers in streams.values():
        mine = [draws[k] for k in numbers]
        fillings = [filling for draw in mine if (filling := _filling(draw)) is not None]
        everything = len(fillings) == len(mine)
        made = _natively(mine, fillings, steps) if everything else _of_words(mine, steps)
        for k, array in zip(numbers, made, strict=True):
            results[k] = array
    return results


def _natively(draws: Sequence[Draw], fillings: Sequence[Filling], steps: int) -> list[Array]:
    """The draws of one generator, by native code."""
    generator = draws[0].generator
    made = [np.empty((steps, *draw.node.shape), draw.node.dtype) for draw in draws]
    counts = [math.prod(draw.node.shape) for draw in draws]
    seed, counter = generator.get_state()
    generator.set_state((seed, counter + steps * sum(counts)))
    state = np.array([part for number in (seed, counter) for part in _halves(number)], np.uint64)
    place = state.ctypes.data
    targets = [
        (filling, array.ctypes.data, array.nbytes // steps, count)
        for filling, array, count in zip(fillings, made, counts, strict=True)
        if count
    ]
    for step in range(steps):
        for fill, start, size, count in targets:
            fill(start + step * size, count, place)
    return made


def _halves(number: int) -> tuple[int, int]:
    return number % 2**64, number >> 64


def _filling(draw: Draw) -> Filling | None:
    """The native function that fills an array with a draw's numbers; None where there is none."""
    settings = draw.settings
    if draw.method == "bernoulli" and type(settings["p"]) in (int, float):
        return _compiled("bernoulli", (float(settings["p"]),))
    names = {"uniform": ("low", "high"), "normal": ("mean", "std")}.get(draw.method)
    if names is None or any(type(settings[name]) not in (int, float) for name in names):
        return None
    return _compiled(draw.method, (draw.node.dtype, *(float(settings[name]) for name in names)))


@functools.cache
def _compiled(method: str, settings: tuple[Any, ...]) -> Filling | None:
    if importlib.util.find_spec("llvmlite") is None:
        return None
    from wengert.compiler.llvm import draws
    from wengert.compiler.llvm.machine import this_machine
    from wengert.compiler.llvm.modules import module_texts
    from wengert.compiler.llvm.objects import native

    machine = this_machine()
    code = getattr(draws, method)("draw", machine.lanes(8), *settings)
    module = native(module_texts([], [code], machine.vector_bits), machine)
    return module.function("draw", ctypes.c_void_p, ctypes.c_int64, ctypes.c_void_p)


def _of_words(draws: Sequence[Draw], steps: int) -> list[Array]:
    """The draws of one generator, made of words that are drawn at once."""
    counts = [math.prod(draw.node.shape) for draw in draws]
    words = draws[0].generator.bits((steps, sum(counts)))
    ends = np.cumsum(counts)
    return [
        _made(draw, words[:, end - count : end], steps)
        for draw, count, end in zip(draws, counts, ends, strict=True)
    ]


def _made(draw: Draw, words: Array, steps: int) -> Array:
    """The numbers of a draw in every step, made of its words."""
    if draw.method == "permutation":
        return np.argsort(words, axis=1, kind="stable").astype(np.int64, copy=False)
    settings = {**draw.settings, "shape": (steps, *draw.node.shape)}
    made: Array = getattr(_Words(np.ascontiguousarray(words)), draw.method)(**settings)
    return np.ascontiguousarray(made, draw.node.dtype)


class _Words(Generator):
    """A generator whose next words are given."""

    def __init__(self, words: Array) -> None:
        self._words = words

    def bits(self, shape: Any = ()) -> Any:
        """All of them."""
        return self._words.reshape(shape)
