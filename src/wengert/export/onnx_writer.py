"""What collects the nodes and arrays of an ONNX graph."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from wengert.export.capture import plain_number
from wengert.numbers.graph import Node


class Writer:
    """Collects the nodes and arrays of an ONNX graph."""

    def __init__(self, onnx: Any, names: dict[int, str]) -> None:
        self.onnx = onnx
        self.names = names
        self.nodes: list[Any] = []
        self.arrays: dict[str, Any] = {}

    def array(self, value: Any, name: str = "") -> str:
        """The name under which an array stands among the graph's own."""
        name = name or f"number{len(self.arrays)}"
        self.arrays[name] = self.onnx.numpy_helper.from_array(np.array(value, order="C"), name)
        return name

    def integers(self, values: Any) -> str:
        """A list of whole numbers as an array."""
        return self.array(np.array(list(values), np.int64))

    def emit(self, kind: str, inputs: list[str], output: str, **attributes: Any) -> None:
        """Add one node."""
        self.nodes.append(self.onnx.helper.make_node(kind, inputs, [output], name=output, **attributes))

    def operand(self, a: Any, dtype: Any) -> str:
        """An argument's name; a written number becomes an array without axes."""
        if type(a) is Node:
            return self.names[a.id]
        return self.array(np.array(plain_number(a), getattr(a, "dtype", dtype)))


Emitter = Callable[[Writer, Node, list[str], dict[str, Any]], None]
"""Adds an operation's nodes: from its line of the graph, the names of its inputs, and its settings."""
