"""A worksheet as the JSON that the page shows and computes with.

Keys: what the heading says, ``rows`` (formulas, engine's values, and the numbers of the steps that compute
them), ``groups`` (what folds), ``derivation`` (its steps, where there is one), ``steps`` (the program, each
step ``[operation, arguments, settings]`` or, for a leaf, ``[role, value]``), ``arrays`` (their entries),
``source`` and ``footnotes``.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import PurePath
from typing import Any

from wengert.numbers.dtypes import get_default_dtype
from wengert.ops.op import TABLE, Op, lookup
from wengert.worksheets.columns import LEAVES, heading
from wengert.worksheets.derivation import PARTS, Derivation, DerivationStep
from wengert.worksheets.page.encoding import Pool, encoded, setting
from wengert.worksheets.page.grouping import groups
from wengert.worksheets.values import Json, printable
from wengert.worksheets.worksheet import Formula, Recording, Ref, Row, Source, Step, Term, Worksheet
from wengert.worksheets.written import FUNCTION

BUDGET = 16_000_000
"""How many bytes of entries a page holds; other arrays are shown by their statistics."""

SHOWN_ONLY = {
    "exact": "Exact numbers are shown as the engine computed them; this page cannot compute with fractions.",
    "symbolic": "Symbols have no value to change.",
    "interval": "Intervals are shown as the engine computed them: this page cannot round outwards.",
    "mp": "These numbers have more digits than this page can compute with.",
}


def page_data(
    sheet: Worksheet, budget: int = BUDGET, derivation: Derivation | None = None
) -> dict[str, Json]:
    """All that the page needs of the worksheet. ``budget`` is how many bytes of arrays it may hold."""
    program = _Program(sheet, Pool(budget))
    rows: list[Json] = [program.row(row) for row in sheet.rows]
    return {
        "expression": printable(sheet.expression),
        "heading": printable(heading(sheet)),
        "mode": sheet.mode,
        "numbers": sheet.numbers,
        "digits": sheet.digits,
        "wrt": [printable(name) for name in sheet.wrt],
        "output": sheet.output,
        "value": program.value(sheet.value),
        "footnotes": [printable(note) for note in sheet.footnotes],
        "defaultFloat": str(get_default_dtype()),
        "readOnly": _read_only(sheet),
        "rows": rows,
        "groups": groups(sheet),
        "steps": program.steps,
        "source": _source(sheet.source),
        "derivation": None if derivation is None else [_derivation_step(step) for step in derivation.steps],
        "arrays": program.pool.stored,
        "leftOut": program.pool.left_out,
    }


def _read_only(sheet: Worksheet) -> str | None:
    """Why the inputs cannot be changed; None where they can."""
    if sheet.numbers == "float":
        return None if sheet.recording.steps else "This worksheet does not say how to compute its values."
    return SHOWN_ONLY[sheet.numbers.partition(":")[0]]


def _derivation_step(step: DerivationStep) -> Json:
    return {
        "part": PARTS[step.part],
        "left": step.left.latex,
        "right": step.right.latex,
        "reasons": [[r.rule, None if r.formula is None else r.formula.latex] for r in step.reasons],
    }


def _source(source: Source | None) -> Json:
    if source is None:
        return None
    return {
        "name": printable(source.name),
        "file": printable(PurePath(source.file).name),
        "first": source.first,
        "lines": [printable(line) for line in source.lines],
    }


class _Program:
    """The steps of the recording with equal ones told once, and the rows that point into them."""

    def __init__(self, sheet: Worksheet, pool: Pool) -> None:
        self.sheet, self.pool = sheet, pool
        self.steps: list[Json] = []
        self._known: dict[Any, int] = {}
        recording = sheet.recording if sheet.numbers == "float" else Recording()
        self._number: list[int] = []
        for step in recording.steps:
            self._number.append(self._step(step))
        self.recording = recording

    def value(self, value: Any) -> Json:
        return encoded(value, self.pool, self.sheet.digits, self.sheet.numbers)

    def _step(self, step: Step) -> int:
        if step.op in LEAVES:
            return self._leaf(step.op, step.value)
        args: list[Json] = [
            self._number[a.step] if isinstance(a, Ref) else self._leaf("constant", a) for a in step.args
        ]
        settings: Json = {name: setting(value) for name, value in step.params.items()}
        return self._listed((step.op, tuple(args), repr(settings)), [step.op, args, settings])

    def _leaf(self, role: str, value: Any) -> int:
        told = self.value(value)
        key = (role, repr(told)) if role == "constant" else ("leaf", len(self.steps))
        return self._listed(key, [role, told])

    def _listed(self, key: Any, step: Json) -> int:
        if key not in self._known:
            self._known[key] = len(self.steps)
            self.steps.append(step)
        return self._known[key]

    def _place(self, places: Mapping[int, int], row: int) -> int | None:
        return self._number[places[row]] if row in places else None

    def row(self, row: Row) -> Json:
        recording = self.recording
        derivative = row.adjoint_formula if self.sheet.mode == "reverse" else row.tangent_formula
        moved = row.adjoint if self.sheet.mode == "reverse" else row.tangent
        own, left, right = _precedences(row.op)
        return {
            "id": row.id,
            "name": printable(row.name),
            "op": row.op,
            "args": list(row.args),
            "primal": self._part(row.formula, row.value, self._place(recording.primal, row.id)),
            "derivative": self._part(derivative, moved, self._place(recording.derivative, row.id)),
            "update": self._part(row.update_formula, row.update, self._place(recording.update, row.id)),
            "terms": [self._term(row.id, place, term) for place, term in enumerate(row.terms)],
            "precedence": [own, left, right],
            "module": [printable(name) for name in row.module],
            "line": None if row.line is None else printable(row.line),
            "lineNumber": row.line_number,
            "notes": list(row.notes),
        }

    def _part(self, formula: Formula | None, value: Any, step: int | None, text: bool = True) -> Json:
        if formula is None and value is None:
            return None
        told: dict[str, Json] = {"value": self.value(value), "step": step}
        told["latex"] = "" if formula is None else printable(formula.latex)
        if text:
            told["text"] = "" if formula is None else printable(formula.text)
        return told

    def _term(self, row: int, place: int, term: Term) -> Json:
        steps, partials = self.recording.terms.get(row, ()), self.recording.partials.get(row, ())
        step = self._number[steps[place]] if place < len(steps) else None
        partial = partials[place] if place < len(partials) else None
        number = None if partial is None else self._number[partial]
        return {
            "row": term.row,
            "term": self._part(term.formula, term.value, step, text=False),
            "partial": self._part(term.partial, term.partial_value, number, text=False),
        }


def _precedences(name: str) -> tuple[int, int, int]:
    """How tightly an operation binds, and how tightly its operands must: as `formula.write` has it."""
    op: Op | None = lookup(name) if name in TABLE else None
    if op is None:
        return 100, 0, 0
    if op.infix is not None and op.arity == 2:
        return op.precedence, op.precedence, op.precedence + (op.name in ("subtract", "divide"))
    outer = op.precedence if op.text or (op.tex and not op.tex.startswith("\\")) else FUNCTION
    return outer, outer + 1, outer + 1
