"""The number of threads of the matrix products, which decides how their sums are rounded.

OpenBLAS parts a large product among its threads, and the last bits depend on the parts. A resumed training
therefore computes with as many threads as it began with. That needs the package threadpoolctl, which comes
with scikit-learn; without it, start both runs with the same OPENBLAS_NUM_THREADS.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any


def blas_threads() -> int | None:
    """How many threads NumPy's matrix products use; None where that cannot be known."""
    controller = _controller()
    return (
        None
        if controller is None
        else max((library["num_threads"] for library in controller.info()), default=None)
    )


@contextmanager
def fixed_threads(count: int | None) -> Iterator[None]:
    """As many threads inside the block, where they can be set; None leaves them as they are."""
    controller = None if count is None else _controller()
    if controller is None:
        yield
        return
    with controller.limit(limits=count):
        yield


def _controller() -> Any:
    try:
        threadpoolctl = importlib.import_module("threadpoolctl")
    except ImportError:
        return None
    return threadpoolctl.ThreadpoolController().select(user_api="blas")
