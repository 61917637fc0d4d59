"""Which library's numbers are handled where. A number system is imported when one of its numbers first
appears."""

from __future__ import annotations

import importlib
from collections.abc import Callable

from wengert.ops.op import PROVIDERS, System

PROVIDED = {"numpy": "arrays", "mpmath": "precision", "sympy": "symbols"}
"""For a library's name, the module of this package that holds its number system."""


def _provider(module: str) -> Callable[[type], System | None]:
    def provide(kind: type) -> System | None:
        found: System | None = importlib.import_module(f"wengert.numbers.{module}").system_for(kind)
        return found

    return provide


PROVIDERS.update({library: _provider(module) for library, module in PROVIDED.items()})
