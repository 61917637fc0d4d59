"""Text, names and values in LaTeX with amsmath. Whatever a name holds, it is set and never obeyed."""

from __future__ import annotations

import re
import unicodedata
from fractions import Fraction
from typing import Any

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
CAPITALS = ("gamma", "delta", "theta", "lambda", "xi", "pi", "sigma", "upsilon", "phi", "psi", "omega")
GREEK = frozenset({
    *CAPITALS, *(word.capitalize() for word in CAPITALS), "alpha", "beta", "epsilon", "zeta", "eta", "iota",
    "kappa", "mu", "nu", "rho", "tau", "chi",
})  # fmt: skip
SUBSCRIPT_DIGITS = str.maketrans("₀₁₂₃₄₅₆₇₈₉", "0123456789")
SCRIPT_DIGITS = {"sub": r"\textsubscript", "super": r"\textsuperscript"}


def latex_value(value: Any, digits: int = 4, numbers: str = "float", shown: int = SHOWN_ENTRIES) -> str:
    r"""The value in LaTeX's mathematics, with the digits of :func:`~wengert.worksheets.values.format_value`.

    An array of more than ``shown`` entries is its size with the least, the mean and the greatest of them.

    >>> print(latex_value(1.5e-7, digits=2))
    1.50 \times 10^{-7}
    >>> print(latex_value(Fraction(-1, 3)))
    -\tfrac{1}{3}
    """
    listed = as_lists(value)
    if listed is not None:
        return _array(shape_of(value, listed), listed, digits, numbers, shown)
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


def latex_name(name: str) -> str:
    r"""A user's name in mathematics: a letter with its indices and its hat, anything longer upright.

    >>> print(latex_name("W1"), latex_name("alpha_3"), latex_name("x_hat"), latex_name("z_in"))
    W_{1} \alpha_{3} \hat{x} z_{\text{in}}
    >>> print(latex_name("a_b%$"))
    \text{a\_b\%\$}
    """
    plain = unicodedata.normalize("NFD", name).translate(SUBSCRIPT_DIGITS)
    found = re.fullmatch(r"([^\W\d_]+)([\u0304\u0307\u0302\u0303]?)([0-9]*)((?:_\w+)?)_?", plain)
    letter = None if found is None else _letter_of_name(found[1])
    if found is None or letter is None:
        return rf"\text{{{latex_text(name)}}}"
    accent = COMBINING.get(found[2], "")
    parts = [part for part in (found[3], *found[4].split("_")) if part]
    if parts and not accent and parts[0] in ("hat", "tilde"):
        accent = rf"\{parts.pop(0)}"
    base = f"{accent}{{{letter}}}" if accent else letter
    return f"{base}_{{{','.join(map(_index, parts))}}}" if parts else base


def _letter_of_name(word: str) -> str | None:
    if word in GREEK:
        return rf"\{word}"
    return None if len(word) > 1 else word if word.isascii() else greek_command(word)


def _index(part: str) -> str:
    letters = len(part) == 1 or (re.fullmatch("[i-n]{2,3}", part) and part != "in")
    return part if part.isascii() and (part.isdigit() or letters) else rf"\text{{{latex_text(part)}}}"


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


def _array(shape: tuple[int, ...], listed: list[Any], digits: int, numbers: str, shown: int) -> str:
    entries = list(entries_of(listed))
    if not entries:
        return rf"\text{{empty, {shape}}}"
    if len(entries) > shown:
        size = r" \times ".join(map(str, shape))
        facts = (rf"\text{{{name} }}{_number(text)}" for name, text in summary(entries, digits, numbers))
        return rf"{size}\colon\; " + r",\ ".join(facts)
    if isinstance(listed[0], list) and isinstance(listed[0][0], list):
        inner = (_array(shape[1:], part, digits, numbers, shown) for part in listed)
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
    greek = greek_command(character)
    if greek is not None:
        return rf"\ensuremath{{{greek}}}"
    # pdfLaTeX sets the accented letters of Latin-1 by itself, except these four, and little beyond
    known = "À" <= character <= "ÿ" and character.isalpha() and character not in "ÐðÞþ"
    return character if known else _code_point(character)


def greek_command(letter: str) -> str | None:
    """LaTeX's command for a Greek letter; None for any other, and for one that looks like a Latin letter."""
    found = re.fullmatch(r"GREEK (SMALL|CAPITAL) LETTER ([A-Z]+)", unicodedata.name(letter, ""))
    if found is None:
        return None
    word = found[2].lower().replace("lamda", "lambda")
    word = word if found[1] == "SMALL" else word.capitalize()
    return rf"\{word}" if word in GREEK else None


def _code_point(character: str) -> str:
    return rf"\texttt{{U+{ord(character):04X}}}"
