"""The worksheet as one HTML file that needs nothing else: no network, no library, no further file."""

from __future__ import annotations

import base64
import hashlib
import json
from functools import cache
from html import escape
from importlib.resources import files

from wengert.worksheets.derivation import Derivation
from wengert.worksheets.page.data import BUDGET, page_data
from wengert.worksheets.values import printable
from wengert.worksheets.worksheet import Worksheet

SCRIPTS = (
    "numbers.js",
    "arrays.js",
    "indexing.js",
    "moving.js",
    "elementwise.js",
    "reductions.js",
    "products.js",
    "windows.js",
    "losses.js",
    "evaluator.js",
    "dom.js",
    "mathematics.js",
    "formulas.js",
    "model.js",
    "layout.js",
    "folding.js",
    "shapes.js",
    "drawing.js",
    "graph.js",
    "table.js",
    "derivation.js",
    "heatmap.js",
    "equations.js",
    "overview.js",
    "details.js",
    "inputs.js",
    "source.js",
    "stepping.js",
    "search.js",
    "main.js",
)
"""The parts of the page's script, each after those that it builds on."""


def to_html(sheet: Worksheet, budget: int = BUDGET, derivation: Derivation | None = None) -> str:
    """The page of a worksheet: graph, table, formulas and source side by side, to be stepped through.

    Inputs can be changed on it, and it then computes all values anew. It loads nothing, and tells the browser
    to run no other script than its own. ``budget`` is how many bytes of array entries it may hold; larger
    arrays are shown by their statistics. A ``derivation`` of the same function stands beside the table.

    >>> import wengert
    >>> to_html(wengert.explain("x*y", 2.0, 3.0)).startswith("<!doctype html>")
    True
    """
    style, script = _read("page.css"), evaluating_script()
    policy = (
        f"default-src 'none'; script-src '{_hash(script)}'; style-src '{_hash(style)}'; img-src data:; "
        "base-uri 'none'; form-action 'none'"
    )
    parts = {
        "policy": policy,
        "title": escape(f"f = {printable(sheet.expression)}"),
        "style": style,
        "data": _inert(
            json.dumps(page_data(sheet, budget, derivation), ensure_ascii=False, separators=(",", ":"))
        ),
        "script": script,
    }
    page = _read("page.html")
    before, *rest = page.split("{{")
    return before + "".join(parts[name] + text for name, text in (part.split("}}", 1) for part in rest))


@cache
def evaluating_script() -> str:
    """The page's script: all parts in one function, so that nothing of it is in reach from outside."""
    return '(() => {\n"use strict";\n' + "\n".join(_read(name) for name in SCRIPTS) + "\n})();\n"


@cache
def _read(name: str) -> str:
    return files("wengert.worksheets.page").joinpath("static", name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    return "sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode("ascii")


def _inert(text: str) -> str:
    """JSON in which nothing can end the element that holds it."""
    return text.replace("<", "\\u003c").replace("\u2028", "\\u2028").replace("\u2029", "\\u2029")
