"""How the page folds: the groups of `wengert.worksheets.folding`, with long lists folded by runs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isqrt

from wengert.worksheets.columns import LEAVES
from wengert.worksheets.folding import Group, modules, readers_of
from wengert.worksheets.values import Json
from wengert.worksheets.worksheet import Worksheet

MOST_SIDE_BY_SIDE = 80
"""Where a group would show more boxes than this, they are folded by runs."""

MOST_LEAVES = 30
"""Where it is folded by runs, more leaves of one kind than this are one box."""


def groups(sheet: Worksheet) -> list[Json]:
    """The rows' ids, with every group as ``{"title": …, "members": […]}`` in the place of its rows."""
    labels = {row.id: row.label.text for row in sheet.rows}
    whole = modules(sheet.rows)
    _unwrap(whole)
    _split(whole, {row.id: row.op for row in sheet.rows if row.op in LEAVES}, readers_of(sheet.rows), labels)
    return _json(whole.members)


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
    run_of = {number: run for run in runs for number in Group("", (), run).rows()}
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
        members = [Group(_span(part, labels), (), part) for part in parts]
    return [Group(title, (), members)]


def _span(run: list[int | Group], labels: Mapping[int, str]) -> str:
    rows = Group("", (), run).rows()
    return f"{labels[rows[0]]} to {labels[rows[-1]]}"


def _json(members: Sequence[int | Group]) -> list[Json]:
    return [
        {"title": member.title, "members": _json(member.members)} if isinstance(member, Group) else member
        for member in members
    ]
