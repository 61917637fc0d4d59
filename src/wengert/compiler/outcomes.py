"""What a captured step leaves behind: what it returns, and what it puts into tensors that existed before."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from wengert.autodiff.trees import leaves, rebuild
from wengert.compiler.captured import Buffer, Captured, Put, Result
from wengert.compiler.names import Surroundings
from wengert.compiler.teaching import refuse_value
from wengert.compiler.touched import TouchedGradient, TouchedTensors
from wengert.numbers.graph import Node
from wengert.ops.kinds import shape
from wengert.scalar import Scalar
from wengert.tensors import Tensor


class Outcome:
    """Fills a `Captured` with results, buffers and their updates, at the end of the run over nodes."""

    def __init__(
        self, found: Captured, tensors: TouchedTensors, surroundings: Surroundings, keep_gradients: bool
    ) -> None:
        self.found = found
        self.tensors = tensors
        self.surroundings = surroundings
        self.keep_gradients = keep_gradients
        self.places: dict[int, int] = {}

    def collect(self, result: Any, arguments: Sequence[Any]) -> None:
        """Everything, from what the function returned and the tensors and nodes that it was given."""
        self.found.returned = rebuild(result, [self._result(leaf) for leaf in leaves(result)])
        for gradient in list(self.tensors.gradients.values()):
            self._keep_gradient(gradient)
        for touched in list(self.tensors.data.values()):
            self._keep(Buffer(touched.tensor, "data", touched.node, ""), touched.current)
        self._keep_of_arguments(arguments)

    def _result(self, leaf: Any) -> Result:
        value = leaf
        if isinstance(leaf, Tensor):
            value = leaf.data
            if type(value) is not Node:
                is_older = id(leaf) not in self.tensors.inside
                return Result("plain", value=leaf if is_older else Tensor(np.array(value)))
        elif isinstance(leaf, Scalar):
            value = leaf.data
            if type(value) is Node:
                return Result("scalar", self._place(value))
        if type(value) is not Node:
            return Result("plain", value=leaf)
        known = self.tensors.data.get(id(leaf))
        if known is not None:
            return Result("plain", value=leaf)  # a tensor from outside is returned itself
        index = self._place(value)
        if isinstance(leaf, Tensor):
            return Result("tensor", index)
        is_number = type(value.value) in (float, int, bool, complex)
        return Result("number", index, type(value.value)) if is_number else Result("array", index)

    def _place(self, value: Any) -> int:
        """The index of a value among the program's results."""
        node = self._node(value)
        if node.id not in self.places:
            self.places[node.id] = len(self.found.results)
            self.found.results.append(node)
        return self.places[node.id]

    def _node(self, value: Any) -> Node:
        if type(value) is not Node:
            return self.found.graph.leaf("constant", value)
        if value.graph is not self.found.graph:
            refuse_value("kept", value)
        return value

    def _keep_gradient(self, gradient: TouchedGradient) -> None:
        tensor, final = gradient.tensor, gradient.current
        if final is None:
            if gradient.before is not None or not gradient.was_read:
                self.found.cleared.append(tensor)
        elif gradient.node is not None:
            self._keep(Buffer(tensor, "grad", gradient.node, ""), final.data)
        elif gradient.was_read or self.keep_gradients:
            self.found.puts.append(Put(tensor, "grad", self._place(final.data)))
        else:
            self.found.cleared.append(tensor)

    def _keep(self, buffer: Buffer, value: Any) -> None:
        """A buffer, with its update where the step has put another value in its place."""
        tensor, node = buffer.tensor, buffer.node
        name = self.surroundings.name(tensor)
        buffer.name = node.name = name if buffer.attribute == "data" else f"gradient of {name}"
        if value is not node:
            if shape(value) == node.shape and getattr(value, "dtype", None) == node.dtype:
                buffer.updated = self._node(value)
            else:
                self.found.puts.append(Put(tensor, buffer.attribute, self._place(value)))
        self.found.buffers.append(buffer)

    def _keep_of_arguments(self, arguments: Sequence[Any]) -> None:
        """What the step leaves in the tensors that it was given."""
        for k, (tensor, node) in enumerate(zip(arguments, self.found.inputs, strict=True)):
            if isinstance(tensor, Tensor):
                if tensor.data is not node:
                    self.found.puts.append(Put(None, "data", self._place(tensor.data), k))
                if tensor.grad is not None:
                    self.found.puts.append(Put(None, "grad", self._place(tensor.grad.data), k))
