"""Which boxes of the graph fold together: those of a module, and where there are none, runs of operations.

A group is a run of consecutive rows, so that folding never makes a circle. A parameter or a constant belongs
to the innermost group that holds all its readers.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from math import isqrt

from wengert.worksheets.columns import LEAVES
from wengert.worksheets.values import Json, printable
from wengert.worksheets.worksheet import Row, Worksheet

MOST_SIDE_BY_SIDE = 80
"""Where a group would show more boxes than this, they are folded by runs."""

MOST_LEAVES = 30
"""Where it is folded by runs, more leaves of one kind than this are one box."""


@dataclass
class Group:
    """A title and what it holds, in the order of the rows: ids, and further groups."""

    title: str
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


def groups(sheet: Worksheet) -> list[Json]:
    """The rows' ids, with every group as ``{"title": …, "members": […]}`` in the place of its rows."""
    operations = [row for row in sheet.rows if row.op not in LEAVES]
    leaves = [row for row in sheet.rows if row.op in LEAVES]
    labels = {row.id: row.label.text for row in sheet.rows}
    readers = _readers(sheet)
    whole = Group("", _modules(operations, 0))
    _number_calls(whole)
    whole.members[:0] = _adopt(whole, leaves, readers)
    _unwrap(whole)
    _split(whole, {row.id: row.op for row in leaves}, readers, labels)
    return _json(whole.members)


def _modules(rows: Sequence[Row], depth: int) -> list[int | Group]:
    found: list[int | Group] = []
    for name, run in groupby(rows, key=lambda row: row.module[depth] if len(row.module) > depth else None):
        inside = list(run)
        if name is None:
            found += [row.id for row in inside]
        else:
            found.append(Group(printable(name), _modules(inside, depth + 1)))
    return found


def _number_calls(whole: Group) -> None:
    """The title of each group is its path; a module that is called again says so."""
    waiting = [(whole, "")]
    while waiting:
        group, path = waiting.pop()
        calls: dict[str, int] = {}
        for member in group.members:
            if isinstance(member, Group):
                calls[member.title] = call = calls.get(member.title, 0) + 1
                place = f"{path}.{member.title}" if path else member.title
                waiting.append((member, place))
                member.title = place if call == 1 else f"{place}, call {call}"


def _unwrap(group: Group) -> None:
    """A group that holds nothing but one member is that member."""
    for place, member in enumerate(group.members):
        while isinstance(member, Group) and len(member.members) == 1:
            member = member.members[0]
        group.members[place] = member
        if isinstance(member, Group):
            _unwrap(member)


def _split(
    group: Group, leaves: Mapping[int, str], readers: Mapping[int, list[int]], labels: Mapping[int, str]
) -> None:
    """Fold long lists by runs. A leaf goes with its readers, else with the other leaves of its kind."""
    for member in group.members:
        if isinstance(member, Group):
            _split(member, leaves, readers, labels)
    if len(group.members) <= MOST_SIDE_BY_SIDE:
        return
    own = [m for m in group.members if isinstance(m, int) and m in leaves]
    others = [m for m in group.members if isinstance(m, Group) or m not in leaves]
    length = max(2, isqrt(len(others))) if len(others) > MOST_LEAVES else 1
    runs: list[list[int | Group]] = [others[k : k + length] for k in range(0, len(others), length)]
    run_of = {number: run for run in runs for number in Group("", run).rows()}
    apart: dict[str, list[int | Group]] = {}
    for leaf in own:
        homes = [run_of.get(reader) for reader in readers.get(leaf, ())]
        if length > 1 and leaves[leaf] != "input" and homes and all(h is homes[0] for h in homes):
            assert homes[0] is not None
            homes[0].append(leaf)
        else:
            apart.setdefault(leaves[leaf], []).append(leaf)
    group.members.clear()
    for kind, found in apart.items():
        group.members += _run(f"{len(found)} {kind}s", found, labels) if len(found) > MOST_LEAVES else found
    for run in runs:
        group.members += _run(_span([m for m in run if m not in own], labels), run, labels)


def _run(title: str, members: list[int | Group], labels: Mapping[int, str]) -> list[int | Group]:
    """The members as one group, in which long lists are groups again; one member alone stays itself."""
    if len(members) <= 1:
        return members
    if len(members) > MOST_SIDE_BY_SIDE:
        length = isqrt(len(members))
        parts = [members[k : k + length] for k in range(0, len(members), length)]
        members = [Group(_span(part, labels), part) for part in parts]
    return [Group(title, members)]


def _span(run: list[int | Group], labels: Mapping[int, str]) -> str:
    rows = Group("", run).rows()
    return f"{labels[rows[0]]} to {labels[rows[-1]]}"


def _readers(sheet: Worksheet) -> dict[int, list[int]]:
    found: dict[int, list[int]] = {}
    for row in sheet.rows:
        for argument in row.args:
            found.setdefault(argument, []).append(row.id)
    return found


def _adopt(whole: Group, leaves: Sequence[Row], readers: Mapping[int, list[int]]) -> list[int]:
    """Put each parameter and constant into the innermost group around its readers; return the rest."""
    paths: dict[int, tuple[Group, ...]] = {}
    waiting: list[tuple[Group, tuple[Group, ...]]] = [(whole, ())]
    while waiting:
        group, path = waiting.pop()
        for member in group.members:
            if isinstance(member, Group):
                waiting.append((member, (*path, member)))
            else:
                paths[member] = path
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
    return left


def _json(members: Sequence[int | Group]) -> list[Json]:
    return [
        {"title": member.title, "members": _json(member.members)} if isinstance(member, Group) else member
        for member in members
    ]
