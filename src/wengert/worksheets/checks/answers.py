"""Answers to the questions of a worksheet, checked one by one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from wengert.worksheets.checks.hand_tables import blocks_of, content_of
from wengert.worksheets.checks.slips import Candidate, Slip, likely
from wengert.worksheets.checks.table_verdict import MISSING, RIGHT, WRONG, LineVerdict, TableVerdict
from wengert.worksheets.checks.usual_slips import multiples
from wengert.worksheets.checks.written_numbers import WrittenNumber, as_written, read_number


@dataclass(frozen=True)
class Answer:
    """The answer to a question: a number, or a list of numbers."""

    label: str
    question: str
    right: Any

    @property
    def value(self) -> Any:
        """The answer in floats."""
        if not isinstance(self.right, list):
            return float(self.right)
        import numpy as np

        return np.array([float(part) for part in self.right])


def check_answers(answers: Sequence[Answer], table: Any, what: str) -> TableVerdict:
    """The verdict on a sheet of answers: a dict from label to answer, or a table whose first column has the
    labels and whose last one has the answers. Raises ValueError where no label is recognised."""
    given = _given(table, {each.label for each in answers})
    if not given:
        labels = ", ".join(each.label for each in answers)
        raise ValueError(f"table: no line belongs to {what!r}; expected lines with the labels {labels}")
    return TableVerdict(tuple(_judged(k, each, given.get(each.label)) for k, each in enumerate(answers)))


def _given(table: Any, labels: set[str]) -> dict[str, WrittenNumber | None]:
    if isinstance(table, Mapping):
        known = {str(label): value for label, value in table.items() if str(label) in labels}
        return {label: None if value is None else as_written(value) for label, value in known.items()}
    text = content_of(table) if isinstance(table, Path) else str(table)
    found = {}
    for block in blocks_of(text):
        for row in block:
            label = re.sub(r"[().\s*:]", "", row[0]) if row else ""
            if label in labels and len(row) > 1:
                try:
                    found[label] = read_number(re.sub(r"^\((.*,.*)\)$", r"[\1]", row[-1].strip()))
                except ValueError as error:
                    raise ValueError(f"table: {label}: {error}") from None
    return found


def _judged(number: int, each: Answer, given: WrittenNumber | None) -> LineVerdict:
    status, slip = MISSING, None
    if given is not None and given.agrees(each.value):
        status = RIGHT
    elif given is not None:
        found = [Candidate(Slip(kind, words), value) for kind, words, value in multiples(each.value)]
        slip, _ = likely(
            given, each.value, [[Candidate(Slip("sign", "the sign is wrong"), -each.value), *found]]
        )
        status = WRONG
    text = None if given is None else given.text
    return LineVerdict(
        number, "answer", each.label, each.label, "", status, text, each.value, each.value, slip
    )
