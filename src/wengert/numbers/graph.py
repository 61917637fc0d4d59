"""A graph under construction as a number system: evaluating an operation on a `Node` appends a line to a Wengert list.

Every node carries the value that it was traced with, so its shape and dtype are that value's.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from wengert.ops.kinds import Composite, component
from wengert.ops.methods import ArrayMethods
from wengert.ops.op import SYSTEMS, Op, System

_PACKAGE = str(Path(__file__).resolve().parent.parent)


class Node(ArrayMethods):
    """One line of a Wengert list.

    ``op`` is None for an input, a parameter or a constant (``role`` says which). ``args`` are nodes or plain
    numbers. ``adjoint_of`` names the node whose adjoint a reverse sweep computed here.
    """

    __slots__ = ("adjoint_of", "args", "graph", "id", "line", "name", "op", "params", "role", "value")

    def __init__(self, graph: Graph, role: str, value: Any, name: str = "") -> None:
        self.graph = graph
        self.id = len(graph.nodes)
        self.role = role
        self.value = value
        self.name = name
        self.op: Op | None = None
        self.args: tuple[Any, ...] = ()
        self.params: Mapping[str, Any] = {}
        self.line: str | None = None
        self.adjoint_of: Node | None = None

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the traced value."""
        return tuple(getattr(self.value, "shape", ()))

    @property
    def dtype(self) -> Any:
        """The dtype of the traced value; its type where that has no dtype."""
        return getattr(self.value, "dtype", type(self.value))

    def __repr__(self) -> str:
        return f"<{self.name or self.role} v{self.id} {'' if self.op is None else self.op.name} {self.value!r:.60}>"

    def __bool__(self) -> bool:
        return bool(self.value)

    def _refuse(self, what: str) -> Any:
        raise TypeError(
            f"{what} of a traced value would bake today's number into the graph; keep the computation in wengert's "
            f"operations, and read numbers from the result"
        )

    def __float__(self) -> float:
        return self._refuse("float()")  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return self._refuse("int()")  # type: ignore[no-any-return]

    def item(self) -> Any:
        """Refused: a traced value has no number to hand out."""
        return self._refuse("item()")

    def __array__(self, *args: Any, **options: Any) -> Any:
        return self._refuse("A NumPy call")


class Graph:
    """A Wengert list: the operations of one evaluation in order."""

    def __init__(self) -> None:
        self.nodes: list[Node] = []

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def leaf(self, role: str, value: Any, name: str = "") -> Node:
        """A new node without an operation: an ``input``, a ``parameter`` or a ``constant``."""
        node = Node(self, role, value, name)
        self.nodes.append(node)
        return node

    def append(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """Record ``op(*args, **params)`` and evaluate it on the traced values."""
        value = op.apply(tuple(a.value if type(a) is Node else a for a in args), params)
        node = self.leaf("operation", value)
        node.op, node.args, node.params, node.line = op, args, params, calling_line()
        if isinstance(value, tuple):
            return tuple(component.apply((node,), {"index": k}) for k in range(len(value)))
        return node


def calling_line() -> str | None:
    """The nearest line outside this package on the stack, as ``file.py:12: code``."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back  # type: ignore[assignment]
    if frame is None:
        return None
    path, number = frame.f_code.co_filename, frame.f_lineno
    code = linecache.getline(path, number).strip()
    return f"{Path(path).name}:{number}: {code}" if code else None


class _Graphs(System):
    def implement(self, op: Op) -> Callable[..., Any]:
        if isinstance(op, Composite) and op.vjp_rule is None:
            return op.body

        def evaluate(*args: Any, **params: Any) -> Any:
            graph = next(a.graph for a in args if type(a) is Node)
            return graph.append(op, args, params)

        return evaluate


SYSTEMS[Node] = _Graphs("graph", 9)

