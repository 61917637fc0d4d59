"""`derive`: the analytic gradient of a function as a simplified formula."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.expressions import CONSTANTS, parse
from wengert.graph.replay import needed_for
from wengert.numbers.graph import Node
from wengert.worksheets.explain import explain, run_backwards, wanted_inputs
from wengert.worksheets.formula import Label, length, write
from wengert.worksheets.latex import latex_name
from wengert.worksheets.number_choice import functions
from wengert.worksheets.tracing import function_of, new_trace, trace_call
from wengert.worksheets.worksheet import Formula

MOST_NODES = 300
LONGEST = 2_000


@dataclass(frozen=True)
class Derivation:
    """The formulas of a gradient, and in ``where`` what the function's own names in them stand for."""

    gradient: dict[str, Formula]
    where: dict[str, Formula]

    def __getitem__(self, name: str) -> Formula:
        return self.gradient[name]

    def __str__(self) -> str:
        lines = [f"∇_{name} f = {formula.text}" for name, formula in self.gradient.items()]
        lines += [f"where {name} = {formula.text}" for name, formula in self.where.items()]
        return "\n".join(lines)

    def to_latex(self) -> str:
        """The formulas in LaTeX, one a line, for amsmath's ``align*``."""
        lines = [
            rf"\nabla_{{{latex_name(name)}}} f &= {formula.latex}" for name, formula in self.gradient.items()
        ]
        lines += [
            rf"\text{{where }} {latex_name(name)} &= {formula.latex}" for name, formula in self.where.items()
        ]
        return " \\\\\n".join(lines)

    def _repr_latex_(self) -> str:
        return rf"$$\begin{{align*}}{self.to_latex()}\end{{align*}}$$"


def derive(
    f: Callable[..., Any] | str,
    *args: Any,
    wrt: str | Sequence[str] | None = None,
    names: Sequence[str] | None = None,
) -> Derivation:
    """The gradient of f as formulas, from the same rules that compute it.

    Without arguments, f is a function (or an expression) of numbers, and sympy simplifies the result. With
    example arguments, f may compute with matrices: the formula holds for any values of these shapes. Names
    that f gives to its own intermediate values are kept, and listed under "where".

    Raises ValueError for a function of more than 300 operations, or a formula of more than 2,000 (`explain`
    shows those step by step), ImportError where sympy is missing.

    >>> import numpy as np, wengert
    >>> print(wengert.derive("sigmoid(z)"))
    ∇_z f = σ(z)·(1 - σ(z))
    >>> print(wengert.derive(lambda x: wengert.sum(x * x), np.ones(3)))
    ∇_x f = 2·x
    """
    if not args:
        return _of_numbers(f, wrt, names)
    function, found = function_of(f, args, names)
    trace = new_trace("float", share=True, name_derivatives=False)
    trace_call(trace, function, args, found)
    if len(needed_for([trace.output])) > MOST_NODES:
        raise ValueError(
            f"derive: more than {MOST_NODES} operations make no readable formula; use wengert.explain"
        )
    adjoints = run_backwards(trace)
    used: dict[int, Node] = {}

    def label(node: Node) -> Formula | None:
        name = trace.names.get(node.id)
        if name is None:
            return None
        if node.op is not None:
            used[node.id] = node
        return Formula(name, latex_name(name))

    by_name = {trace.names[node.id]: node for node in trace.inputs}
    gradient = {}
    for name in wanted_inputs(wrt, trace, "reverse"):
        adjoint = adjoints.get(by_name[name].id)
        gradient[name] = Formula("0", "0") if adjoint is None else _formula(adjoint, label)
    written: dict[int, Formula] = {}
    while pending := [node for number, node in used.items() if number not in written]:
        written |= {node.id: _formula(node, label) for node in pending}
    return Derivation(gradient, {trace.names[number]: written[number] for number in sorted(written)})


def _formula(node: Node, label: Label) -> Formula:
    found = label(node) if node.op is None else None
    if found is not None:
        return found
    if length(node, label) > LONGEST:
        raise ValueError(
            f"derive: more than {LONGEST:,} operations make no readable formula; name intermediate values, "
            f"or use wengert.explain"
        )
    return write(node, label)


def _of_numbers(
    f: Callable[..., Any] | str, wrt: str | Sequence[str] | None, names: Sequence[str] | None
) -> Derivation:
    if isinstance(f, str):
        names = names or parse(f, functions(), CONSTANTS).names
    count = len(names) if names else getattr(getattr(f, "__code__", None), "co_argcount", 0)
    if not count:
        raise ValueError("derive: the function has no inputs to differentiate with respect to")
    sheet = explain(f, *[0.0] * count, wrt=wrt, numbers="symbolic", names=names)
    return Derivation({name: _simplest(value) for name, value in sheet.gradient.items()}, {})


def _simplest(value: Any) -> Formula:
    """The shortest form that sympy finds, with σ for the logistic function."""
    import sympy

    candidates = [sympy.simplify(value), sympy.factor(sympy.simplify(value))]
    sigmas = {}
    for symbol in sorted(value.free_symbols, key=str):
        sigma = sympy.Symbol(f"σ({symbol})")
        sigmas[sigma] = rf"\sigma\left({sympy.latex(symbol)}\right)"
        rewritten = sympy.simplify(value.rewrite(sympy.exp).subs(sympy.exp(-symbol), (1 - sigma) / sigma))
        rewritten = rewritten.subs(sympy.exp(symbol), sigma / (1 - sigma))
        if value.has(sympy.exp):
            candidates += [sympy.simplify(rewritten), sympy.factor(sympy.simplify(rewritten))]
    best = min(candidates, key=lambda e: (sympy.count_ops(e), len(str(e))))
    terms = sympy.Add.make_args(best)
    text = _sum(terms, str).replace("**", "^").replace("*", "·")
    return Formula(text, _sum(terms, lambda term: sympy.latex(term, symbol_names=sigmas)))


def _sum(terms: Sequence[Any], spell: Callable[[Any], str]) -> str:
    """The terms in sympy's order, but no minus sign in front where another term can stand there."""
    ordered = sum(terms).as_ordered_terms()
    if spell(ordered[0]).startswith("-"):
        ordered.sort(key=lambda term: spell(term).startswith("-"))
    words = [spell(term) for term in ordered]
    signed = (f" - {word[1:].lstrip()}" if word.startswith("-") else f" + {word}" for word in words[1:])
    return "".join([words[0], *signed])
