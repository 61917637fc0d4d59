"""Packages that only some features need: imported at first use, and named where they are missing."""

from __future__ import annotations

import importlib
from typing import Any


def require(module: str, purpose: str, extra: str) -> Any:
    """The module of an optional package.

    ``purpose`` says what needs it, ``extra`` which of wengert's extras brings it. Raises ImportError with the
    command that installs it.

    >>> require("json", "this example", "learn").__name__
    'json'
    """
    try:
        return importlib.import_module(module)
    except ImportError as error:
        package = {"sklearn": "scikit-learn"}.get(module.partition(".")[0], module.partition(".")[0])
        raise ImportError(f"{purpose} needs the package {package}: pip install 'wengert[{extra}]'") from error
