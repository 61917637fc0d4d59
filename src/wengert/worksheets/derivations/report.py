"""The formulas of a derivation and of its steps, written from the nodes that were worked out."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import zip_longest

from wengert.graph.simplify import Rule
from wengert.numbers.graph import Node
from wengert.worksheets.derivation import Derivation, DerivationStep, Reason
from wengert.worksheets.derivations.laws import law
from wengert.worksheets.derivations.names import OUTPUT, Names
from wengert.worksheets.derivations.shortest_forms import shortest
from wengert.worksheets.derivations.steps import Equality, Working
from wengert.worksheets.explain import LONGEST_TITLE
from wengert.worksheets.formula import Label, length, write
from wengert.worksheets.tracing import Trace
from wengert.worksheets.worksheet import Formula

LONGEST = 2_000
BY_ALGEBRA = Reason("the shortest form that computer algebra finds")
INDEPENDENT = Reason("f does not depend on it")
ZERO = Formula("0", "0")


class Report:
    """What is said of a derivation. With ``shortened``, computer algebra has the last word."""

    def __init__(self, trace: Trace, wanted: Mapping[str, Node], shortened: bool) -> None:
        self.wanted, self.shortened = wanted, shortened
        self.output = trace.output
        self.working = Working(trace, wanted.values())
        self.names = Names(trace, self.working.primal)

    def derivation(self) -> Derivation:
        """The gradient, what the function's own names in it mean, and the steps when they are asked for."""
        used: dict[int, Node] = {}

        def label(node: Node) -> Formula | None:
            name = self.names.users_name(node)
            if name is not None and node.op is not None:
                used[node.id] = node
            return name

        gradient = {name: self._gradient(node, label) for name, node in self.wanted.items()}
        where: dict[int, Formula] = {}
        while not self.shortened and (pending := [n for key, n in used.items() if key not in where]):
            where |= {node.id: expanded(node, label) for node in pending}
        named = {self.names.users[number].text: where[number] for number in sorted(where)}
        return Derivation(gradient, named, lambda: tuple(self._steps()))

    def _gradient(self, of: Node, label: Label) -> Formula:
        adjoint = self.working.adjoint(of)
        if adjoint is None:
            return ZERO
        return shortest(adjoint.value) if self.shortened else written(adjoint, label)

    def _steps(self) -> Iterator[DerivationStep]:
        yield from self._values()
        sought = {node.id for node in self.wanted.values()}
        backwards = [e for e in self.working.equalities if e.of.id not in sought and e.of is not self.output]
        yield from self._chain("backwards", backwards)
        for of in self.wanted.values():
            yield from self._chain("gradient", [e for e in self.working.equalities if e.of is of])
            yield from self._last_steps(of)

    def _derivative(self, of: Node) -> Formula:
        """The left side of the steps to an adjoint."""
        name = self.names.gradient(of)
        return Formula(name.text, name.latex)

    def _values(self) -> Iterator[DerivationStep]:
        """The function as a whole where that is short, and its intermediate values."""
        label = self.names.any_name
        whole = length(self.output, self.names.users_name) <= LONGEST_TITLE
        if whole:
            yield DerivationStep("function", OUTPUT, expanded(self.output, self.names.users_name))
        for node in self.names.values:
            if len(self.names.values) > 1 or not whole:
                yield DerivationStep("values", written(node, label), expanded(node, label))

    def _chain(self, part: str, equalities: Sequence[Equality]) -> Iterator[DerivationStep]:
        """The steps to these adjoints; one that changes nothing on paper is left out."""
        before: tuple[int, Formula] | None = None
        for equality in _merged(equalities):
            right = written(equality.node, self.names.any_name)
            if before != (equality.of.id, right):
                left = self._derivative(equality.of)
                yield DerivationStep(part, left, right, self._reasons(equality))
            before = equality.of.id, right

    def _last_steps(self, of: Node) -> Iterator[DerivationStep]:
        """The values that have no name of the user's are written out, and algebra finds the shortest form."""
        left, adjoint = self._derivative(of), self.working.adjoint(of)
        if adjoint is None:
            yield DerivationStep("gradient", left, ZERO, (INDEPENDENT,))
            return
        named, bare = written(adjoint, self.names.any_name), written(adjoint, self.names.users_name)
        if bare != named:
            hidden = ", ".join(name.text for name in self._hidden(adjoint))
            spelled = ", ".join(name.latex for name in self._hidden(adjoint))
            yield DerivationStep("gradient", left, bare, (Reason("written out", Formula(hidden, spelled)),))
        if self.shortened and (short := shortest(adjoint.value)) != bare:
            yield DerivationStep("gradient", left, short, (BY_ALGEBRA,))

    def _reasons(self, equality: Equality) -> tuple[Reason, ...]:
        if isinstance(equality.reason, Rule):
            return (Reason(equality.reason.name, law(equality.reason.law)),)
        if equality.reason:
            names = [self._derivative(of) for of in equality.reason]
            listed = Formula(", ".join(n.text for n in names), ", ".join(n.latex for n in names))
            return (Reason("put in", listed),)
        return tuple(
            Reason(name, self._equation(reader)) for name, reader in self.working.chain_rule(equality.of)
        )

    def _equation(self, node: Node) -> Formula:
        left, right = self.names.any_name(node), expanded(node, self.names.any_name)
        if left is None:
            return right
        return Formula(f"{left.text} = {right.text}", f"{left.latex} = {right.latex}")

    def _hidden(self, node: Node) -> list[Formula]:
        """The names of the derivation's own that a formula holds."""
        found: dict[int, Formula] = {}
        waiting, seen = [node], set()
        while waiting:
            a = waiting.pop()
            if a.id in self.names.own:
                found[a.id] = self.names.own[a.id]
            if self.names.users_name(a) is None:
                behind = [b for b in a.args if type(b) is Node and b.id not in seen]
                seen |= {b.id for b in behind}
                waiting += behind
        return [found[number] for number in sorted(found)]


def _merged(equalities: Sequence[Equality]) -> Iterator[Equality]:
    """The equalities; of several in a row by the same rule only the last."""
    for equality, after in zip_longest(equalities, equalities[1:]):
        one, other = equality.reason, None if after is None else after.reason
        together = isinstance(one, Rule) and isinstance(other, Rule) and one.name == other.name
        if not (together and after is not None and after.of is equality.of):
            yield equality


def written(node: Node, label: Label) -> Formula:
    """A value by its name, else as a formula. Raises ValueError for one that nobody could read."""
    found = label(node)
    return expanded(node, label) if found is None else Formula(found.text, found.latex)


def expanded(node: Node, label: Label) -> Formula:
    """What a value is computed from, in the names of others. Raises ValueError for more than can be read."""
    if node.op is None and label(node) is not None:
        return written(node, label)
    if length(node, label) > LONGEST:
        raise ValueError(
            f"derive: more than {LONGEST:,} operations make no readable formula; name intermediate values, "
            f"or use wengert.explain"
        )
    return write(node, label)
