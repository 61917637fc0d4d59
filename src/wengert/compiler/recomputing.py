"""Which lines are cheaper to compute again, wherever they are used, than to store and to read."""

from __future__ import annotations

from wengert.compiler.accesses import base_of
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.fusion import Fusion
from wengert.compiler.groups import HEAVY, Group, is_plain
from wengert.compiler.lines import Line

Users = dict[int, list[tuple[Line, Line]]]
"""For every array the lines that use it, and the arguments through which they do."""

MOST_LINES = 4
"""Computing so many lines again costs less than to write an array and to read it."""
MOST_ARRAYS = 2


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
            if line.id not in kept and _may_be_elsewhere(fusion, line, group, users):
                fusion.floating |= _cheap_lines(fusion, line, group, users, kept)
        group.members = [line for line in group.members if line.id not in fusion.floating]


def _may_be_elsewhere(fusion: Fusion, line: Line, group: Group, users: Users) -> bool:
    """Whether other groups use the line, and all of them could as well compute it."""
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
    return True


def _cheap_lines(fusion: Fusion, line: Line, group: Group, users: Users, kept: set[int]) -> set[int]:
    """The line, and those of its group that only lead to it; none where computing them is not cheap."""
    lines, arrays, stack = {line.id}, set(), [line]
    while stack:
        x = stack.pop()
        if not _is_cheap(x, group) or len(lines) > MOST_LINES:
            return set()
        for a in x.args:
            base = base_of(a)
            if base.is_number or base.id in lines:
                continue
            if _is_at_hand(fusion, base, group, users, kept):
                arrays.add(base.id)
            elif fusion.of.get(base.id) is group and is_plain(a):
                lines.add(base.id)
                stack.append(base)
            else:
                return set()
    return lines if len(arrays) <= MOST_ARRAYS else set()


def _is_cheap(line: Line, group: Group) -> bool:
    if group.kind in ("call", "move") or line.id in group.after:
        return False
    return line.name not in (*REDUCTIONS, *HEAVY, "matmul")


def _is_at_hand(fusion: Fusion, x: Line, group: Group, users: Users, kept: set[int]) -> bool:
    """Whether an array is stored for another reason than these lines."""
    if x.op is None or x.id in kept:
        return True
    maker = fusion.of.get(x.id)
    if maker is None or x.id in fusion.floating:
        return False
    if maker is not group:
        return True
    return any(fusion.of.get(user.id) not in (None, group) for user, _ in users.get(x.id, []))
