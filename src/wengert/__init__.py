"""wengert: automatic differentiation that shows its work."""

from __future__ import annotations

import importlib
from typing import Any

__version__ = "0.1.0"

_HOMES = {
    "wengert.autodiff.transforms": "grad value_and_grad vjp jvp linearize jacobian hessian hvp",
    "wengert.autodiff.batching": "vmap",
    "wengert.autodiff.custom": "custom_vjp custom_jvp checkpoint",
    "wengert.autodiff.levels": "no_grad enable_grad",
    "wengert.scalar.number": "Scalar",
    "wengert.ops.methods": "clip",
    "wengert.ops.shape": "split",
    "wengert.ops.indexing": "take sort",
}
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}


def __getattr__(name: str) -> Any:
    if name.startswith("__"):
        raise AttributeError(name)
    if name in _HOME:
        found = getattr(importlib.import_module(_HOME[name]), name)
    else:
        import wengert.numbers
        from wengert.ops import lookup
        try:
            found = lookup(name)
        except KeyError:
            raise AttributeError(f"module 'wengert' has no attribute {name!r}") from None
    globals()[name] = found
    return found
