"""Run a recorded graph again, on other values: variables, duals, nodes of another graph."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from wengert.numbers.graph import Node


def needed_for(outputs: Iterable[Node]) -> list[Node]:
    """The nodes that the outputs depend on, in order; leaves included."""
    seen: set[int] = set()
    stack = list(outputs)
    found = []
    while stack:
        node = stack.pop()
        if node.id in seen:
            continue
        seen.add(node.id)
        found.append(node)
        stack.extend(a for a in node.args if type(a) is Node)
    return sorted(found, key=lambda node: node.id)


def replay(nodes: Iterable[Node], leaves: Mapping[int, Any]) -> dict[int, Any]:
    """Evaluate recorded nodes in order, from their leaves' values by id; returns every node's value by id."""
    values: dict[int, Any] = dict(leaves)
    for node in nodes:
        if node.id in values:
            continue
        if node.op is None:
            values[node.id] = values[node.args[0].id] if node.args else node.value
        else:
            args = tuple(values[a.id] if type(a) is Node else a for a in node.args)
            values[node.id] = node.op.apply(args, node.params)
    return values
