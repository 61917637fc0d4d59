"""The steps of a derivation: the reverse sweep over symbols, then each simplification, one at a time."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wengert.autodiff.levels import new_level
from wengert.autodiff.reverse import Variable, sweep, variable
from wengert.graph.replay import needed_for, replay
from wengert.graph.simplify import Rule, fitting
from wengert.numbers.graph import Node
from wengert.ops.arithmetic import ones_like
from wengert.worksheets.derivations.chain_rule_names import name_of
from wengert.worksheets.tracing import Trace

MOST_STEPS = 10_000


@dataclass(frozen=True)
class Equality:
    """The adjoint of ``of`` equals ``node``: by a rule of simplification, or because the adjoints of other
    values were put in, or, where the reason is empty, by the chain rule."""

    of: Node
    node: Node
    reason: Rule | tuple[Node, ...] = ()


class Working:
    """The adjoints of a trace, each as the chain rule gives it and then in its simplest form."""

    def __init__(self, trace: Trace, wanted: Iterable[Node]) -> None:
        self.trace = trace
        self.graph = trace.graph
        self.primal = needed_for([trace.output])
        self.first = len(self.graph.nodes)  # nodes from here on belong to derivatives
        self.named = {node.of.id: node for node in _swept(trace, self.primal) if node.of is not None}
        self.simplest: dict[int, Node] = {}
        self.normal: set[int] = set()
        self.equalities: list[Equality] = []
        last = [node.id for node in wanted]
        for of in self._order(last):
            self._work_out(self.named[of])

    def adjoint(self, of: Node) -> Node | None:
        """The adjoint of a node in its simplest form; None where f does not depend on it."""
        return self.simplest.get(of.id)

    def readers(self, of: Node) -> list[tuple[Node, int]]:
        """The operations through which the adjoint of a node comes, and its places among their arguments."""
        return [
            (reader, place)
            for reader in reversed(self.primal)
            if reader.id in self.named and reader.op is not None
            for place, a in enumerate(reader.args)
            if a is of
        ]

    def chain_rule(self, of: Node) -> list[tuple[str, Node]]:
        """The name of the rule for each use of a node, and the operation that uses it."""
        return [(name_of(reader, place), reader) for reader, place in self.readers(of)]

    def _order(self, wanted: list[int]) -> list[int]:
        """The nodes whose adjoints the wanted ones need, from the output on; the wanted ones last."""
        found: dict[int, Node] = {}
        waiting = [self.named[of] for of in wanted if of in self.named]
        while waiting:
            node = waiting.pop()
            if node.id not in found:
                found[node.id] = node
                waiting += (a for a in node.args if type(a) is Node and a.id >= self.first)
        names = [node.of.id for key, node in sorted(found.items()) if node.of is not None]
        return [of for of in names if of not in wanted] + [of for of in wanted if of in self.named]

    def _work_out(self, name: Node) -> None:
        of, raw = name.of, name.args[0]
        assert of is not None
        self.equalities.append(Equality(of, raw))
        put_in = {n.id: n.of for n in self._beyond([raw]) if n.of is not None}
        current = self._rebuilt(raw, {key: self.simplest[reader.id] for key, reader in put_in.items()})
        if current is not raw:
            self.equalities.append(
                Equality(of, current, tuple(n for n in put_in.values() if n is not self.trace.output))
            )
        for _ in range(MOST_STEPS):
            found = self._simplified_once(current)
            if found is None:
                break
            rule, current = found
            self.equalities.append(Equality(of, current, rule))
        self.simplest[of.id] = current

    def _beyond(self, roots: Iterable[Node]) -> list[Node]:
        """The nodes behind these that belong to derivatives and may still be simplified, in order."""
        found: dict[int, Node] = {}
        waiting = list(roots)
        while waiting:
            node = waiting.pop()
            if node.id < self.first or node.id in found or node.id in self.normal:
                continue
            found[node.id] = node
            if node.of is None:
                waiting += (a for a in node.args if type(a) is Node)
        return [found[number] for number in sorted(found)]

    def _rebuilt(self, root: Node, replaced: Mapping[int, Node]) -> Node:
        """The same formula with some nodes replaced."""
        done = dict(replaced)
        for node in self._beyond([root]):
            if node.id not in done and node.op is not None:
                args = tuple(done.get(a.id, a) if type(a) is Node else a for a in node.args)
                if any(new is not old for new, old in zip(args, node.args, strict=True)):
                    done[node.id] = self.graph.append(node.op, args, node.params)
        return done.get(root.id, root)

    def _simplified_once(self, root: Node) -> tuple[Rule, Node] | None:
        """The formula after the first rule that fits anywhere in it, innermost first."""
        for node in self._beyond([root]):
            found = None if node.op is None else fitting(node.op, node.args, node.params)
            if found is not None:
                rule, shorter = found
                return rule, self._rebuilt(root, {node.id: self.graph.lift(shorter)})
            self.normal.add(node.id)
        return None


def _swept(trace: Trace, primal: list[Node]) -> Iterator[Node]:
    """The reverse sweep over the trace's own nodes, with nothing simplified: the adjoints by their names."""
    graph = trace.graph
    first = len(graph.nodes)
    graph.rewrite, graph.name_derivatives = None, True
    with new_level() as level:
        leaves: dict[int, Any] = {n.id: n for n in primal if n.op is None} | {n.id: n for n in trace.inputs}
        wrapped = {node.id: variable(node, level) for node in trace.differentiable()}
        root = replay(primal, leaves | wrapped)[trace.output.id]
        if isinstance(root, Variable):
            seed = graph.leaf("constant", ones_like(trace.output.value))
            sweep([root], [seed], wanted=wrapped.values())
    return (node for node in graph.nodes[first:] if node.of is not None)
