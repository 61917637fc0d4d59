"""A LaTeX document around a fragment, of packages that come with every TeX."""

from __future__ import annotations

from collections.abc import Iterable

PREAMBLE = r"""\documentclass[11pt,fleqn]{article}
\usepackage[a4paper,margin=22mm]{geometry}
\usepackage{amsmath}
\allowdisplaybreaks
\setlength{\parindent}{0pt}
\setlength{\parskip}{0.6ex plus 0.3ex}
\setlength{\mathindent}{1.5em}
\AtBeginDocument{\setlength{\abovedisplayskip}{1ex}\setlength{\abovedisplayshortskip}{0pt}}
\raggedbottom
"""
WIDE = r"""\documentclass[10pt]{article}
\usepackage[a4paper,landscape,margin=15mm]{geometry}
\usepackage{amsmath}
\usepackage{longtable}
\setlength{\LTleft}{0pt}
\setlength{\LTchunksize}{1000}
\setlength{\parindent}{0pt}
"""
"""For a table: across the page, and over several of them."""

LONGEST_ALIGNMENT = 30  # lines; TeX builds each alignment as a whole before it breaks pages


def document(title: str, body: str, preamble: str = PREAMBLE) -> str:
    """The fragment as a document that compiles by itself. The title is LaTeX already."""
    return f"{preamble}\\begin{{document}}\n\\section*{{{title}}}\n{body.rstrip()}\n\\end{{document}}\n"


def section(title: str) -> str:
    """A heading without a number; its text is LaTeX already."""
    return rf"\subsection*{{{title}}}"


def aligned(lines: Iterable[str]) -> list[str]:
    r"""Lines with an ``&`` each, in ``align*`` environments of bearable length. There is a little more space
    above a line that has a left side."""
    listed = list(lines)
    found = []
    for first in range(0, len(listed), LONGEST_ALIGNMENT):
        block = listed[first : first + LONGEST_ALIGNMENT]
        ends = [r" \\" if following.startswith("&") else r" \\[0.6ex]" for following in block[1:]]
        body = "\n".join(line + end for line, end in zip(block, [*ends, ""], strict=True))
        found.append(f"\\begin{{align*}}\n{body}\n\\end{{align*}}")
    return found
