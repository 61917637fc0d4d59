"""Which lines are cheaper to compute again, wherever they are used, than to store and to read."""

from __future__ import annotations

from wengert.compiler.accesses import base_of
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.fusion import Fusion
from wengert.compiler.groups import HEAVY, Group, is_plain
from wengert.compiler.lines import Line

Users = dict[int, list[tuple[Line, Line]]]
"""For every array the lines that use it, and the arguments through which they do."""


def recompute(fusion: Fusion, kept: set[int]) -> None:
    """Let every cheap line of arrays that are at hand anyway be computed where it is used instead of being
    stored. ``kept`` are the outcomes, which are stored in any case."""
    users: Users = {}
    for group in fusion.groups:
        for member in group.members:
            for a in member.args:
                users.setdefault(base_of(a).id, []).append((member, a))
    for group in fusion.groups:
        for line in group.members:
            if line.id not in kept and _is_cheap(fusion, line, group, users, kept):
                fusion.floating.add(line.id)
        group.members = [line for line in group.members if line.id not in fusion.floating]


def _is_cheap(fusion: Fusion, line: Line, group: Group, users: Users, kept: set[int]) -> bool:
    if (
        group.kind in ("call", "move")
        or line.name in (*REDUCTIONS, *HEAVY, "matmul")
        or line.id in group.after
    ):
        return False
    mine = users.get(line.id, [])
    outside = [(user, a) for user, a in mine if fusion.of.get(user.id) is not group]
    if not outside or any(user.id in fusion.floating for user, _ in mine):
        return False
    for user, a in outside:
        into = fusion.of[user.id]
        if into.kind in ("call", "move") or user.name == "matmul" or not is_plain(a):
            return False
        if base_of(a) is not a and user.name in REDUCTIONS:
            return False
    arrays = [x for x in map(base_of, line.args) if not x.is_number]
    return len(arrays) <= 2 and all(_is_at_hand(fusion, x, line, group, users, kept) for x in arrays)


def _is_at_hand(fusion: Fusion, x: Line, line: Line, group: Group, users: Users, kept: set[int]) -> bool:
    """Whether an array is stored for another reason than this line."""
    if x.op is None or x.id in kept:
        return True
    maker = fusion.of.get(x.id)
    if maker is None or x.id in fusion.floating:
        return False
    if maker is not group:
        return True
    return any(
        user is not line and fusion.of.get(user.id) not in (None, group) for user, _ in users.get(x.id, [])
    )
