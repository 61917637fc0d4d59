"""`derive`: the analytic gradient of a function as a simplified formula, and how it comes about."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from wengert.expressions import CONSTANTS, parse
from wengert.graph.replay import needed_for
from wengert.worksheets.derivation import Derivation
from wengert.worksheets.derivations.kept_symbols import kept_operations
from wengert.worksheets.derivations.report import Report
from wengert.worksheets.explain import wanted_inputs
from wengert.worksheets.number_choice import functions
from wengert.worksheets.tracing import function_of, new_trace, trace_call

MOST_NODES = 300


def derive(
    f: Callable[..., Any] | str,
    *args: Any,
    wrt: str | Sequence[str] | None = None,
    names: Sequence[str] | None = None,
    symbols: Mapping[str, str] | None = None,
) -> Derivation:
    """The gradient of f as formulas, from the same rules that compute it, with every step that leads there.

    Without arguments, f is a function (or an expression) of numbers, and sympy simplifies the result. With
    example arguments, f may compute with matrices: the formula holds for any values of these shapes. Names
    that f gives to its own intermediate values are kept, and listed under "where". ``symbols`` keeps
    operations as symbols: ``{"relu": "σ"}`` writes relu as σ, and its derivative as σ′.

    Raises ValueError for a function of more than 300 operations, or a formula of more than 2,000 (`explain`
    shows those step by step), ImportError where sympy is missing.

    >>> import numpy as np, wengert
    >>> print(wengert.derive("sigmoid(z)"))
    ∇_z f = σ(z)·(1 - σ(z))
    >>> found = wengert.derive(lambda x: wengert.sum(x * x), np.ones(3))
    >>> print(found)
    ∇_x f = 2·x
    >>> print(found.steps[-1].rule)
    equal terms are counted
    """
    kept = kept_operations(symbols or {})
    by_algebra = not args
    if by_algebra:
        names = _names_of_numbers(f, names)
        args = (0.0,) * len(names)
    function, found = function_of(f, args, names)
    trace = new_trace("symbolic" if by_algebra else "float", share=True, name_derivatives=False)
    trace_call(trace, function, args, found)
    if len(needed_for([trace.output])) > MOST_NODES:
        raise ValueError(
            f"derive: more than {MOST_NODES} operations make no readable formula; use wengert.explain"
        )
    for node in trace.graph:
        if node.op is not None:
            node.op = kept.get(node.op.name, node.op)
    by_name = {trace.names[node.id]: node for node in trace.inputs}
    wanted = {name: by_name[name] for name in wanted_inputs(wrt, trace, "reverse")}
    return Report(trace, wanted, shortened=by_algebra and not kept).derivation()


def _names_of_numbers(f: Callable[..., Any] | str, names: Sequence[str] | None) -> list[str]:
    if isinstance(f, str):
        found = list(names or parse(f, functions(), CONSTANTS).names)
    else:
        count = getattr(getattr(f, "__code__", None), "co_argcount", 0)
        found = list(names or (f.__code__.co_varnames[:count] if count else ()))
    if not found:
        raise ValueError("derive: the function has no inputs to differentiate with respect to")
    return found
