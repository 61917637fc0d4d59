"""The names that people give to the lines of a worksheet: v1, v_1, v₁, "v-1", x2, v̄₁, \\dot{v}_1, df/dv1."""

from __future__ import annotations

import re
import unicodedata

from wengert.worksheets.worksheet import Worksheet

SUBSCRIPTS = str.maketrans("₋₀₁₂₃₄₅₆₇₈₉⁻−–", "-0123456789---")
BAR, DOT, UPDATE = "adjoint", "tangent", "update"
DERIVATIVE = "derivative"
"""A tangent or an adjoint, whichever the worksheet has."""

MARKS = {"\u0304": BAR, "\u0305": BAR, "\u0307": DOT}
ACCENTS = (
    (re.compile(r"\\(?:bar|overline)(?![a-z])"), BAR),
    (re.compile(r"\\dot(?![a-z])"), DOT),
    (re.compile(r"(?:_|\b)(?:adjoint|adj|bar)(?:\s+of)?(?:_|\b)", re.IGNORECASE), BAR),
    (re.compile(r"(?:_|\b)(?:tangent|dot)(?:\s+of)?(?:_|\b)", re.IGNORECASE), DOT),
    (re.compile(r"(?<=^v)bar(?=[_-]?\d)|(?<=\d)bar$", re.IGNORECASE), BAR),
    (re.compile(r"(?<=^v)dot(?=[_-]?\d)|(?<=\d)dot$", re.IGNORECASE), DOT),
    (
        re.compile(r"(?:\.|_|\b)(?:gradient|grad|derivative|deriv)(?:\s+of)?(?:_|\b)", re.IGNORECASE),
        DERIVATIVE,
    ),
    (re.compile(r"\.(?:g|d)$"), DERIVATIVE),
    (re.compile(r"\.(?:v|value|data)$|(?:_|\b)(?:value|primal)(?:\s+of)?(?:_|\b)", re.IGNORECASE), "primal"),
    (re.compile(r"(?:_|\b)(?:new|updated?|after)(?:_|\b)", re.IGNORECASE), UPDATE),
)
DIFFERENTIAL = re.compile(r"(?:[∂∇]|[dg](?=_?[A-Za-z]))_?(.+)")


class Labels:
    """Finds the line that a written name means."""

    def __init__(self, sheet: Worksheet) -> None:
        self.by_name: dict[str, int] = {}
        for row in sheet.rows:
            for name in (row.name, row.label.text, f"v{row.id}"):
                self.by_name.setdefault(_key(name), row.id)
        self.output = sheet.output

    def find(self, text: str, numbered: bool = False) -> tuple[int, str | None] | None:
        """The row's id, and the part that an accent or a word names, if any; None for no line of the
        worksheet. With ``numbered``, a whole number alone is the number of a line."""
        text = " ".join(re.sub(r"[$`*]|\\(?=[_])", "", text).split())
        if numbered and re.fullmatch(r"-?\d+", text.translate(SUBSCRIPTS)):
            text = f"v{text}"
        return self._plain(text) or self._accented(text) or self._quotient(text)

    def _plain(self, text: str, part: str | None = None) -> tuple[int, str | None] | None:
        key = _key(text)
        if key in self.by_name:
            return self.by_name[key], part
        if key.lower() in self.by_name:
            return self.by_name[key.lower()], part
        if key in ("f", "y", "output") and self.output is not None:
            return self.output, part
        return None

    def _accented(self, text: str) -> tuple[int, str | None] | None:
        part: str | None = None
        letters = []
        for letter in unicodedata.normalize("NFD", text):
            part = MARKS.get(letter, part)
            if letter not in MARKS:
                letters.append(letter)
        rest = "".join(letters)
        for pattern, named in ACCENTS:
            stripped = pattern.sub(" ", rest).strip()
            if stripped != rest.strip() and stripped:
                rest, part = stripped, part or named
        if rest.endswith("'"):
            rest, part = rest[:-1], part or DERIVATIVE
        return self._plain(rest, part) if part else None

    def _quotient(self, text: str) -> tuple[int, str | None] | None:
        """∂f/∂v₁ is an adjoint, ∂v₁/∂x a tangent; dv1 is either."""
        over, slash, under = text.partition("/")
        if slash:
            lower = re.fullmatch(r"\s*[∂dD]\s*(.+)", under)
            upper = re.fullmatch(r"\s*[∂dD]\s*(.+)", over)
            above = self._plain(upper[1]) if upper else None
            if above is not None and above[0] != self.output:
                return above[0], DOT
            return self._plain(lower[1], DERIVATIVE) if lower else None
        alone = DIFFERENTIAL.fullmatch(text)
        return self._plain(alone[1], DERIVATIVE) if alone else None


def _key(text: str) -> str:
    """A name without the ways in which people write its index."""
    return re.sub(r"[\s_{}()\[\]\\]", "", text.translate(SUBSCRIPTS)).strip()
