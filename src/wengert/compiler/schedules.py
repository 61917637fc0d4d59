"""The order in which groups run, where each needs some others first."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from heapq import heapify, heappop, heappush


def scheduled(
    needs: Mapping[int, Collection[int]],
    takes: Mapping[int, int],
    reads: Mapping[int, Collection[int]],
    sizes: Mapping[int, int],
    urgent: Collection[int],
) -> list[int] | None:
    """The groups in the order of their numbers, except that urgent ones come first, then those that free more
    memory than they take; None where groups need each other.

    A group ``takes`` so many bytes. It frees the arrays that it alone still ``reads``, each of its size.

    >>> scheduled({0: (), 1: (0,), 2: (1,), 3: (1,)}, {0: 8, 1: 8, 2: 8, 3: 0}, {2: [10], 3: [11]},
    ...           {10: 8, 11: 8}, ())
    [0, 1, 3, 2]
    """
    waits = {group: len(others) for group, others in needs.items()}
    followers: dict[int, list[int]] = {group: [] for group in needs}
    for group, others in needs.items():
        for other in others:
            followers[other].append(group)
    readers: dict[int, set[int]] = {}
    for group, arrays in reads.items():
        for array in arrays:
            readers.setdefault(array, set()).add(group)
    growth = dict(takes)
    for array, groups in readers.items():
        if len(groups) == 1:
            growth[min(groups)] -= sizes[array]

    def rank(group: int) -> tuple[bool, bool, int]:
        return group not in urgent, growth[group] >= 0, group

    # A group whose rank improves is entered again: its first entry counts.
    ready = [rank(group) for group, count in waits.items() if not count]
    heapify(ready)
    order: dict[int, None] = {}
    while ready:
        *_, group = heappop(ready)
        if group in order:
            continue
        order[group] = None
        for array in reads.get(group, ()):
            left = readers[array]
            left.remove(group)
            if len(left) == 1:
                last = min(left)
                growth[last] -= sizes[array]
                if not waits[last]:
                    heappush(ready, rank(last))
        for follower in followers[group]:
            waits[follower] -= 1
            if not waits[follower]:
                heappush(ready, rank(follower))
    return list(order) if len(order) == len(needs) else None
