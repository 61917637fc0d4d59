"""Which rows of a worksheet are drawn as one box: the calls of modules, and stretches of very long lists.

What is folded together is one stretch of the list, so that arrows between boxes never run in circles, however
often a module is called.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from functools import partial
from itertools import groupby

from wengert.worksheets.worksheet import Row

MOST_BOXES = 3_000
"""A drawing with more boxes says nothing to the eye: modules are folded until there are fewer."""
LEAVES = ("input", "parameter", "constant")

Fold = int | Sequence[str] | None
"""What to fold: None for nothing, a depth below which modules are folded (0 for all of them), or the names of
modules."""

Path = tuple[str, ...]
"""The names of modules, outermost first."""


@dataclass(frozen=True)
class Stretch:
    """Neighbouring rows: a call of the module of that path, or, where there is no path, just a part of the
    list."""

    path: Path
    rows: tuple[Row, ...]


def folded(rows: Sequence[Row], fold: Fold = None) -> list[Stretch]:
    """The stretches that stand for one box each, in order; all other rows have boxes of their own.

    A parameter or a constant that nothing but one stretch reads belongs to it. Raises ValueError where a name
    belongs to no module.
    """
    if fold is None:
        return _until_few(rows)
    if isinstance(fold, int):
        return _with_leaves(rows, _stretches(rows, partial(_to_depth, depth=fold)))
    names = [fold] if isinstance(fold, str) else list(fold)
    known = {".".join(row.module[:k]) for row in rows for k in range(1, len(row.module) + 1)}
    for name in names:
        if name not in known:
            found = ", ".join(sorted(known)) or "none"
            raise ValueError(f"fold: no module is called {name!r}; the modules are {found}")
    return _with_leaves(rows, _stretches(rows, partial(_to_names, names=names)))


def calls(rows: Iterable[Row]) -> list[Stretch]:
    """The call of every module, outer ones before inner ones."""
    listed = [row for row in rows if row.op not in LEAVES]
    deepest = max((len(row.module) for row in listed), default=0)
    found = []
    for depth in range(deepest):
        found += _stretches(listed, partial(_to_depth, depth=depth))
    return found


def _to_depth(row: Row, depth: int) -> Path | None:
    return row.module[: depth + 1] if len(row.module) > depth else None


def _to_names(row: Row, names: Sequence[str]) -> Path | None:
    paths = (row.module[:k] for k in range(1, len(row.module) + 1))
    return next((path for path in paths if ".".join(path) in names), None)


def _stretches(rows: Iterable[Row], path_of: Callable[[Row], Path | None]) -> list[Stretch]:
    operations = (row for row in rows if row.op not in LEAVES)
    return [Stretch(path, tuple(part)) for path, part in groupby(operations, path_of) if path is not None]


def _with_leaves(rows: Sequence[Row], stretches: list[Stretch]) -> list[Stretch]:
    """The stretches with the parameters and constants that only they read."""
    place = {row.id: k for k, stretch in enumerate(stretches) for row in stretch.rows}
    readers: dict[int, set[int | None]] = {}
    for row in rows:
        for a in row.args:
            readers.setdefault(a, set()).add(place.get(row.id))
    leaves: dict[int, list[Row]] = {}
    for row in rows:
        only = readers.get(row.id, {None})
        if row.op in ("parameter", "constant") and len(only) == 1 and None not in only:
            leaves.setdefault(next(k for k in only if k is not None), []).append(row)
    return [Stretch(s.path, (*leaves.get(k, ()), *s.rows)) for k, s in enumerate(stretches)]


def _until_few(rows: Sequence[Row]) -> list[Stretch]:
    """Nothing where the rows are few; else the innermost modules first, and where even that leaves too many,
    parts of the list."""
    if len(rows) <= MOST_BOXES:
        return []
    for depth in reversed(range(max((len(row.module) for row in rows), default=0))):
        found = _with_leaves(rows, _stretches(rows, partial(_to_depth, depth=depth)))
        if len(rows) - sum(len(s.rows) - 1 for s in found) <= MOST_BOXES:
            return found
    size = -(-2 * len(rows) // MOST_BOXES)
    operations = [row for row in rows if row.op not in LEAVES]
    parts = [operations[k : k + size] for k in range(0, len(operations), size)]
    return _with_leaves(rows, [Stretch((), tuple(part)) for part in parts if len(part) > 1])
