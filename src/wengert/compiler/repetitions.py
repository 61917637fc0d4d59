"""Calls like an earlier one, carried out without a search for their program."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from wengert.autodiff.levels import silenced_level
from wengert.compiler.bound import BoundProgram
from wengert.compiler.bound_buffers import plain
from wengert.compiler.guards import ERRORS
from wengert.compiler.recognition import Reader, reader
from wengert.numbers.dtypes import get_default_dtype

if TYPE_CHECKING:
    from wengert.compiler.native_execution import NativeExecutor

Array = Any
Repetition = Callable[[tuple[Any, ...], dict[str, Any]], Any]
MISSED: Any = object()
"""Instead of a result: the arguments are others, or what the program relies on has changed."""


def missed(args: tuple[Any, ...], words: dict[str, Any]) -> Any:
    """Repeats nothing."""
    return MISSED


def repetition(bound: BoundProgram, args: tuple[Any, ...], words: dict[str, Any]) -> Repetition:
    """What runs a program on arguments like those that it was compiled for."""
    if not words and bound.is_stateless and bound.may_keep and all(map(_is_native_array, args)):
        start = getattr(bound.executor, "start", None)
        if start is not None and not bound.executor.large:
            return _on_arrays(bound, args, bound.executor, start)
    readers, read_words = [reader(value) for value in args], reader(words)
    if None in readers or read_words is None or bound.puts_into_inputs:
        return missed
    return _on_anything(bound, readers, read_words, len(words))  # type: ignore[arg-type]


def _is_native_array(value: Any) -> bool:
    return type(value) is np.ndarray and value.dtype.isnative


def _on_arrays(
    bound: BoundProgram, args: tuple[Array, ...], executor: NativeExecutor, start: Callable[[], object]
) -> Repetition:
    """Only the native function stands between the checks and the copies of its results."""
    silenced, default, count = silenced_level(), get_default_dtype(), len(args)
    expected = [(place, value.shape, value.dtype) for place, value in enumerate(args)]
    guards, make, kind = bound.guards, bound.make, np.ndarray
    known, bind, copied = executor.bound, executor.bind, executor.copied

    def repeat(args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        if silenced_level() != silenced or get_default_dtype() is not default or len(args) != count or words:
            return MISSED
        for place, shape, dtype in expected:
            value = args[place]
            if type(value) is not kind or value.shape != shape or value.dtype is not dtype:
                return MISSED
            if not value.flags.carray:
                value = plain(value)
            if value is not known[place]:
                bind(place, value)
        try:
            for check, _ in guards:
                if check() is not True:
                    return MISSED
        except ERRORS:
            return MISSED
        start()
        return make(copied())

    return repeat


def _on_anything(bound: BoundProgram, readers: Sequence[Reader], read_words: Reader, many: int) -> Repetition:
    silenced, default, count = silenced_level(), get_default_dtype(), len(readers)
    miss, run_on = bound.miss, bound.run_on

    def repeat(args: tuple[Any, ...], words: dict[str, Any]) -> Any:
        if silenced_level() != silenced or get_default_dtype() is not default:
            return MISSED
        if len(args) != count or len(words) != many:
            return MISSED
        arrays: list[Array] = []
        for read, value in zip(readers, args):  # noqa: B905 (once per call)
            if not read(value, arrays):
                return MISSED
        if (words and not read_words(words, arrays)) or miss() is not None:
            return MISSED
        return run_on(arrays)

    return repeat
