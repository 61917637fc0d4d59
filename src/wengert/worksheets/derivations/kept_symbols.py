"""Operations that a derivation keeps as a symbol: relu written as σ, and its derivative as σ′."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from wengert.ops.arithmetic import ones_like, zeros_like
from wengert.ops.kinds import Elementwise, Select
from wengert.ops.op import ALIASES, TABLE, Op
from wengert.worksheets.latex import latex_name

PRIME = "′"


def kept_operations(symbols: Mapping[str, str]) -> dict[str, Elementwise]:
    """For each operation's name the operation that stands in for it.

    Raises ValueError for a name that the table does not have, or an operation of several arguments.
    """
    found = {}
    for word, symbol in symbols.items():
        op = TABLE.get(ALIASES.get(word, word))
        if op is None:
            raise ValueError(f"symbols: the table has no operation {word!r}")
        if not (isinstance(op, (Elementwise, Select)) and op.arity == 1):
            raise ValueError(
                f"symbols: {word!r} is no function of one argument that works entry by entry, as 'relu' and "
                f"'sigmoid' are; only such a function has a derivative {symbol}{PRIME} of that kind"
            )
        found[op.name] = _kept(op, symbol)
    return found


def _kept(op: Op, symbol: str) -> Elementwise:
    """The operation itself, which pulls an adjoint back by a derivative that is a symbol too."""
    primed = _written(op, op.name + PRIME, symbol + PRIME, definition=lambda x, **p: _slope(op, x, p))
    return _written(op, op.name, symbol, partials=(lambda x, y, **params: primed.apply((x,), params),))


def _written(op: Op, name: str, symbol: str, **row: Any) -> Elementwise:
    """The row under another name, outside the table: it lives as long as the derivation does."""
    spelled = latex_name(symbol.removesuffix(PRIME)) + ("'" if symbol.endswith(PRIME) else "")
    spelled = spelled.replace("{", "{{").replace("}", "}}")  # a template
    written = {"name": name, "tex": rf"{spelled}({{0}})", "text": f"{_escaped(symbol)}({{0}})"}
    found: Elementwise = object.__new__(Elementwise)
    found.__dict__.update({**op.__dict__, "precedence": 100, "partials": (), **written, **row})
    found.implementations, found.by_types = {}, {}
    return found


def _escaped(symbol: str) -> str:
    return symbol.replace("{", "{{").replace("}", "}}")


def _slope(op: Op, x: Any, params: Mapping[str, Any]) -> Any:
    """The derivative of an operation, entry by entry."""
    pull: Callable[..., Any] = op.vjp
    (found,) = pull(ones_like(x), (x,), op.apply((x,), params), params, (x,))
    return zeros_like(x) if found is None else found
