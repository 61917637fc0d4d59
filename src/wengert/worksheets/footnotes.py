"""The footnotes of a worksheet: which derivative was chosen at a kink, and where a NaN was born."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from wengert.numbers.graph import Node
from wengert.ops.kinds import shape
from wengert.worksheets.values import format_value
from wengert.worksheets.worksheet import Formula


def footnotes_of(
    nodes: Sequence[Node], names: Mapping[int, str], labels: Mapping[int, Formula]
) -> tuple[tuple[str, ...], dict[int, tuple[int, ...]]]:
    """The texts, and for a node's id which of them it bears."""
    texts: list[str] = []
    notes: dict[int, tuple[int, ...]] = {}
    for node in nodes:
        if node.op is None:
            continue
        for text in (node.op.kink, _birth_of_nan(node, names, labels)):
            if text is not None:
                if text not in texts:
                    texts.append(text)
                notes[node.id] = (*notes.get(node.id, ()), texts.index(text))
    return tuple(texts), notes


def _birth_of_nan(node: Node, names: Mapping[int, str], labels: Mapping[int, Formula]) -> str | None:
    assert node.op is not None
    values = [a.value if type(a) is Node else a for a in node.args]
    if not has_nan(node.value) or any(map(has_nan, values)):
        return None
    words = []
    for a, value in zip(node.args, values, strict=True):
        if type(a) is Node and a.id in labels and not shape(value):
            words.append(f"{names.get(a.id, labels[a.id].text)} = {format_value(value)}")
    where = f"; here {', '.join(words)}" if words else ""
    domain = f": {node.op.name} is defined for {node.op.domain}" if node.op.domain else ""
    return f"{labels[node.id].text} is not a number, though all before it are{domain}{where}"


def has_nan(value: Any) -> bool:
    """Whether a value is NaN (or sympy's undefined infinity), or an array that holds one."""
    if isinstance(value, (tuple, list)):
        return any(map(has_nan, value))
    if hasattr(value, "free_symbols"):
        return str(value) in ("nan", "zoo")
    try:
        unequal = value != value
        return bool(
            unequal.any() if shape(unequal) else unequal is True or (hasattr(unequal, "dtype") and unequal)
        )
    except (TypeError, ValueError):
        return False
