"""The shortest form of a formula of numbers that computer algebra finds."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from wengert.worksheets.worksheet import Formula


def shortest(value: Any) -> Formula:
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
