"""Chains of equalities set in lines of bearable length."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from wengert.worksheets.handouts.document import aligned

WIDEST = 80  # characters beside each other at 11 points on A4
OPERATOR = re.compile(r" (?:\+|-|\\cdot|\\odot) ")
FRACTION = re.compile(r"\\t?frac\{([^{}]*)\}\{([^{}]*)\}")
ARRAY = re.compile(r"\\begin\{array\}\{\w*\}(.*?)\\end\{array\}")
GROUP = re.compile(r"\{([^{}]*)\}")
WORDLESS = re.compile(r"\\(?:left|right|mathsf|mathrm|mathbf|text|operatorname|quad|,|bar|dot|hat|tilde)\s?")


@dataclass(frozen=True)
class Equation:
    """``left = first = second = …``, with a remark at the margin. All of it is LaTeX."""

    left: str
    parts: tuple[str, ...]
    remark: str = ""
    relation: str = "="


def equations(lines: Iterable[Equation]) -> list[str]:
    """The equations in ``align*`` environments, broken before a relation, and at an operator where one part
    alone is too long."""
    return aligned(line for equation in lines for line in _lines(equation))


def _lines(equation: Equation) -> Iterator[str]:
    room = WIDEST - width_of(equation.left)
    lines, width, relation = [equation.left], 0, equation.relation
    for part in equation.parts:
        wide = width_of(part)
        if width and width + wide > room:
            lines.append("")
            width = 0
        first, *more = _broken(part, wide, room)
        lines[-1] += f" {relation} {first}" if width else f" &{relation} {first}"
        lines += more
        width, relation = width + wide, "="
    remark = rf" \tag*{{\footnotesize {equation.remark}}}" if equation.remark else ""
    yield from (line.strip() for line in (*lines[:-1], lines[-1] + remark))


def fits(latex: str) -> bool:
    """Whether a formula fits a line, or may be broken into pieces that do."""
    return max(map(width_of, _broken(latex, width_of(latex), WIDEST))) <= WIDEST


def width_of(latex: str) -> int:
    """About how many characters stand beside each other in a formula."""
    latex = ARRAY.sub(lambda array: "  " + max(array[1].split(r"\\"), key=len).replace("&", " "), latex)
    while (simpler := FRACTION.sub(lambda parts: max(map(_flat, parts.groups()), key=len), latex)) != latex:
        latex = simpler
    while (simpler := GROUP.sub(r"\1", latex)) != latex:
        latex = FRACTION.sub(lambda parts: max(map(_flat, parts.groups()), key=len), simpler)
    return len(_flat(latex))


def _flat(latex: str) -> str:
    """A formula without fractions as one character for each sign."""
    return re.sub(r"[_^{}]", "", re.sub(r"\\[A-Za-z]+ ?", "x", WORDLESS.sub("", latex)))


def _broken(latex: str, width: int, room: int) -> list[str]:
    """A part that is too long in pieces, broken before operators outside all brackets."""
    if width <= room:
        return [latex]
    pieces, start = [], 0
    longest = len(latex) * room // width
    for place in _places(latex):
        if place - start > longest * 2 // 3:
            pieces.append(latex[start:place])
            start = place
    pieces.append(latex[start:])
    return [pieces[0], *(rf"&\quad{{}} {piece.strip()}" for piece in pieces[1:])]


def _places(latex: str) -> Iterator[int]:
    """Where an operator stands outside braces, brackets and fractions."""
    for match in OPERATOR.finditer(latex):
        before = latex[: match.start()]
        braces = len(re.findall(r"(?<!\\){", before)) - len(re.findall(r"(?<!\\)}", before))
        if not braces and before.count(r"\left") == before.count(r"\right"):
            yield match.start()
