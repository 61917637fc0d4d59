"""The Scalars that a step touches: numbers outside, which a program keeps together in one vector.

While a capture runs each such number is a node of its own. The program has one slot for all of them, a vector
in the order in which the step met them, so that the weights of a layer lie side by side as a matrix does.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping, Sequence
from typing import Any

import numpy as np

from wengert.compiler.captured import Captured, Guard, KeptScalar
from wengert.compiler.lines import Line
from wengert.compiler.names import Surroundings
from wengert.compiler.programs import Slot
from wengert.compiler.teaching import refusal
from wengert.compiler.touched import leaf_from_outside, read_data, read_grad, write_data, write_grad
from wengert.compiler.views import reshaped, sliced
from wengert.numbers.graph import Graph, Node
from wengert.ops.op import later
from wengert.scalar import Scalar

_FLOAT = np.dtype(np.float64)


# -- while a capture runs
# ------------------------------------------------------------------------------------------------------------


class TouchedScalars:
    """The Scalars that existed before the step and that it reads or writes."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.data: dict[int, KeptScalar] = {}
        self.gradients: dict[int, KeptScalar] = {}
        self.absent: list[Scalar] = []
        """Those whose gradient was None when the step first read it."""
        self.inside: dict[int, Scalar] = {}  # made by the step itself; kept, so that no other takes the id

    def data_of(self, scalar: Scalar) -> Any:
        """What the step sees in ``scalar.data``."""
        value = read_data(scalar)
        if type(value) is Node or id(scalar) in self.inside:
            return value
        known = self.data.get(id(scalar)) or self._touch(scalar, value)
        return known.node if known.updated is None else known.updated

    def put_data(self, scalar: Scalar, value: Any) -> None:
        """The step sets ``scalar.data``."""
        if id(scalar) not in self.inside:
            try:
                present = read_data(scalar)
            except AttributeError:  # its first value: the step makes this number
                self.inside[id(scalar)] = scalar
            else:
                if type(present) is not Node:
                    known = self.data.get(id(scalar)) or self._touch(scalar, present)
                    known.updated = value
                    return
        write_data(scalar, value)

    def _touch(self, scalar: Scalar, value: Any) -> KeptScalar:
        node = leaf_from_outside(self.graph, scalar, _float(value), "Scalar")
        known = self.data[id(scalar)] = KeptScalar(scalar, "data", node)
        return known

    def gradient_of(self, scalar: Scalar) -> Any:
        """What the step sees in ``scalar.grad``."""
        known = self.gradients.get(id(scalar))
        if known is not None:
            return known.updated
        before = read_grad(scalar)
        if id(scalar) in self.inside:
            return before
        if before is None:
            self.absent.append(scalar)
        node = None if before is None else self.graph.leaf("buffer", _float(before))
        self.gradients[id(scalar)] = KeptScalar(scalar, "grad", node, node)
        return node

    def put_gradient(self, scalar: Scalar, value: Any) -> None:
        """The step sets ``scalar.grad``."""
        if id(scalar) in self.inside:
            write_grad(scalar, value)
        elif id(scalar) in self.gradients:
            self.gradients[id(scalar)].updated = value
        else:
            self.gradients[id(scalar)] = KeptScalar(scalar, "grad", None, value)

    def collect(self, found: Captured, surroundings: Surroundings, keep_gradients: bool) -> None:
        """What the program keeps: numbers in the order in which they were met, then gradients.

        A gradient that the step itself cleared before it wrote it is forgotten, unless ``keep_gradients``.
        """
        absent = set(map(id, self.absent))
        found.scalars += _side_by_side(self.data.values(), found.graph, surroundings)
        for gradient in self.gradients.values():
            kept = keep_gradients or gradient.node is not None or id(gradient.scalar) in absent
            if gradient.updated is None or not kept:
                found.cleared_scalars.append(gradient.scalar)
            elif gradient.updated is gradient.node:
                found.scalars.append(KeptScalar(gradient.scalar, "grad", gradient.node))
            else:
                found.scalars.append(gradient)
        names = surroundings.scalars()
        for number in found.scalars:
            name = names.get(id(number.scalar), "")
            if number.node is not None and name:
                number.node.name = name if number.attribute == "data" else f"gradient of {name}"

    def guards(self) -> list[Guard]:
        """Which gradients were None when the step first read them."""
        absent = self.absent
        if not absent:
            return []

        def gradients() -> Hashable:
            return list(map(read_grad, absent)).count(None) == len(absent)

        return [Guard("gradients that were None when the step began", gradients, True)]


def _side_by_side(
    numbers: Iterable[KeptScalar], graph: Graph, surroundings: Surroundings
) -> list[KeptScalar]:
    """The numbers in the order in which layers stack them, and what an optimizer keeps for them in the same
    order; others as they were met."""
    places: dict[int, int] = {}
    for node in graph:
        if node.op is later.stack:
            for a in node.args:
                while type(a) is Node and a.op is later.multiply:  # by one, in the dtype of the inputs
                    a = a.args[0]
                if type(a) is Node and a.op is None:
                    places.setdefault(a.id, len(places))
    of_owner = {id(n.scalar): places.get(n.node.id, len(places)) for n in numbers if n.node is not None}

    def place(number: KeptScalar) -> tuple[str, int]:
        key, owner = surroundings.state.get(id(number.scalar), ("", number.scalar))
        return key, of_owner[id(owner)]

    return sorted(numbers, key=place)


def _float(value: Any) -> float:
    if isinstance(value, (float, np.floating, np.integer)):
        return float(value)
    raise refusal(
        f"a Scalar outside the step holds {value!r:.40}, of type {type(value).__name__}, but a program keeps "
        f"floats",
        "run a step of other numbers without wengert.compile, or give the Scalar a float",
    )


# -- in the program
# ------------------------------------------------------------------------------------------------------------


def vector_slot(numbers: Sequence[KeptScalar]) -> Slot:
    """The slot of all Scalars."""
    return Slot("buffer", "scalars", (len(numbers),), _FLOAT)


def entries(vector: Line, numbers: Sequence[KeptScalar]) -> Mapping[int, Line]:
    """The line of each number that is read, by the id of its node: like every Python number it is weak."""
    return {
        number.node.id: vector.lines.line(
            later.reshape, (_entry(vector, k),), {"shape": ()}, (), vector.dtype, weak=True
        )
        for k, number in enumerate(numbers)
        if number.node is not None
    }


def _entry(vector: Line, k: int) -> Line:
    return sliced(vector, ((k, 1, 1),))


def vector_of(vector: Line, values: Sequence[Line | None]) -> Line:
    """The vector with new entries; None keeps the entry that is there."""
    parts = [
        _entry(vector, k) if value is None else reshaped(value.astype(dtype=_FLOAT.name), (1,))
        for k, value in enumerate(values)
    ]
    if len(parts) == 1:
        return parts[0]
    return vector.lines.line(later.concatenate, tuple(parts), {"axis": 0}, vector.shape, vector.dtype)
