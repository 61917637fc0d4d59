"""The number of threads of NumPy's matrix products, which decides how their sums are rounded.

OpenBLAS parts a large product among its threads, and the last bits of float32 results depend on the parts.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from threadpoolctl import ThreadpoolController


@contextmanager
def matrix_threads(count: int) -> Iterator[None]:
    """As many threads inside the block. Raises ValueError for fewer than one."""
    if isinstance(count, bool) or not isinstance(count, int) or count < 1:
        raise ValueError(f"threads: expected a whole number of at least 1, got {count!r}")
    with ThreadpoolController().select(user_api="blas").limit(limits=count):
        yield
