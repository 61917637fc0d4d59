"""The laws of simplification as formulas: the text of the table, and the same in LaTeX."""

from __future__ import annotations

import re

from wengert.worksheets.worksheet import Formula

SIGNS = {
    " @ ": " ", "·": r" \cdot ", "⊙": r"\odot", "ᵀ": r"^{\mathsf T}", "⁰": "^{0}", "¹": "^{1}", "²": "^{2}",
}  # fmt: skip


def law(text: str) -> Formula | None:
    r"""A law of the table, such as ``(Aᵀ)ᵀ = A``; None for none.

    >>> law("(Aᵀ)ᵀ = A").latex
    '(A^{\\mathsf T})^{\\mathsf T} = A'
    """
    if not text:
        return None
    latex = re.sub(r"[A-Za-z_]{2,}", lambda word: rf"\operatorname{{{word[0]}}}".replace("_", r"\_"), text)
    for sign, command in SIGNS.items():
        latex = latex.replace(sign, command)
    return Formula(text, latex)
