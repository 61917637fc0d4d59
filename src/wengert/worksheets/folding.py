"""What folds in a graph: the calls of modules, one inside the other, and parts of very long lists.

A group is a run of consecutive rows, so that folding never makes a circle, however often a module is called.
A parameter or a constant belongs to the innermost group that holds all its readers. Drawings and pages fold
the same groups.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby

from wengert.worksheets.columns import LEAVES
from wengert.worksheets.values import printable
from wengert.worksheets.worksheet import Row

MOST_BOXES = 3_000
"""A drawing with more boxes says nothing to the eye: modules are folded until there are fewer."""

Fold = int | Sequence[str] | None
"""What to fold: None for nothing, a depth below which modules are folded (0 for all of them), or the names of
modules."""


@dataclass
class Group:
    """A title and what it holds, in the order of the rows: ids, and further groups. ``path`` names the
    modules, outermost first; it is empty for what is no module."""

    title: str
    path: tuple[str, ...] = ()
    members: list[int | Group] = field(default_factory=list)

    def rows(self) -> list[int]:
        """The ids of all rows inside."""
        found, waiting = [], list(reversed(self.members))
        while waiting:
            member = waiting.pop()
            if isinstance(member, Group):
                waiting.extend(reversed(member.members))
            else:
                found.append(member)
        return found

    def groups(self) -> Iterator[Group]:
        """All groups inside, outer ones before those that they hold."""
        waiting = [member for member in reversed(self.members) if isinstance(member, Group)]
        while waiting:
            group = waiting.pop()
            yield group
            waiting.extend(member for member in reversed(group.members) if isinstance(member, Group))


def modules(rows: Sequence[Row]) -> Group:
    """All rows, with a group for every call of a module. A module that is called again says so."""
    whole = Group("", (), _calls([row for row in rows if row.op not in LEAVES], ()))
    _number_calls(whole)
    _adopt_leaves(whole, rows)
    return whole


def folded(rows: Sequence[Row], fold: Fold = None) -> list[Group]:
    """The groups that stand for one box each; all other rows have boxes of their own.

    Raises ValueError where a name belongs to no module.
    """
    if fold is None:
        return _until_few(rows)
    whole = modules(rows)
    if isinstance(fold, int):
        return _outermost(whole, lambda group: len(group.path) > fold)
    names = [fold] if isinstance(fold, str) else list(fold)
    known = {".".join(group.path) for group in whole.groups()}
    for name in names:
        if name not in known:
            found = ", ".join(sorted(known)) or "none"
            raise ValueError(f"fold: no module is called {name!r}; the modules are {found}")
    return _outermost(whole, lambda group: ".".join(group.path) in names)


def readers_of(rows: Sequence[Row]) -> dict[int, list[int]]:
    """By a row's id, those of the rows that read it."""
    found: dict[int, list[int]] = {}
    for row in rows:
        for argument in row.args:
            found.setdefault(argument, []).append(row.id)
    return found


# -- modules -------------------------------------------------------------------------------------------------


def _calls(rows: Sequence[Row], path: tuple[str, ...]) -> list[int | Group]:
    depth = len(path)
    found: list[int | Group] = []
    for name, run in groupby(rows, key=lambda row: row.module[depth] if len(row.module) > depth else None):
        inside = list(run)
        if name is None:
            found += [row.id for row in inside]
        else:
            found.append(Group("", (*path, name), _calls(inside, (*path, name))))
    return found


def _number_calls(whole: Group) -> None:
    """The title of each group is its path; a module that is called again says so."""
    for outer in (whole, *whole.groups()):
        calls: dict[tuple[str, ...], int] = {}
        for group in outer.members:
            if isinstance(group, Group):
                calls[group.path] = call = calls.get(group.path, 0) + 1
                group.title = printable(".".join(group.path)) + (f", call {call}" if call > 1 else "")


def _adopt_leaves(whole: Group, rows: Sequence[Row]) -> None:
    """Put each parameter and constant into the innermost group around its readers; the rest comes first."""
    leaves, readers = [row for row in rows if row.op in LEAVES], readers_of(rows)
    paths = _paths(whole)
    left: list[int] = []
    adopted: list[tuple[Group, int]] = []
    for leaf in leaves:
        around = [paths[reader] for reader in readers.get(leaf.id, ()) if reader in paths]
        common = [steps[0] for steps in zip(*around, strict=False) if all(s is steps[0] for s in steps)]
        if leaf.op == "input" or not common:
            left.append(leaf.id)
        else:
            adopted.append((common[-1], leaf.id))
    for group, number in reversed(adopted):
        group.members.insert(0, number)
    whole.members[:0] = left


def _paths(whole: Group) -> Mapping[int, tuple[Group, ...]]:
    """By a row's id, the groups around it, outermost first."""
    paths: dict[int, tuple[Group, ...]] = {}
    waiting: list[tuple[Group, tuple[Group, ...]]] = [(whole, ())]
    while waiting:
        group, path = waiting.pop()
        for member in group.members:
            if isinstance(member, Group):
                waiting.append((member, (*path, member)))
            else:
                paths[member] = path
    return paths


# -- what is folded ------------------------------------------------------------------------------------------


def _outermost(whole: Group, folds: Callable[[Group], bool]) -> list[Group]:
    """The groups that fold, without those inside another that does."""
    found, inside = [], set[int]()
    for group in whole.groups():
        if id(group) not in inside and folds(group):
            found.append(group)
            inside.update(map(id, group.groups()))
    return found


def _until_few(rows: Sequence[Row]) -> list[Group]:
    """Nothing where the rows are few; else the innermost modules first, and where even that leaves too many,
    parts of the list."""
    if len(rows) <= MOST_BOXES:
        return []
    whole = modules(rows)
    for depth in reversed(range(max((len(group.path) for group in whole.groups()), default=0))):
        found = _outermost(whole, lambda group, d=depth: len(group.path) > d)  # type: ignore[misc]
        if len(rows) - sum(len(group.rows()) - 1 for group in found) <= MOST_BOXES:
            return found
    return _parts(rows)


def _parts(rows: Sequence[Row]) -> list[Group]:
    """The whole list in parts of equal length."""
    size = -(-2 * len(rows) // MOST_BOXES)
    operations = [row for row in rows if row.op not in LEAVES]
    whole = Group("")
    for start in range(0, len(operations), size):
        part = operations[start : start + size]
        title = f"{part[0].label} … {part[-1].label}"
        whole.members.append(Group(title, (), [row.id for row in part]))
    _adopt_leaves(whole, rows)
    return [group for group in whole.groups() if len(group.members) > 1]
