"""What the values and the adjoints of a derivation are called."""

from __future__ import annotations

from wengert.numbers.graph import Node
from wengert.ops.arithmetic import multiply
from wengert.ops.kinds import shape
from wengert.worksheets.latex import latex_name
from wengert.worksheets.tracing import Trace
from wengert.worksheets.worksheet import Formula
from wengert.worksheets.written import SUBSCRIPTS, LooseName

OUTPUT = Formula("f", "f")


class Names:
    """The user's names, and v₁, v₂, … for the values that have none."""

    def __init__(self, trace: Trace, primal: list[Node]) -> None:
        self.output = trace.output
        self.users = {key: Formula(name, latex_name(name)) for key, name in trace.names.items()}
        self.own: dict[int, Formula] = {}
        self.values: list[Node] = []
        """The operations that have a name, in order."""
        taken, count = set(trace.names.values()), 0
        varying = {node.id for node in trace.inputs}
        for node in primal:
            if node.op is None or not any(type(a) is Node and a.id in varying for a in node.args):
                continue
            varying.add(node.id)
            if not node.op.differentiable or isinstance(node.value, tuple):
                continue
            self.values.append(node)
            if node is trace.output and "f" not in taken:
                self.own[node.id] = OUTPUT
            elif node.id not in self.users:
                count += 1
                while f"v{count}" in taken:
                    count += 1
                self.own[node.id] = Formula(f"v{str(count).translate(SUBSCRIPTS)}", f"v_{{{count}}}")

    def users_name(self, node: Node) -> Formula | None:
        """The name that the function gives to a value; None where it gives none."""
        return self.users.get(node.id)

    def any_name(self, node: Node) -> Formula | None:
        """The name of a value or of an adjoint."""
        if node.of is not None:
            return Formula("1", "1") if node.of is self.output else self.gradient(node.of)
        return self.users.get(node.id) or self.own.get(node.id)

    def gradient(self, of: Node) -> Formula:
        """The derivative of f with respect to a value: ∂f/∂x of a number, ∇_W f of an array."""
        name = self.users.get(of.id) or self.own.get(of.id) or OUTPUT
        if shape(of):
            return LooseName(f"∇_{name.text} f", rf"\nabla_{{{name.latex}}} f", multiply.precedence, "⊙")
        return LooseName(
            f"∂f/∂{name.text}", rf"\frac{{\partial f}}{{\partial {name.latex}}}", multiply.precedence, "·"
        )
