"""What stands behind the rows of a worksheet: the terms of the chain rule, the program, and the source."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

from wengert.autodiff.forward import push_forward
from wengert.autodiff.reverse import matched
from wengert.graph.replay import needed_for
from wengert.numbers.graph import Graph, Node
from wengert.ops.kinds import Elementwise, Over
from wengert.ops.op import later
from wengert.worksheets.formula import Label, write
from wengert.worksheets.worksheet import Formula, Recording, Ref, Source, Step, Term

Found = tuple[Term, Node, Node | None]
"""A term, the node that computes it, and the node of its local partial."""


class Terms:
    """The terms of the derivatives of the listed nodes, from the rules of the operations, one argument at a
    time. ``ids`` are the rows' ids by node, ``derivatives`` the nodes of adjoints or tangents."""

    def __init__(
        self, graph: Graph, ids: Mapping[int, int], derivatives: Mapping[int, Node], label: Label
    ) -> None:
        self.graph, self.ids, self.derivatives, self.label = graph, ids, derivatives, label

    def of_adjoints(self, listed: Sequence[Node]) -> dict[int, list[Found]]:
        """By node, what each use of it hands back."""
        found: dict[int, list[Found]] = {}
        for reader in listed:
            adjoint, op = self.derivatives.get(reader.id), reader.op
            if adjoint is None or op is None or not op.differentiable or isinstance(reader.value, tuple):
                continue
            parents = [a if self._has_adjoint(a) else None for a in reader.args]
            if all(a is None for a in parents):
                continue
            parts = op.vjp(adjoint, reader.args, reader, reader.params, parents)
            for place, (a, part) in enumerate(zip(parents, parts, strict=True)):
                if a is not None and part is not None:
                    term = self._term(self.ids[reader.id], matched(part, a), reader, place)
                    found.setdefault(a.id, []).append(term)
        return found

    def of_tangents(self, listed: Sequence[Node]) -> dict[int, list[Found]]:
        """By node, what each of its arguments hands on."""
        found: dict[int, list[Found]] = {}
        for node in listed:
            if node.id not in self.derivatives or node.op is None or isinstance(node.value, tuple):
                continue
            for place, a in enumerate(node.args):
                tangent = self.derivatives.get(a.id) if type(a) is Node and a.id in self.ids else None
                if tangent is None:
                    continue
                tangents = [tangent if k == place else None for k in range(len(node.args))]
                part = push_forward(node.op, tangents, node.args, node, node.params)
                if part is not None:
                    found.setdefault(node.id, []).append(self._term(self.ids[a.id], part, node, place))
        return found

    def _has_adjoint(self, a: Any) -> bool:
        listed = type(a) is Node and a.id in self.ids and not isinstance(a.value, tuple)
        return listed and a.id in self.derivatives

    def _term(self, row: int, part: Any, node: Node, place: int) -> Found:
        value = self._node(part)
        partial = self._partial(node, place)
        return (
            Term(
                row,
                self._formula(value),
                value.value,
                None if partial is None else self._formula(partial),
                None if partial is None else partial.value,
            ),
            value,
            partial,
        )

    def _partial(self, node: Node, place: int) -> Node | None:
        """The local partial derivative of an operation that works entry by entry."""
        if not isinstance(node.op, Elementwise):
            return None
        found = node.op.partials[place](*node.args, node, **node.params)
        return self._node(later.divide(1, found.denominator) if type(found) is Over else found)

    def _node(self, x: Any) -> Node:
        lifted = self.graph.lift(x)
        return lifted if type(lifted) is Node else self.graph.leaf("constant", lifted)

    def _formula(self, node: Node) -> Formula:
        return self.label(node) or write(node, self.label)


def recorded(
    primal: Mapping[int, Node],
    derivative: Mapping[int, Node],
    update: Mapping[int, Node],
    terms: Mapping[int, Sequence[Node]],
    partials: Mapping[int, Sequence[Node | None]],
) -> Recording:
    """The program that computes these nodes, which are given by the rows' ids."""
    steps: list[Step] = []
    number: dict[int, int] = {}
    wanted = [
        *primal.values(),
        *derivative.values(),
        *update.values(),
        *(n for t in terms.values() for n in t),
        *(n for t in partials.values() for n in t if n is not None),
    ]
    for node in needed_for(wanted):
        if node.op is None and node.args:  # the name of another node
            number[node.id] = number[node.args[0].id]
            continue
        number[node.id] = len(steps)
        if node.op is None:
            steps.append(Step(node.role, value=node.value))
        else:
            args = tuple(Ref(number[a.id]) if type(a) is Node else a for a in node.args)
            steps.append(Step(node.op.name, args, dict(node.params)))

    def numbered(nodes: Mapping[int, Node]) -> dict[int, int]:
        return {row: number[node.id] for row, node in nodes.items()}

    return Recording(
        tuple(steps),
        numbered(primal),
        numbered(derivative),
        numbered(update),
        {row: tuple(number[node.id] for node in nodes) for row, nodes in terms.items()},
        {row: tuple(None if n is None else number[n.id] for n in nodes) for row, nodes in partials.items()},
    )


def source_of(f: Callable[..., Any]) -> Source | None:
    """The text of a function; None where it has none, as in an expression or an interactive session."""
    f = inspect.unwrap(f)
    if not hasattr(f, "__code__"):
        return None
    try:
        lines, first = inspect.getsourcelines(f)
    except (OSError, TypeError):
        return None
    return Source(f.__name__, f.__code__.co_filename, first, _dedented(lines))


def _dedented(lines: Iterable[str]) -> tuple[str, ...]:
    import textwrap

    return tuple(textwrap.dedent("".join(lines)).splitlines())


def line_number(node: Node, source: Source | None) -> int | None:
    """The number of the line that computed a node, where it lies in the source."""
    if source is None or node.place is None or node.place[0] != source.file:
        return None
    number = node.place[1]
    return number if source.first <= number < source.first + len(source.lines) else None
