"""Memory that training gives back and takes again in every step.

glibc returns large freed blocks to the system, which then clears every page anew for the next step: for a
small convolutional network that is almost half of the time. Training asks it to keep them.
"""

from __future__ import annotations

import ctypes
import functools
import sys

KEPT = 256 * 2**20
"""So many free bytes at the end of the heap, and blocks of up to LARGEST bytes, stay with the process."""
LARGEST = 32 * 2**20
_TRIM_THRESHOLD, _MMAP_THRESHOLD = -1, -3  # as malloc.h numbers them


@functools.cache
def keep_freed_memory() -> bool:
    """Ask the C library to keep freed memory for the next step; whether it could be asked. Once per
    process."""
    if sys.platform != "linux":
        return False
    try:
        mallopt = ctypes.CDLL(None).mallopt
    except (OSError, AttributeError):
        return False
    return bool(mallopt(_TRIM_THRESHOLD, KEPT)) and bool(mallopt(_MMAP_THRESHOLD, LARGEST))
