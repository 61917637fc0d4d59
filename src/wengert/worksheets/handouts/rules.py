"""What a handout says of each use of a value: its local partial, and the name of the rule that is taken."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from wengert.worksheets.derivations.chain_rule_names import rule_name
from wengert.worksheets.handouts.put_in import Symbols
from wengert.worksheets.latex import latex_text
from wengert.worksheets.worksheet import Ref, Row, Step, Term, Worksheet

Partial = tuple[Row, Row, int, Term]
"""An operation, one of its arguments, the place of it where it stands in several (else 0), and the term."""


def partials_of(sheet: Worksheet) -> Iterator[Partial]:
    """The local partials of the operations on numbers, in the order of the operations."""
    rows = {row.id: row for row in sheet.rows}
    found: dict[int, list[tuple[Row, Term]]] = {}
    for row in sheet.rows:
        for term in row.terms:
            reader, argument = (rows[term.row], row) if sheet.mode == "reverse" else (row, rows[term.row])
            if term.partial is not None and not reader.shape and not argument.shape:
                found.setdefault(reader.id, []).append((argument, term))
    for number in sorted(found):
        reader = rows[number]
        uses = sorted(found[number], key=lambda use: reader.args.index(use[0].id))
        several, seen = Counter(argument.id for argument, _ in uses), Counter[int]()
        for argument, term in uses:
            seen[argument.id] += 1
            yield reader, argument, seen[argument.id] if several[argument.id] > 1 else 0, term


def rules_of(sheet: Worksheet, row: Row, symbols: Symbols) -> str:
    """The rules by which the adjoint of a row comes back, in LaTeX: ``product rule in $v_{3}$``."""
    steps, number = sheet.recording.steps, sheet.recording.primal.get(row.id)
    if number is None:
        return ""
    names = []
    for reader in dict.fromkeys(term.row for term in reversed(row.terms)):
        step = steps[sheet.recording.primal[reader]]
        used = symbols.rows[reader]
        for place, argument in enumerate(step.args):
            if argument == Ref(number):
                name = rule_name(step.op, place, _has_number(step, steps), row.shape != used.shape)
                names.append(f"{latex_text(name)} in ${symbols.name(used)}$")
    return "; ".join(dict.fromkeys(names))


def _has_number(step: Step, steps: tuple[Step, ...]) -> bool:
    """Whether the program writes one of the operands as a number."""

    def written(a: object) -> bool:
        value = steps[a.step] if isinstance(a, Ref) else None
        return value is None or (value.op == "constant" and not getattr(value.value, "shape", ()))

    return any(map(written, step.args))
