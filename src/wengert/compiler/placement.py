"""Arrays that are needed for some time only share one piece of memory."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable, Sequence


def laid_out(sizes: Sequence[int], together: Callable[[int, int], bool]) -> tuple[list[int], int]:
    """Where arrays of so many bytes begin, and the bytes needed in all. Large arrays are laid first, each as
    low as those allow that are needed ``together`` with it.

    >>> laid_out([64, 128, 64], lambda i, j: abs(i - j) == 1)
    ([128, 0, 128], 192)
    """
    places = [0] * len(sizes)
    laid: list[tuple[int, int]] = []
    for k in sorted(range(len(sizes)), key=lambda k: -sizes[k]):
        for begin, other in laid:
            if places[k] + sizes[k] <= begin:
                break
            if together(k, other):
                places[k] = max(places[k], begin + sizes[other])
        insort(laid, (places[k], k))
    return places, max((place + size for place, size in zip(places, sizes, strict=True)), default=0)
