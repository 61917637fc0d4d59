"""Memory that every step of a program gives back and takes again.

glibc returns large freed blocks to the system, which then clears each of their pages anew for the next
array of that size. A training step or a descent frees and takes the same arrays thousands of times, so
this can cost it half of its time. Once tensors are in use, the C library is asked to keep such blocks for
the process.
"""

from __future__ import annotations

import ctypes
import os
import sys

KEPT = 256 * 2**20
"""So many free bytes at the end of the heap stay with the process."""
LARGEST = 32 * 2**20
"""Blocks of up to so many bytes are taken from the heap; glibc allows no more."""

_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them
_CHOICES = ("MALLOC_TRIM_THRESHOLD_", "MALLOC_MMAP_THRESHOLD_", "GLIBC_TUNABLES")


def keep_freed_memory() -> bool:
    """Ask the C library to keep freed blocks; whether it could be asked.

    A choice that the user has made through glibc's own environment variables stands.
    """
    if not sys.platform.startswith("linux") or any(name in os.environ for name in _CHOICES):
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, KEPT)) and bool(mallopt(_MMAP_THRESHOLD, LARGEST))
