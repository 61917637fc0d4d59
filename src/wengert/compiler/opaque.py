"""Rows that no kernel knows: NumPy will carry them out as they are."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from wengert.compiler.casts import PYTHON_TYPES
from wengert.compiler.lines import Line, Lines
from wengert.ops.op import Op, later


def opaque(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Any:
    """The row as it is. Its shape and dtype are found by trying it."""
    plain = tuple(PYTHON_TYPES[a.dtype.kind](1) if a.weak else _tame(a, a is args[0]) for a in args)
    tried = op.apply(plain, params)
    if isinstance(tried, tuple):
        parts = tuple((np.shape(t), np.asarray(t).dtype) for t in tried)
        whole = lines.line(op, args, {**params, "parts": parts}, (), np.dtype(object))
        return tuple(
            lines.line(later.component, (whole,), {"index": k}, *part) for k, part in enumerate(parts)
        )
    return lines.line(op, args, dict(params), np.shape(tried), np.asarray(tried).dtype)


def _tame(line: Line, first: bool) -> Any:
    """Entries on which every row works: no singular matrix, no index out of range."""
    entries = np.full(line.shape, first or line.dtype.kind not in "iu", line.dtype)
    if first and line.ndim > 1 and line.dtype.kind != "b" and line.shape[-1] == line.shape[-2]:
        entries += np.eye(line.shape[-1], dtype=line.dtype)
    return entries


def component(lines: Lines, op: Op, args: tuple[Line, ...], params: Mapping[str, Any]) -> Line:
    """One of the results of a row that has several."""
    shape, dtype = args[0].params["parts"][params["index"]]
    return lines.line(op, args, dict(params), shape, dtype)
