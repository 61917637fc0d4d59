"""The dtypes of lines: which one arguments have in common, which one a result has, and casting."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.compiler.lines import DType, Line
from wengert.numbers.dtypes import get_default_dtype, result_type
from wengert.ops.op import Op, later


def common_dtype(args: tuple[Line, ...], among_numbers: bool = False) -> DType:
    """The dtype that the arguments have in common; weak numbers count as Python's. ``among_numbers`` alone
    they stay as they are."""
    if among_numbers:
        return np.result_type(*(a.dtype for a in args))
    kinds = tuple(PYTHON_TYPES[a.dtype.kind] if a.weak else a.dtype for a in args)
    return _common(kinds, get_default_dtype())


@functools.cache
def _common(kinds: tuple[Any, ...], default: DType) -> DType:
    # The default dtype has a say beside Python's numbers.
    return result_type([kind() if isinstance(kind, type) else np.empty(0, kind) for kind in kinds])


PYTHON_TYPES: Mapping[str, Any] = {"b": bool, "i": int, "u": int, "f": float, "c": complex}
"""Python's type for the numbers of each kind of dtype."""


def result_dtype(
    op: Op, dtypes: tuple[DType, ...], weak: bool = False, settings: tuple[tuple[str, Any], ...] = ()
) -> DType:
    """The dtype of a row's result, found by trying it."""
    found = _tried(op, dtypes, settings, get_default_dtype())
    return np.dtype(np.float64) if weak and found.kind == "f" else found


@functools.cache
def _tried(op: Op, dtypes: tuple[DType, ...], settings: tuple[tuple[str, Any], ...], default: DType) -> DType:
    # The default dtype has a say in what a row of whole numbers gives, so results are kept apart by it.
    result = op.apply(tuple(np.ones(1, d) for d in dtypes), dict(settings))
    return np.asarray(result).dtype


def cast(line: Line, dtype: DType, weak: bool = False) -> Line:
    """The line in another dtype; a written number is written anew. Among Python numbers it stays weak."""
    if line.dtype == dtype:
        return line
    if line.is_number and dtype.kind != "b":
        return line.lines.number(np.asarray(line.number).astype(dtype)[()], dtype, weak)
    return line.lines.line(later.astype, (line,), {"dtype": dtype.name}, line.shape, dtype, weak)


def harmonised(args: tuple[Line, ...]) -> tuple[Line, ...]:
    """The arguments of an elementwise row in the dtype that they have in common, which none of them gives up
    again; numbers alone stay as they are."""
    if all(a.weak for a in args):
        return args
    common = common_dtype(args)
    return tuple(_strong(cast(a, common)) for a in args)


def _strong(line: Line) -> Line:
    """The line, no longer a Python number."""
    if not line.weak:
        return line
    if line.is_number:
        return line.lines.number(line.number, line.dtype)
    return line.lines.line(later.astype, (line,), {"dtype": line.dtype.name}, line.shape, line.dtype)
