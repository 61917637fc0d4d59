"""Tables of values and derivatives as people hand them in: dictionaries, CSV, Markdown, lines of text."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from wengert.worksheets.checks.hand_labels import BAR, DERIVATIVE, DOT, UPDATE, Labels
from wengert.worksheets.checks.written_numbers import WrittenNumber, as_written, read_number
from wengert.worksheets.worksheet import Worksheet

RULE = re.compile(r"[\s|:+=-]*--[\s|:+=-]*")
SUMMARY = re.compile(r"\b(?:min=.*max|entries|true|NaN|infinite)=")
LARGEST = 5_000_000
FORMULA, VALUE = "formula", "value"
HEADS = (
    (re.compile(r"formula|expression|equation|rule|how|operation\b|^op$", re.IGNORECASE), FORMULA),
    (re.compile(r"update|after|new", re.IGNORECASE), UPDATE),
    (re.compile(r"adjoint|\bbar\b|\\bar|\\overline|[\u0304\u0305]|backward|reverse", re.IGNORECASE), BAR),
    (re.compile(r"tangent|\bdot\b|\\dot|\u0307", re.IGNORECASE), DOT),
    (re.compile(r"grad|deriv|^\s*[dg]\s*v?_?i?\s*$|[∂∇]|\bd\w+\s*/\s*d", re.IGNORECASE), DERIVATIVE),
    (re.compile(r"value|primal|forward|number|result|^\s*v_?\{?i?\}?\s*$", re.IGNORECASE), VALUE),
)


@dataclass
class HandTable:
    """What stands in a table: numbers by row id and part, and the labels that name no line.

    A part is ``"primal"``, ``"derivative"`` or ``"update"``; ``parts`` are those that the table is about.
    ``twice`` are labels that occur twice.
    """

    entries: dict[tuple[int, str], WrittenNumber] = field(default_factory=dict)
    extra: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)
    parts: set[str] = field(default_factory=set)


def read_table(table: Any, sheet: Worksheet) -> HandTable:
    """The numbers of a table for this worksheet.

    ``table`` is a dict (``{"v1": 1.5}``, ``{"v1": (1.5, 2.6955)}``, ``{"v1": {"value": 1.5, "adjoint":
    2.6955}}`` or ``{"adjoint": {"v1": 2.6955}}``), CSV or Markdown as text, lines such as ``v1 = 1.5``, or
    the path of a file with one of these. Raises ValueError where no line is recognised or a number cannot be
    read, and OSError for a file that cannot be.
    """
    reader = _Reader(sheet)
    if isinstance(table, Mapping):
        reader.mapping(table)
        return reader.done("the dict")
    if isinstance(table, Path):
        return _read_text(reader, content_of(table))
    if not isinstance(table, str):
        raise TypeError(f"table: expected a dict, text or a path, got {type(table).__name__}")
    if "\n" not in table.strip() and re.search(r"\.(csv|tsv|md|markdown|txt)\s*$", table):
        return _read_text(reader, content_of(Path(table.strip())))
    return _read_text(reader, table)


def content_of(path: Path) -> str:
    if path.stat().st_size > LARGEST:
        raise ValueError(
            f"{path}: expected a table of at most {LARGEST:,} bytes, got {path.stat().st_size:,}"
        )
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError:
        raise ValueError(f"{path}: expected a text file in UTF-8, such as CSV or Markdown") from None


def _read_text(reader: _Reader, text: str) -> HandTable:
    for block in blocks_of(text):
        reader.table(block)
    return reader.done("the table")


def blocks_of(text: str) -> Iterator[list[list[str]]]:
    """The tables of a text as lists of cells; a line that belongs to no table is one of its own."""
    lines = text.splitlines()
    if any("|" in line for line in lines):
        block: list[list[str]] = []
        for line in [*lines, ""]:
            if "|" not in line:
                if block:
                    yield block
                block = []
            elif not RULE.fullmatch(line):
                block.append([cell.strip() for cell in re.split(r"(?<!\\)\|", line.strip().strip("|"))])
        return
    lines = [line for line in lines if line.strip() and not line.lstrip().startswith("#")]
    separator = next((s for s in "\t;," if sum(_separated(line, s) for line in lines) * 2 > len(lines)), "")
    if separator:
        yield [[cell.strip() for cell in row] for row in csv.reader(lines, delimiter=separator)]
    else:
        yield [list(_sides(equation)) for line in lines for equation in _equations(line)]


def _separated(line: str, separator: str) -> bool:
    """Whether a line has cells, and is not ``v1 = 1,5`` or ``v1 = 1.5, v2 = 0.9093``."""
    line = re.sub(r"\[.*\]", "[]", line)  # the entries of an array are no cells
    if separator == "," and re.search(r"=\s*[-+−]?\d+,\d+\s*(?:$|[,;]\s)", line):
        return False
    return separator in line and not all("=" in piece for piece in line.split(separator))


def _sides(line: str) -> tuple[str, str]:
    left, _, right = re.sub(r"^\s*[-*•]\s+(?=\D)", "", line).partition(":" if "=" not in line else "=")
    return left.strip(), right.strip()


def _equations(line: str) -> list[str]:
    """The equations of a line such as ``v1 = 1.5, v2 = 0.9093``."""
    return re.split(r"[,;]\s+(?=[^\s=,;]+(?:\s[^\s=,;]+)?\s*=)", line)


class _Reader:
    """Collects the entries of one table after the other."""

    def __init__(self, sheet: Worksheet) -> None:
        self.labels = Labels(sheet)
        self.sheet = sheet
        self.found = HandTable()

    def done(self, what: str) -> HandTable:
        """The entries. Raises ValueError where there are none."""
        if not self.found.entries:
            names = ", ".join(f"v{row.id}" for row in self.sheet.rows[:4])
            got = f"; got the names {', '.join(self.found.extra[:5])}" if self.found.extra else ""
            raise ValueError(
                f"table: no line of {what} belongs to the worksheet; expected a line for each of {names}, … "
                f"with its value{got}"
            )
        return self.found

    def add(self, label: str, part: str | None, value: Any, numbered: bool = False) -> None:
        """One number. ``part`` is what its column says; an accent of the label counts for more."""
        place = self.labels.find(label, numbered)
        if place is None:
            if label.strip() and label not in self.found.extra:
                self.found.extra.append(label)
            return
        named = _part(place[1] or part)
        if value is None:
            return
        try:
            number = read_number(_number_in(value)) if isinstance(value, str) else as_written(value)
        except (TypeError, ValueError) as error:
            raise type(error)(f"table: {label}: {error}") from None
        if number is not None:
            if (place[0], named) in self.found.entries:
                self.found.twice.append(label)
            self.found.entries[place[0], named] = number
            self.found.parts.add(named)

    # -- dictionaries ----------------------------------------------------------------------------------------

    def mapping(self, table: Mapping[Any, Any]) -> None:
        """``{label: number}``, ``{label: (value, derivative)}``, ``{label: {part: number}}`` or the other
        way round."""
        for key, value in table.items():
            label = f"v{key}" if isinstance(key, int) else str(key)
            if not isinstance(value, Mapping):
                self._values(label, value)
                continue
            part = _head(label) if self.labels.find(label) is None else None
            for inner, number in value.items():
                inner = f"v{inner}" if isinstance(inner, int) else str(inner)
                if part is not None:
                    self.add(inner, part, number)
                elif (named := _head(inner)) is None:
                    raise ValueError(
                        f"table: {label}: expected 'value', 'adjoint' or 'tangent', got {inner!r}"
                    )
                else:
                    self.add(label, named, number)
        self._finest()

    def _finest(self) -> None:
        """A float such as 1.0 may have been rounded: it has the digits of the finest number in the table."""
        halves = [entry.half for entry in self.found.entries.values() if not entry.shape and entry.half]
        for place, entry in self.found.entries.items():
            if halves and entry.whole and "." in entry.text:
                self.found.entries[place] = replace(entry, half=min(halves))

    def _values(self, label: str, value: Any) -> None:
        place = self.labels.find(label)
        numbers = isinstance(value, (tuple, list)) and len(value) in (2, 3)
        if numbers and (isinstance(value, tuple) or (place is not None and not self._has_shape(place[0]))):
            for part, number in zip(("primal", DERIVATIVE, UPDATE), value, strict=False):
                self.add(label, part, number)
        else:
            self.add(label, None, value)

    def _has_shape(self, row: int) -> bool:
        return any(r.id == row and r.shape for r in self.sheet.rows)

    # -- cells -----------------------------------------------------------------------------------------------

    def table(self, cells: Sequence[Sequence[str]]) -> None:
        """A table with or without a line of headings."""
        body, heads = list(cells), None
        if body and not any(_is_number(cell) for cell in body[0][1:]) and len(body) > 1:
            heads = body[0] if self._line(body[0]) is None else None
            body = body[1:] if heads is not None else body
        if not body:
            return
        width = max(map(len, body))
        column = self._label_column(body, width)
        if column is None:
            self.found.extra += [row[0] for row in body if row and row[0]][:10]
            return
        numbered = self._is_numbered(body, column)
        parts = self._parts(heads, body, column, width)
        promised = {_part(head) for k, head in enumerate(map(_head, heads or ())) if k != column and head}
        self.found.parts |= promised if promised & {DERIVATIVE, UPDATE} else set()
        for row in body:
            label = _left(row[column]) if column < len(row) else ""
            for k, part in parts.items():
                if k < len(row):
                    self.add(label, part, row[k], numbered)
            if label and self.labels.find(label, numbered) is None and label not in self.found.extra:
                self.found.extra.append(label)

    def _line(self, row: Sequence[str]) -> tuple[int, str | None] | None:
        return self.labels.find(_left(row[0])) if row else None

    def _label_column(self, body: Sequence[Sequence[str]], width: int) -> int | None:
        """The first column in which more than half of what is written names a line."""
        for numbered in (False, True):
            for k in range(width):
                cells = [row[k] for row in body if k < len(row) and row[k].strip()]
                known = sum(self.labels.find(_left(cell), numbered) is not None for cell in cells)
                if known * 2 > len(cells) and known * 2 >= len(body):
                    return k
        return None

    def _is_numbered(self, body: Sequence[Sequence[str]], column: int) -> bool:
        return not any(re.search("[^\\d\\s−₋-]", row[column]) for row in body if column < len(row))

    def _parts(
        self, heads: Sequence[str] | None, body: Sequence[Sequence[str]], column: int, width: int
    ) -> dict[int, str | None]:
        """Which columns hold numbers, and of which part."""
        filled = [
            k for k in range(width) if k != column and any(_is_number(row[k]) for row in body if k < len(row))
        ]
        if heads is None:
            order: Iterable[str | None] = (None, DERIVATIVE, UPDATE) if len(filled) > 1 else (None,)
            return dict(zip(filled, order, strict=False))
        roles = [_head(head) for head in heads] + [None] * (width - len(heads) + 1)
        found: dict[int, str | None] = {}
        context: str | None = "primal"
        for k in range(width):
            if roles[k + 1] == VALUE and _is_formula([row[k] for row in body if k < len(row)]):
                context = {VALUE: "primal", FORMULA: context, None: context}.get(roles[k], roles[k])
            elif k in filled and roles[k] not in (FORMULA, None):
                part = context if roles[k] == VALUE else roles[k]
                if part not in found.values():
                    found[k] = part
        return found or dict(zip(filled, (None,), strict=False))


def _is_formula(cells: Sequence[str]) -> bool:
    """Whether a column holds formulas, whose numbers stand in the next one."""
    return any("=" in cell for cell in cells) or not any(map(_is_number, cells))


def _part(named: str | None) -> str:
    """The part that a heading or an accent means; the value where it names no other."""
    return {BAR: DERIVATIVE, DOT: DERIVATIVE, DERIVATIVE: DERIVATIVE, UPDATE: UPDATE}.get(
        named or "", "primal"
    )


def _head(text: str) -> str | None:
    """What a heading says that its column holds."""
    return next((part for pattern, part in HEADS if pattern.search(text)), None)


def _left(cell: str) -> str:
    """The name in a cell such as ``v₁ = v₋₂·v₋₁``."""
    return re.split(r"[=←≈]", cell, maxsplit=1)[0].strip()


def _number_in(cell: str) -> str:
    """The number in a cell such as ``v̄₃·v₂ = 0.4546``."""
    if SUMMARY.search(cell):
        return ""
    return re.split(r"[=≈]", cell)[-1].strip()


def _is_number(cell: str) -> bool:
    try:
        return read_number(_number_in(cell)) is not None
    except ValueError:
        return False
