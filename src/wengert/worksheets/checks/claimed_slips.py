"""The slips behind a wrong derivative of a whole function: one slip somewhere, carried on to the end."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from wengert.ops.kinds import shape
from wengert.worksheets.checks.lines import FAILURES, Lines, Place
from wengert.worksheets.checks.slips import Candidate, Slip
from wengert.worksheets.checks.usual_slips import candidates
from wengert.worksheets.worksheet import Worksheet

MOST_ROWS = 100
"""In a longer worksheet, only slips in the last line are tried."""

LONGEST = 40
LABEL = re.compile(r"v[\u0304\u0307]?[₋₀₁₂₃₄₅₆₇₈₉]+")
LOOSE = re.compile(r"[\s+·/()^-]")
TIGHTNESS = {"+": 1, "-": 1, "·": 2, "/": 2, "⊙": 2, "@": 2, "^": 3, "²": 3, "³": 3}
BEFORE = {"+": 1, "-": 2, "·": 2, "⊙": 3, "@": 3, "/": 3, "^": 5}
AFTER = {"+": 1, "-": 1, "·": 2, "⊙": 3, "@": 3, "/": 2}
ENDS = "),]|>=<"


def derivative_slips(sheet: Worksheet, name: str) -> Iterator[Candidate]:
    """What each usual slip makes of the derivative with respect to one input, the likeliest first."""
    lines = Lines(sheet)
    own: Place = (lines.part, lines.step[sheet[name].id])
    written = _Names(sheet)
    direct = [_said(candidate, written) for candidate in candidates(lines, own, lines.truth)]
    simple = ("sign", "missing term", "dropped factor", "transpose")
    yield from (candidate for candidate in direct if candidate.slip.kind in simple)
    yield from _of_other_inputs(lines, sheet, name)
    yield from (candidate for candidate in direct if candidate.slip.kind not in simple)
    if len(sheet.rows) > MOST_ROWS:
        return
    reading = _behind(lines, own)
    for place in reversed(lines.order):
        if place in reading and lines.shown(place):
            for candidate in candidates(lines, place, lines.truth):
                value = _carried(lines, place, candidate, own)
                if value is not None:
                    yield Candidate(_said(candidate, written).slip, value)
    yield from _with_an_input(lines, sheet, lines.truth[own])


def _of_other_inputs(lines: Lines, sheet: Worksheet, name: str) -> Iterator[Candidate]:
    for other in sheet.gradient:
        if other != name:
            value = lines.truth[lines.part, lines.step[sheet[other].id]]
            yield Candidate(Slip("other input", f"this is the derivative with respect to {other}"), value)


def _with_an_input(lines: Lines, sheet: Worksheet, right: Any) -> Iterator[Candidate]:
    """The derivative with an input as a factor too few or too many."""
    for row in sheet.rows:
        value = lines.truth["primal", lines.step[row.id]]
        if row.op == "input" and not shape(value) and not shape(right) and value not in (0, 1, -1):
            yield Candidate(Slip("dropped factor", f"a factor {row.name} is left out"), right / value)
            yield Candidate(Slip("factor", f"a factor {row.name} too much"), right * value)


def _behind(lines: Lines, own: Place) -> set[Place]:
    """The derivatives from which one follows."""
    found, waiting = set(), [own]
    while waiting:
        for place in lines.reads(waiting.pop()):
            if place[0] == own[0] and place not in found and place in lines.truth:
                found.add(place)
                waiting.append(place)
    return found


def _carried(lines: Lines, place: Place, candidate: Candidate, own: Place) -> object:
    """The derivative that follows from a slip in a line; None where none does."""
    numbers = dict(lines.truth)
    if shape(candidate.value) != shape(numbers[place]):
        return None
    numbers[place] = candidate.value
    after = lines.order[lines.order.index(place) + 1 :]
    try:
        for other in after:
            if other[0] == own[0]:
                numbers[other] = lines.rule(other, numbers)
    except FAILURES:
        return None
    return numbers[own]


def _said(candidate: Candidate, written: _Names) -> Candidate:
    words = LABEL.sub(lambda found: written[found[0]], candidate.slip.words).replace("∂f/∂f·", "")
    return Candidate(Slip(candidate.slip.kind, words), candidate.value)


class _Names:
    """What each label stands for, in the names of the inputs where that is short: x² for v₁, and ∂f/∂(x²)
    for its adjoint."""

    def __init__(self, sheet: Worksheet) -> None:
        self.texts: dict[str, str] = {}
        for row in sheet.rows:
            text = row.name
            if row.args and row.name == row.label.text:
                text = LABEL.sub(lambda found: self._operand(found), row.formula.text)
            text = "f" if row.id == sheet.output else text
            self.texts[row.label.text] = text if len(text) <= LONGEST else row.label.text

    def __getitem__(self, label: str) -> str:
        plain = re.sub("[\u0304\u0307]", "", label)
        text = self.texts.get(plain, plain)
        if plain == label:
            return text
        return f"∂f/∂({text})" if LOOSE.search(text) else f"∂f/∂{text}"

    def _operand(self, found: re.Match[str]) -> str:
        """What stands for a label in a formula, in brackets where it would come apart."""
        text = self.texts.get(found[0], found[0])
        before, after = found.string[: found.start()].rstrip()[-1:], found.string[found.end() :].lstrip()[:1]
        needed = max(BEFORE.get(before, 0), AFTER.get(after, 4 if after and after not in ENDS else 0))
        return f"({text})" if _tightness(text) < needed else text


def _tightness(text: str) -> int:
    """How tightly the loosest operation of a formula binds: 1 for a sum, 2 for a product, 5 for a name."""
    depth, found = 0, 5
    for letter in text:
        depth += (letter in "([") - (letter in ")]")
        if depth == 0 and letter in TIGHTNESS:
            found = min(found, TIGHTNESS[letter])
    return found
