"""A graph under construction as a number system: an operation on a `Node` appends a line to a Wengert list.

Every node carries the value that it was traced with, so its shape and dtype are that value's.
"""

from __future__ import annotations

import linecache
import sys
from collections.abc import Callable, Iterator, Mapping
from fractions import Fraction
from pathlib import Path
from types import FrameType
from typing import Any

from wengert.ops.kinds import Composite, Question, component
from wengert.ops.methods import ArrayMethods
from wengert.ops.op import SYSTEMS, Op, System, UnsupportedOperation, lookup

_PACKAGE = str(Path(__file__).resolve().parent.parent)


class Node(ArrayMethods):
    """One line of a Wengert list.

    ``op`` is None for an input, a parameter or a constant (``role`` says which). ``args`` are nodes or plain
    numbers. ``scope`` names the modules that were being called, outermost first. A node of role ``adjoint``
    or ``tangent`` is the name that a sweep gave to its only argument, as the derivative that belongs to the
    node ``of``.
    """

    __slots__ = ("args", "graph", "id", "name", "of", "op", "params", "place", "role", "scope", "value")

    def __init__(self, graph: Graph, role: str, value: Any, name: str = "") -> None:
        self.graph = graph
        self.id = len(graph.nodes)
        self.role = role
        self.value = value
        self.name = name
        self.op: Op | None = None
        self.args: tuple[Any, ...] = ()
        self.params: Mapping[str, Any] = {}
        self.place: Place | None = None
        self.of: Node | None = None
        self.scope = graph.scope

    @property
    def line(self) -> str | None:
        """The user's line that computed this, as ``file.py:12: code``; None where there is none."""
        return None if self.place is None else line_at(self.place)

    @property
    def beneath(self) -> Any:
        """The traced value."""
        return self.value

    @property
    def shape(self) -> tuple[int, ...]:
        """The shape of the traced value."""
        return tuple(getattr(self.value, "shape", ()))

    @property
    def dtype(self) -> Any:
        """The dtype of the traced value; AttributeError where that has none."""
        return self.value.dtype

    def __repr__(self) -> str:
        if self.graph.refuse is not None and not _called_by_package():
            self.graph.refuse("print", self)
        words = (self.name or self.role, f"v{self.id}", "" if self.op is None else self.op.name)
        return f"<{' '.join(filter(None, words))} {self.value!r:.60}>"

    def __bool__(self) -> bool:
        if self.graph.refuse is not None and not isinstance(self.op, Question):
            self.graph.refuse("branch", self)
        return bool(self.value)

    def _refuse(self, kind: str, what: str) -> Any:
        if self.graph.refuse is not None:
            self.graph.refuse(kind, self)
        raise TypeError(
            f"{what} of a traced value would bake today's number into the graph; keep the computation in "
            f"wengert's operations, and read numbers from the result"
        )

    def __float__(self) -> float:
        return self._refuse("float", "float(), or a function of the math module,")  # type: ignore[no-any-return]

    def __int__(self) -> int:
        return self._refuse("int", "int()")  # type: ignore[no-any-return]

    def __index__(self) -> int:
        return self._refuse("index", "An index or a count made")  # type: ignore[no-any-return]

    def item(self) -> Any:
        """Refused: a traced value has no number to hand out."""
        return self._refuse("item", "item()")

    def tolist(self) -> Any:
        """Refused, as `item`."""
        return self._refuse("tolist", "tolist()")

    def __array__(self, *args: Any, **options: Any) -> Any:
        return self._refuse("array", "A NumPy array")

    def __setitem__(self, key: Any, value: Any) -> None:
        self._refuse("write", "An array written into")

    def __array_ufunc__(self, ufunc: Any, method: str, *inputs: Any, **words: Any) -> Any:
        if method != "__call__" or words:
            return self._refuse(f"np.{ufunc.__name__}.{method}", f"np.{ufunc.__name__}.{method}()")
        return self._of_numpy(ufunc)(*inputs)

    def __array_function__(self, function: Any, types: Any, args: Any, words: Any) -> Any:
        return self._of_numpy(function)(*args, **words)

    def _of_numpy(self, function: Callable[..., Any]) -> Callable[..., Any]:
        """The operation of the same name as NumPy's function."""
        name = function.__name__
        try:
            return NUMPY_SPELLINGS[name] if name in NUMPY_SPELLINGS else lookup(name)
        except KeyError:
            if self.graph.refuse is not None:
                self.graph.refuse(f"np.{function.__name__}", self)
            raise TypeError(
                f"np.{function.__name__}: wengert's table has no operation of that name"
            ) from None


NUMPY_SPELLINGS: dict[str, Callable[..., Any]] = {}
"""NumPy's functions whose arguments are spelled otherwise than the operation's."""

Place = tuple[str, int]
"""A file and the number of a line in it."""

Rewrite = Callable[[Op, tuple[Any, ...], Mapping[str, Any]], Any]


class Graph:
    """A Wengert list: the operations of one evaluation in order.

    With ``share``, an operation on the same arguments is one node. ``rewrite`` may answer an operation with
    something simpler before it is recorded; it returns None to let it stand. ``literal`` turns a number or an
    array of the program into a constant's value and its text; without it, numbers stay as they are. With
    ``name_derivatives`` every adjoint and tangent becomes a node of its own, so that formulas can refer to
    it. ``refuse(kind, node)`` raises where Python asks for a traced value: without it a branch takes the way
    of today's value, and a value can be printed.
    """

    refuse: Callable[[str, Node], Any] | None = None

    def __init__(
        self,
        share: bool = False,
        rewrite: Rewrite | None = None,
        literal: Callable[[Any], tuple[Any, str]] | None = None,
        name_derivatives: bool = False,
    ) -> None:
        self.nodes: list[Node] = []
        self.share = share
        self.rewrite = rewrite
        self.literal = literal
        self.name_derivatives = name_derivatives
        self.shared: dict[Any, Any] = {}
        self.kept: list[Any] = []
        self.closed = False
        self.scope: tuple[str, ...] = ()
        self.frames: dict[FrameType, None] | None = None
        """The user's frames that computed something, where their variables' names are wanted."""

    def __iter__(self) -> Iterator[Node]:
        return iter(self.nodes)

    def __len__(self) -> int:
        return len(self.nodes)

    def __str__(self) -> str:
        return "\n".join(map(_row, self.nodes))

    def leaf(self, role: str, value: Any, name: str = "") -> Node:
        """A new node without an operation: an ``input``, a ``parameter`` or a ``constant``."""
        node = Node(self, role, value, name)
        self.nodes.append(node)
        return node

    def append(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """Record ``op(*args, **params)`` and evaluate it on the traced values."""
        if self.closed:
            if self.refuse is not None:
                self.refuse("kept", next(a for a in args if type(a) is Node and a.graph is self))
            raise RuntimeError(
                f"{op.name}: a value traced earlier was kept and is used again; a traced function must not "
                f"store what it computes (an optimizer's momentum, a running mean) outside its parameters"
            )
        args = tuple(self.lift(a) for a in args)
        key = _identity(op, args, params) if self.share else None
        if key is not None and key in self.shared:
            return self.shared[key]
        simpler = self.rewrite(op, args, params) if self.rewrite is not None else None
        if simpler is not None:
            return simpler
        node = self._record(op, args, params)
        if key is not None:
            self.shared[key] = node
        return node

    def lift(self, x: Any) -> Any:
        """An array or a written number that is no node as a constant of the graph; anything else as it is."""
        if type(x) is Node:
            return x
        if getattr(x, "shape", ()):
            return self._constant(("array", id(x)), x)
        if (
            self.literal is not None
            and isinstance(x, (int, float, complex, Fraction))
            and type(x) is not bool
        ):
            return self._constant(("number", type(x), repr(x)), x)
        return x

    def _constant(self, key: Any, x: Any) -> Node:
        if key not in self.shared:
            value, text = (x, "") if self.literal is None else self.literal(x)
            self.shared[key] = self.leaf("constant", value, text)
            self.kept.append(x)  # so that no other array takes its id
        known: Node = self.shared[key]
        return known

    def derivative(self, role: str, value: Node, of: Node) -> Node:
        """Name a node as the adjoint or the tangent of another, where this graph names them."""
        if not self.name_derivatives:
            return value
        node = self.leaf(role, value.value)
        node.args, node.of = (value,), of
        return node

    def value(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        """The operation on the traced values. What only arrays can do, a number does as an array without
        axes."""
        try:
            return op.apply(args, params)
        except UnsupportedOperation:
            if any(getattr(a, "shape", ()) for a in args):
                raise
            import numpy as np

            return op.apply(tuple(np.asarray(a, dtype=object) for a in args), params)

    def _record(self, op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
        value = self.value(op, tuple(a.value if type(a) is Node else a for a in args), params)
        node = self.leaf("operation", value)
        node.op, node.args, node.params = op, args, params
        frame = calling_frame()
        if frame is not None:
            node.place = frame.f_code.co_filename, frame.f_lineno
            if self.frames is not None:
                self.frames[frame] = None
        if isinstance(value, tuple):
            return tuple(component.apply((node,), {"index": k}) for k in range(len(value)))
        return node


def _identity(op: Op, args: tuple[Any, ...], params: Mapping[str, Any]) -> Any:
    """Equal for two calls that are sure to give the same value; None where that cannot be told."""
    words = [("node", a.id) if type(a) is Node else (type(a), a) for a in args]
    key = (op.name, *words, *sorted((k, repr(v)) for k, v in params.items()))
    try:
        hash(key)
    except TypeError:
        return None
    return key


def calling_frame() -> FrameType | None:
    """The nearest frame outside this package on the stack."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_code.co_filename.startswith(_PACKAGE):
        frame = frame.f_back
    return frame


def line_at(place: Place) -> str | None:
    """The line of a file, as ``file.py:12: code``."""
    path, number = place
    code = linecache.getline(path, number).strip()
    return f"{Path(path).name}:{number}: {code}" if code else None


def calling_line() -> str | None:
    """The nearest line outside this package on the stack, as ``file.py:12: code``."""
    frame = calling_frame()
    return None if frame is None else line_at((frame.f_code.co_filename, frame.f_lineno))


def _called_by_package() -> bool:
    """Whether the text of a node is wanted inside this package: for an error's message, not for the user."""
    frame: FrameType | None = sys._getframe(2)
    while frame is not None and frame.f_code.co_name in ("__repr__", "__format__", "__str__"):
        frame = frame.f_back
    return frame is not None and frame.f_code.co_filename.startswith(_PACKAGE)


class _Graphs(System):
    def implement(self, op: Op) -> Callable[..., Any]:
        if isinstance(op, Composite) and op.vjp_rule is None:
            return op.body

        def evaluate(*args: Any, **params: Any) -> Any:
            graph = next(a.graph for a in args if type(a) is Node)
            return graph.append(op, args, params)

        return evaluate


SYSTEMS[Node] = _Graphs("graph", 9)


def _row(node: Node) -> str:
    """A node as a row of the list: ``v2 = sum(v1, axis=0)``, with its dtype, shape and name."""
    kind = f"{getattr(node.value, 'dtype', type(node.value).__name__)} {node.shape}"
    if node.op is None:
        return f"{f'v{node.id} = {node.role}':48} # {kind} {node.name}".rstrip()
    args = [f"v{a.id}" if type(a) is Node else repr(a) for a in node.args]
    args += [f"{word}={setting!r}" for word, setting in node.params.items()]
    formula = f"v{node.id} = {node.op.name}({', '.join(args)})"
    return f"{formula:48} # {kind} {node.name}".rstrip()
