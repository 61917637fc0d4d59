"""The worksheet as a LaTeX fragment for a plain article that loads amsmath."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Any

from wengert.worksheets.columns import LEAVES, Entry, entry, heading, leading_leaves, marker, names, parts
from wengert.worksheets.values import (
    SHOWN_ENTRIES,
    as_lists,
    entries_of,
    format_value,
    interval_texts,
    is_complex,
    printable,
    scalar_of,
    shape_of,
    summary,
)
from wengert.worksheets.worksheet import Row, Worksheet

ESCAPES = {
    "\\": r"\textbackslash{}", "{": r"\{", "}": r"\}", "$": r"\$", "&": r"\&", "#": r"\#", "%": r"\%",
    "_": r"\_", "^": r"\textasciicircum{}", "~": r"\textasciitilde{}", "<": r"\textless{}",
    ">": r"\textgreater{}", "|": r"\textbar{}", '"': "{''}", "`": r"\`{}",
    "-": "{-}", "[": "{[}", "]": "{]}",
}  # fmt: skip
SYMBOLS = {
    "·": r"\cdot", "×": r"\times", "−": "-", "±": r"\pm", "′": "'", "≤": r"\leq", "≥": r"\geq", "≠": r"\neq",
    "≈": r"\approx", "∞": r"\infty", "√": r"\surd", "∂": r"\partial", "∇": r"\nabla", "→": r"\to",
    "←": r"\leftarrow", "⊙": r"\odot", "∈": r"\in", "ᵀ": r"^{\top}", "…": r"\ldots", "∑": r"\sum",
    "Σ": r"\Sigma",
}  # fmt: skip
COMBINING = {"\u0304": r"\bar", "\u0307": r"\dot", "\u0302": r"\hat", "\u0303": r"\tilde"}
SCRIPT_DIGITS = {"sub": r"\textsubscript", "super": r"\textsuperscript"}


def to_latex(sheet: Worksheet) -> str:
    """The worksheet as a ``tabular``, its footnotes and its result; needs amsmath and no other package.

    User names and footnotes are escaped; characters that pdfLaTeX cannot set are spelled by their code point.
    """
    shown, name = parts(sheet), names(sheet)
    groups = " ".join(["r@{\\;}l r"] * len(shown))
    heads = " & ".join(rf"\multicolumn{{2}}{{l}}{{{part}}} & value" for part in shown)
    prefix = ("l ", "name & ") if name is not None else ("", "")
    leaves = leading_leaves(sheet)
    lines = [rf"\begin{{tabular}}{{{prefix[0]}{groups}}}", r"\hline", rf"{prefix[1]}{heads} \\", r"\hline"]
    for index, row in enumerate(sheet.rows):
        cells = [] if name is None else [latex_text(name[index])]
        cells += [_part_cells(sheet, row, part) for part in shown]
        lines.append(" & ".join(cells) + r" \\")
        if index + 1 in (leaves, len(sheet.rows)):
            lines.append(r"\hline")
    lines += [r"\end{tabular}", ""]
    for number, note in enumerate(sheet.footnotes, start=1):
        lines += [rf"{{\footnotesize {latex_text(f'[{number}] {note}')}\par}}", ""]
    title = rf"\noindent $f$ = {latex_text(sheet.expression)}\\" + "\n" + latex_text(heading(sheet))
    return f"{title}\n\n\\noindent\n" + "\n".join(lines) + f"\n\\noindent\n{_results(sheet)}\n"


def latex_value(value: Any, digits: int = 4, numbers: str = "float") -> str:
    r"""The value in LaTeX's mathematics, with the digits of :func:`~wengert.worksheets.values.format_value`.

    >>> print(latex_value(1.5e-7, digits=2))
    1.50 \times 10^{-7}
    >>> print(latex_value(Fraction(-1, 3)))
    -\tfrac{1}{3}
    """
    listed = as_lists(value)
    if listed is not None:
        return _array(shape_of(value, listed), listed, digits, numbers)
    value = scalar_of(value)
    if isinstance(value, Fraction) and value.denominator != 1:
        numerator, _, denominator = format_value(abs(value)).partition("/")
        return f"{'-' if value < 0 else ''}\\tfrac{{{numerator}}}{{{denominator}}}"
    if hasattr(value, "free_symbols"):
        return _formula(value)
    if hasattr(value, "_mpi_"):
        low, high = (_number(text) for text in interval_texts(value, digits))
        return rf"\left[{low}, {high}\right]"  # a bare bracket after \\\\ would be read as a length
    if is_complex(value):
        real, imaginary = (latex_value(part, digits, numbers) for part in (value.real, value.imag))
        return f"{real}{'' if imaginary.startswith('-') else '+'}{imaginary}\\,i"
    return _number(format_value(value, digits, numbers))


def latex_text(text: str) -> str:
    r"""Any text, set as it stands: what LaTeX would obey or refuse is escaped or spelled.

    >>> print(latex_text("a_b%$"))
    a\_b\%\$
    """
    letters: list[str] = []
    for character in printable(text):
        if character in COMBINING and letters and letters[-1].isascii() and letters[-1].isalpha():
            letters[-1] = rf"\ensuremath{{{COMBINING[character]}{{{letters[-1]}}}}}"
        else:
            letters.append(_letter(character))
    return "".join(letters)


def _part_cells(sheet: Worksheet, row: Row, part: str) -> str:
    found = entry(row, part)
    if found is None:
        return " & & "
    notes = (
        rf"\,\textsuperscript{{{latex_text(marker(row.notes))}}}" if part == "primal" and row.notes else ""
    )
    value = latex_value(found.value, sheet.digits, sheet.numbers)
    return f"{_left(found)} & {_right(row, found)}{notes} & {f'${value}$' if value else ''}"


def _left(found: Entry) -> str:
    return f"${found.left.latex} {found.relation.latex}$"


def _right(row: Row, found: Entry) -> str:
    if found.right is None:
        return ""
    is_name = row.op in LEAVES and found.right.text == row.name
    return f"${latex_name(row.name) if is_name else found.right.latex}$"


def _results(sheet: Worksheet) -> str:
    shown = [("f", sheet.value)]
    shown += [(rf"\partial f / \partial {latex_name(name)}", value) for name, value in sheet.gradient.items()]
    return "\\quad\n".join(
        f"${left} = {latex_value(value, sheet.digits, sheet.numbers)}$" for left, value in shown
    )


def latex_name(name: str) -> str:
    """A user's name in mathematics: ``x2`` as a letter with its index, anything longer upright."""
    indexed = re.fullmatch(r"([A-Za-z])_?([0-9]*)", name)
    if indexed is None:
        return rf"\text{{{latex_text(name)}}}"
    return f"{indexed[1]}_{{{indexed[2]}}}" if indexed[2] else indexed[1]


def _number(text: str) -> str:
    if text in ("NaN", "True", "False", "nan"):
        return rf"\mathrm{{{text}}}"
    mantissa, exponential, exponent = text.partition("e")
    if exponential and exponent.lstrip("+-").isdigit():
        return rf"{mantissa} \times 10^{{{exponent}}}"
    if re.fullmatch(r"-?[0-9.]+", text):
        return text
    if text.endswith("∞"):
        return text.replace("∞", r"\infty")
    return rf"\text{{{latex_text(text)}}}" if text else ""


def _formula(value: Any) -> str:
    import sympy

    safe = re.compile(r"[A-Za-z][A-Za-z0-9]*(_[A-Za-z0-9]+)?")
    hostile = {
        symbol: latex_name(symbol.name) for symbol in value.free_symbols if not safe.fullmatch(symbol.name)
    }
    return str(sympy.latex(value, symbol_names=hostile))


def _array(shape: tuple[int, ...], listed: list[Any], digits: int, numbers: str) -> str:
    entries = list(entries_of(listed))
    if not entries:
        return rf"\text{{empty, {shape}}}"
    if len(entries) > SHOWN_ENTRIES:
        size = r" \times ".join(map(str, shape))
        shown = (rf"\text{{{name} }}{_number(text)}" for name, text in summary(entries, digits, numbers))
        return rf"{size}\colon\; " + r",\ ".join(shown)
    if isinstance(listed[0], list) and isinstance(listed[0][0], list):
        inner = (_array(shape[1:], part, digits, numbers) for part in listed)
        return r"\left(" + ",\\; ".join(inner) + r"\right)"
    rows = listed if isinstance(listed[0], list) else [listed]
    body = r" \\ ".join(" & ".join(latex_value(entry, digits, numbers) for entry in row) for row in rows)
    return rf"\left[\begin{{array}}{{{'r' * len(rows[0])}}} {body} \end{{array}}\right]"


def _letter(character: str) -> str:
    if character in ESCAPES:
        return ESCAPES[character]
    if character.isascii():
        return character
    if character in SYMBOLS:
        return rf"\ensuremath{{{SYMBOLS[character]}}}"
    kind, _, digit = unicodedata.decomposition(character).partition("> ")
    if kind[1:] in SCRIPT_DIGITS and digit:
        return rf"{SCRIPT_DIGITS[kind[1:]]}{{{_letter(chr(int(digit.split()[0], 16)))}}}"
    greek = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(character, ""))
    if greek:
        return _greek(greek[1] == "SMALL", greek[2].lower().replace("lamda", "lambda"), character)
    # pdfLaTeX sets the accented letters of Latin-1 by itself, except these four, and little beyond
    known = "À" <= character <= "ÿ" and character.isalpha() and character not in "ÐðÞþ"
    return character if known else _code_point(character)


def _greek(small: bool, name: str, character: str) -> str:
    capitals = ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega")
    smalls = (
        *capitals,
        "alpha",
        "beta",
        "epsilon",
        "zeta",
        "eta",
        "iota",
        "kappa",
        "mu",
        "nu",
        "rho",
        "tau",
        "chi",
    )
    if name not in (smalls if small else capitals):
        return _code_point(character)
    return rf"\ensuremath{{\{name if small else name.capitalize()}}}"


def _code_point(character: str) -> str:
    return rf"\texttt{{U+{ord(character):04X}}}"
