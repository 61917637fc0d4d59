"""Whether two evaluations of a program agree, as far as rounding lets them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from program_outcomes import outcome
from step_programs import Array, RandomProgram, dtype_kind


def difference(program: RandomProgram, got: Sequence[Array], want: Sequence[Array]) -> str | None:
    """What is wrong with the results of a program; None where they are as good as eager evaluation's.

    Equal but for a few units of rounding passes at once. What differs more is judged by runs in double
    precision with rounding errors of the program's precision put in at every step: the results may differ by
    a small multiple of what these errors make of them.
    """
    if len(got) != len(want):
        return f"{len(got)} results instead of {len(want)}"
    spread: list[Array] | None = None
    for k, (g, w) in enumerate(zip(got, want, strict=True)):
        if g.shape != w.shape or g.dtype != w.dtype:
            return f"result {k} is {g.dtype}{list(g.shape)} instead of {w.dtype}{list(w.shape)}"
        if _is_close(g, w, 0.0):
            continue
        if spread is None:
            spread = _spread(program, want)
        if not _is_close(g, w, spread[k]):
            return f"result {k}: {_first_difference(g, w, spread[k])}"
    return None


def _epsilon(dtype: Any) -> float:
    return float(np.finfo(dtype).eps) if np.dtype(dtype).kind == "f" else 0.0


def _is_close(got: Array, want: Array, allowed: Any) -> bool:
    return not _is_off(got, want, allowed).any()


def _scale(a: Array) -> float:
    """The size of the largest finite entry."""
    finite = np.abs(a[np.isfinite(a)])
    return float(finite.max()) if finite.size else 0.0


def _is_off(got: Array, want: Array, allowed: Any) -> Array:
    g, w = got.astype("float64"), want.astype("float64")
    with np.errstate(all="ignore"):
        tolerance = 40 * _epsilon(want.dtype) * np.maximum(_scale(w), 1e-30) + allowed
        same = (g == w) | (np.isnan(g) & np.isnan(w)) | (np.abs(g - w) <= tolerance) | np.isinf(allowed)
    return np.asarray(~same)


def _first_difference(got: Array, want: Array, allowed: Any) -> str:
    off = np.argwhere(_is_off(got, want, allowed))
    at = tuple(int(k) for k in off[0])
    return (
        f"entry {at} is {got[at]!r} instead of {want[at]!r}, and {len(off)} of {got.size} are off; "
        f"rounding explains {np.broadcast_to(allowed, want.shape)[at]!r}"
    )


def _spread(program: RandomProgram, want: Sequence[Array], runs: int = 8) -> list[Array]:
    """How far rounding errors move each entry; infinite where they decide about infinities."""
    arrays = [*(a for a in program.inputs.values() if hasattr(a, "dtype")), *want]
    narrow = any(a.dtype == np.float32 for a in arrays) or any(
        "float32" in map(str, s.params.values()) for s in program.steps
    )
    epsilon = _epsilon("float32" if narrow else "float64")
    exact = outcome(program, lambda f: f, wide=True)
    generator = np.random.default_rng(0)

    def noise(value: Any) -> Any:
        if dtype_kind(value) != "f":
            return value
        return value * (1 + 4 * epsilon * generator.uniform(-1, 1, np.shape(value)))

    spreads = [_distance(e.astype("float64"), w.astype("float64")) for e, w in zip(exact, want, strict=True)]
    for _ in range(runs):
        for k, (moved, e) in enumerate(
            zip(outcome(program, lambda f: f, wide=True, noise=noise), exact, strict=True)
        ):
            spreads[k] = np.maximum(spreads[k], _distance(moved.astype("float64"), e.astype("float64")))
    longest = max((a.size for a in arrays), default=1)
    # Entries of one result are alike: a kink that one run did not cross is crossed by another. What cancels
    # exactly in one order of operations leaves a rest in another.
    # A long sum of entries alike rounds in one direction, and up to a sixteenth of them is added in a row.
    sums = [epsilon * longest / 16 * _scale(w) for w in want]
    # Second derivatives are differences of large terms, of which the noise sees only what comes out.
    often = 240 if program.way == "curvature" else 60
    return [
        # Where rounding decides whether an entry is a number at all, it may decide so elsewhere too.
        np.full(s.shape, np.inf)
        if np.isinf(s).any()
        else often / 8 * epsilon + m + often * np.maximum(s, 0.1 * s.max(initial=0.0))
        for s, m in zip(spreads, sums, strict=True)
    ]


def _distance(a: Array, b: Array) -> Array:
    with np.errstate(all="ignore"):
        apart = np.abs(a - b)
        same = (a == b) | (np.isnan(a) & np.isnan(b))
        return np.where(same, 0.0, np.where(np.isnan(apart), np.inf, apart))
