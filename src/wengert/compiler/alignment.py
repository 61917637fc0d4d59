"""Memory in whole cache lines."""

from __future__ import annotations

ALIGNMENT = 64
"""The bytes of a cache line, and of the widest vector."""


def aligned(size: int) -> int:
    """So many bytes, rounded up to whole cache lines.

    >>> aligned(65)
    128
    """
    return -(-size // ALIGNMENT) * ALIGNMENT
