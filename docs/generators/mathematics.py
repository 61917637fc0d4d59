"""Formulas as MathML, written while the site is built, and the font that draws them."""

from __future__ import annotations

import base64
import functools
import html
import io
import re
from collections.abc import Sequence
from importlib.util import find_spec
from pathlib import Path

import pypandoc

MARKED = re.compile(r'<(span|div) class="arithmatex">\\([(\[])(.*?)\\[)\]]</\1>', re.DOTALL)
MATH = re.compile(r"<math .*?</math>", re.DOTALL)
CHARACTERS = (
    *(range(0x20, 0x7F), range(0xA0, 0x100), range(0x300, 0x330), range(0x391, 0x3CA), range(0x2010, 0x2030)),
    *(range(0x2032, 0x2035), range(0x203E, 0x203F), range(0x2061, 0x2065), range(0x2200, 0x2270)),
    *(range(0x2190, 0x21D6), range(0x2295, 0x22A0), range(0x22C0, 0x22D0), range(0x2308, 0x230C)),
    *(range(0x1D400, 0x1D468), range(0x1D5A0, 0x1D5D4), range(0x1D670, 0x1D6A4), range(0x1D6A4, 0x1D6E2)),
    *(range(0x1D7F6, 0x1D800), range(0x27E8, 0x27EA), range(0x210E, 0x210F), range(0x211D, 0x211E)),
)
"""What the formulas are made of: Latin and Greek letters, operators, arrows, brackets and accents."""

SPELLINGS = (("{-}", "-"), (r"\textgreater{}", ">"), (r"\textless{}", "<"))
"""What TeX wants inside ``\\texttt``, as pandoc understands it."""

FAMILY = "STIX Two Math"


def typeset(page: str) -> str:
    """The page with MathML in the place of every formula that Markdown marked."""
    found = [
        (mark, "block" if mark[2] == "[" else "inline", html.unescape(mark[3]).strip())
        for mark in MARKED.finditer(page)
    ]
    drawn = dict(zip(found, _converted(tuple((tex, style) for _, style, tex in found)), strict=True))
    for (mark, style, _), formula in drawn.items():
        opened = '<div class="formula">{}</div>' if style == "block" else "{}"
        page = page.replace(mark[0], opened.format(formula), 1)
    return page


@functools.cache
def _converted(formulas: tuple[tuple[str, str], ...]) -> list[str]:
    """MathML for every formula and its style. Raises ValueError for one that pandoc does not understand."""
    if not formulas:
        return []
    written = MATH.findall(_by_pandoc(formulas))
    if len(written) != len(formulas):
        unread = [one for one in formulas if not MATH.search(_by_pandoc((one,)))]
        raise ValueError(f"no formula that pandoc can read: {unread}")
    return [_tidied(formula) for formula in written]


def _by_pandoc(formulas: Sequence[tuple[str, str]]) -> str:
    plain = [
        (functools.reduce(lambda text, pair: text.replace(*pair), SPELLINGS, tex), s) for tex, s in formulas
    ]
    text = "\n\n".join(f"$${tex}$$" if style == "block" else f"${tex}$" for tex, style in plain)
    converted: str = pypandoc.convert_text(
        text, "html", "markdown-smart", extra_args=["--mathml", "--wrap=none", "--quiet"]
    )
    return converted


def _tidied(formula: str) -> str:
    """Without the source, which a search would find twice; with a thin space after a function's name."""
    formula = re.sub(r"<annotation.*?</annotation>", "", formula, flags=re.DOTALL)
    formula = re.sub(r"</?semantics>", "", formula)
    formula = formula.replace(">\u0307</mo>", ">\u02d9</mo>")  # a combining dot has no width to be centred by
    formula = re.sub(
        r'(<mi mathvariant="normal">[^<]{2,}</mi>)(?=<m(?:i|n|sub|sup|over|frac)\b)',
        r'\1<mspace width="0.17em"></mspace>',
        formula,
    )
    spaced = '<mo lspace="0" rspace="0.17em">&#8289;</mo></mrow>'
    return re.sub(r'<mo>&#8289;</mo></mrow>(?!<mo stretchy="\w+" form="prefix">|<mrow><mo)', spaced, formula)


def style_sheet() -> str:
    """A style sheet that holds the font, cut down to the characters of formulas.

    The font is inside, since a browser may refuse to load one that lies beside a page opened from disk.
    """
    from fontTools import subset
    from fontTools.ttLib import TTFont

    found = find_spec("ziamath")
    if found is None or found.origin is None:
        raise ImportError("the font of formulas comes with ziamath: pip install 'wengert[docs]'")
    font = TTFont(Path(found.origin).parent / "fonts" / "STIXTwoMath-Regular.ttf")
    options = subset.Options(layout_features=["*"])
    subsetter = subset.Subsetter(options)
    subsetter.populate(unicodes=[code for part in CHARACTERS for code in part])
    subsetter.subset(font)
    font.flavor = "woff"
    buffer = io.BytesIO()
    font.save(buffer)
    data = base64.b64encode(buffer.getvalue()).decode()
    return (
        f"/* STIX Two Math, by the STI Pub Companies, SIL Open Font License 1.1 */\n"
        f'@font-face {{ font-family: "{FAMILY}"; src: url(data:font/woff;base64,{data}) format("woff"); }}\n'
        f'math {{ font-family: "{FAMILY}", math, serif; }}\n'
    )
