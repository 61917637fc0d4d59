"""What LaTeX makes of the worksheets: compiled, where pdfLaTeX is installed."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sheets import network, one_row, training_step

import wengert
from wengert.worksheets.derivation import Derivation
from wengert.worksheets.worksheet import Worksheet

ORDER = np.array([1, 0, 1])
X = np.array([[1.0, -2.0], [0.5, 4.0]])


def _network(W: Any, x_in: Any) -> Any:
    hidden = wengert.relu(W @ x_in)
    return wengert.sum(wengert.softmax(hidden, axis=0)[ORDER] ** 2) + wengert.max(W[1:, ..., :1])


def _sheets() -> list[Worksheet]:
    return [
        wengert.explain("(x1*x2*sin(x3) + exp(x1*x2))/x3", 1.0, 1.5, 2.0),
        wengert.explain("x^y - 1e-9/(x/y)", 2.0, 3.0, mode="forward", wrt="y"),
        wengert.explain("log(x) + relu(x) + where(x < 0, x, 2*x)", -1.0),
        wengert.explain("x^x*sigmoid(-x)", -1.5),
        wengert.explain("sin(pi*x)/3", 2, numbers="exact"),
        wengert.explain("x1^2*exp(-x1)", 1.0, numbers="symbolic"),
        wengert.explain("sin(x)/x", 1.5, numbers="interval"),
        wengert.explain("sin(x)/x", 1.5, numbers="mp:50"),
        wengert.explain(_network, X, X),
        wengert.explain(lambda p: p["a_b"] * p["x%#&"], {"a_b": 1.0, "x%#&": 2.0}),
        wengert.explain(
            lambda p: p["\\input{x}"] * p["數^~ $"] + p["ŷ"], {"\\input{x}": 1.0, "數^~ $": 2.0, "ŷ": 3.0}
        ),
        training_step(),
        network(),
        one_row(1.0, name="_^{}\\"),
    ]


def _fragments() -> list[str]:
    sheets = _sheets()
    derivations = [
        wengert.derive(_network, X, X),
        wengert.derive("-y*log(sigmoid(z)) - (1-y)*log(1-sigmoid(z))"),
        wengert.derive(
            lambda p: p["a_b%$"] * wengert.sin(p["x^2"]), {"a_b%$": 1.0, "x^2": 2.0}, symbols={"sin": "#1"}
        ),
    ]
    return [
        *(sheet.to_latex(table=True) for sheet in sheets),
        *(sheet.to_latex() for sheet in sheets),
        *(sheet.to_latex(convention="derivative") for sheet in sheets if sheet.mode == "reverse"),
        *(aligned(derivation) for derivation in derivations),
        *(derivation.to_latex(steps=True) for derivation in derivations),
    ]


def aligned(derivation: Derivation) -> str:
    return rf"\begin{{align*}}{derivation.to_latex()}\end{{align*}}"


def document(fragments: list[str]) -> str:
    body = "\n\n\\bigskip\n\n".join(fragments)
    head = "\\documentclass{article}\n\\usepackage{amsmath}\n\\begin{document}\n"
    return f"{head}{body}\n\\end{{document}}\n"


@pytest.mark.skipif(shutil.which("pdflatex") is None, reason="pdflatex is not installed")
def test_pdflatex_sets_every_kind_of_worksheet(tmp_path: Path) -> None:
    (tmp_path / "sheet.tex").write_text(document(_fragments()), encoding="utf-8")
    words = ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "-no-shell-escape", "sheet.tex"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, timeout=120, check=False)
    log = done.stdout.decode("utf-8", "replace")
    assert done.returncode == 0, log[-3000:]
    assert "Missing character" not in log
    assert (tmp_path / "sheet.pdf").stat().st_size > 10_000
