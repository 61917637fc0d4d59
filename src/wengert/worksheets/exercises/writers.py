"""Exercises as text, Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from wengert.worksheets.exercises.exercise import Cell, Equation, Exercise, Grid
from wengert.worksheets.latex import latex_text

INLINE = re.compile(r"\$([^$|]+)(?:\|([^$]+))?\$")
LEAST_WIDTH = 8
PREAMBLE = r"""\documentclass[11pt]{article}
\usepackage[utf8]{inputenc}
\usepackage[T1]{fontenc}
\usepackage[a4paper,margin=2.2cm]{geometry}
\usepackage{amsmath,amssymb}
\setlength{\parindent}{0pt}
\setlength{\parskip}{1ex}
\renewcommand{\arraystretch}{1.6}
\begin{document}
"""


def to_text(exercise: Exercise, blanks: bool) -> str:
    """The exercise for a terminal. Its tables can be filled in as they stand, and be read again."""
    parts = [exercise.title, "=" * len(exercise.title)]
    for block in exercise.blocks:
        if isinstance(block, Grid):
            parts.append("\n".join(_aligned(block, blanks)))
        elif isinstance(block, Equation):
            parts.append(f"    {block.formula.text}")
        else:
            parts.append("\n".join(_wrapped(plain_sentence(block.text))))
    return "\n\n".join([f"{parts[0]}\n{parts[1]}", *parts[2:]]) + "\n"


def to_markdown(exercise: Exercise, blanks: bool) -> str:
    """The exercise in Markdown."""
    parts = [f"# {exercise.title}"]
    for block in exercise.blocks:
        if isinstance(block, Grid):
            parts.append("\n".join(_aligned(block, blanks)))
        elif isinstance(block, Equation):
            parts.append(f"> {block.formula.text}".replace("*", r"\*"))
        else:
            parts.append(plain_sentence(block.text))
    return "\n\n".join(parts) + "\n"


def to_latex(exercise: Exercise, blanks: bool) -> str:
    """The exercise as a document."""
    parts = [rf"\section*{{{latex_text(exercise.title)}}}"]
    for block in exercise.blocks:
        if isinstance(block, Grid):
            parts.append(_tabular(block, blanks))
        elif isinstance(block, Equation):
            parts.append(rf"\[ {block.formula.latex} \]")
        else:
            parts.append(latex_sentence(block.text))
    return PREAMBLE + "\n\n".join(parts) + "\n\n\\end{document}\n"


def _shown(cell: Cell, blanks: bool) -> str:
    return "" if blanks and cell.answer else cell.formula.text


def _aligned(block: Grid, blanks: bool) -> Iterator[str]:
    """A table whose columns line up: also a table of Markdown."""
    rows = [[_shown(cell, blanks).replace("|", r"\|") for cell in row] for row in block.rows]
    widths = [max(LEAST_WIDTH, *map(_width, column)) for column in zip(block.heads, *rows, strict=True)]
    yield _line(block.heads, widths)
    yield f"|{'|'.join('-' * (width + 2) for width in widths)}|"
    for row in rows:
        yield _line(row, widths)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (cell + " " * (width - _width(cell)) for cell, width in zip(cells, widths, strict=True))
    return f"| {' | '.join(padded)} |"


def _width(text: str) -> int:
    from rich.cells import cell_len

    return cell_len(text)


def _wrapped(text: str) -> list[str]:
    import textwrap

    return textwrap.wrap(text, 78, break_long_words=False, break_on_hyphens=False)


def _tabular(block: Grid, blanks: bool) -> str:
    lines = [rf"\begin{{tabular}}{{|{'l|' * len(block.heads)}}}", r"\hline"]
    lines.append(" & ".join(rf"\textbf{{{latex_text(head)}}}" for head in block.heads) + r" \\ \hline")
    strut = rf"\rule[-{block.height * 0.4:.2g}em]{{0pt}}{{{block.height:.2g}em}}" if blanks else ""
    for row in block.rows:
        cells = [_latex_cell(cell, room, blanks) for cell, room in zip(row, block.room, strict=True)]
        lines.append(strut + " & ".join(cells) + r" \\ \hline")
    return "\n".join([*lines, r"\end{tabular}", r"\medskip"])


def _latex_cell(cell: Cell, room: float, blanks: bool) -> str:
    if blanks and cell.answer:
        return rf"\hspace{{{room}em}}"
    return f"${cell.formula.latex}$" if cell.formula.latex else ""


def plain_sentence(text: str) -> str:
    """The words, with the formulas between ``$`` as text."""
    return INLINE.sub(lambda found: found[1], text)


def latex_sentence(text: str) -> str:
    """The words escaped, the formulas between ``$`` as they are in LaTeX."""
    pieces, end = [], 0
    for found in INLINE.finditer(text):
        pieces.append(latex_text(text[end : found.start()]))
        pieces.append(f"${found[2] or found[1]}$")
        end = found.end()
    return "".join([*pieces, latex_text(text[end:])])
