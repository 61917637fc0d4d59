"""Nested dicts, lists and tuples of numbers and arrays, taken apart into a list of leaves and rebuilt."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any


def leaves(tree: Any) -> list[Any]:
    """The leaves in order; dicts by insertion.

    >>> leaves({"w": [1.0, 2.0], "b": (3.0,)})
    [1.0, 2.0, 3.0]
    """
    if isinstance(tree, dict):
        return [leaf for branch in tree.values() for leaf in leaves(branch)]
    if isinstance(tree, (list, tuple)):
        return [leaf for branch in tree for leaf in leaves(branch)]
    return [tree]


def rebuild(tree: Any, new: Sequence[Any]) -> Any:
    """The same nesting with other leaves.

    >>> rebuild({"w": [1.0, 2.0], "b": (3.0,)}, "xyz")
    {'w': ['x', 'y'], 'b': ('z',)}
    """
    supply = iter(new)

    def build(branch: Any) -> Any:
        if isinstance(branch, dict):
            return {key: build(value) for key, value in branch.items()}
        if isinstance(branch, tuple) and hasattr(branch, "_fields"):
            return type(branch)(*map(build, branch))
        if isinstance(branch, (list, tuple)):
            return type(branch)(map(build, branch))
        return next(supply)

    return build(tree)


def mapped(function: Callable[..., Any], tree: Any, *others: Any) -> Any:
    """The function on every leaf (of several trees of the same nesting)."""
    columns = [leaves(tree), *(leaves(other) for other in others)]
    if any(len(c) != len(columns[0]) for c in columns):
        raise ValueError(f"expected trees of the same nesting, got {[len(c) for c in columns]} leaves")
    return rebuild(tree, [function(*row) for row in zip(*columns, strict=True)])
