"""PDF files: with the TeX that is installed, and with engines that fail."""

from __future__ import annotations

from pathlib import Path

import pytest

import wengert
from wengert.worksheets.pdf import ENGINES, TypesettingError, find_engine, write_pdf

DOCUMENT = wengert.explain("x*y", 2.0, 3.0).to_latex(document=True)


def _installed() -> str | None:
    try:
        return find_engine()
    except TypesettingError:
        return None


needs_tex = pytest.mark.skipif(_installed() is None, reason=f"none of {', '.join(ENGINES)} is installed")


@needs_tex
def test_a_worksheet_and_a_derivation_become_pdf_files(tmp_path: Path) -> None:
    wengert.explain("x*y + sin(x)", 2.0, 3.0).to_pdf(tmp_path / "sheet.pdf")
    wengert.explain("x*y + sin(x)", 2.0, 3.0).to_pdf(tmp_path / "table.pdf", table=True)
    wengert.derive(lambda x, y: x * wengert.sin(y), 2.0, 3.0).to_pdf(tmp_path / "derivation.pdf")
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"%PDF")
    assert len(list(tmp_path.iterdir())) == 3


@needs_tex
def test_the_engines_own_words_are_passed_on(tmp_path: Path) -> None:
    with pytest.raises(TypesettingError, match="Undefined control sequence"):
        write_pdf(tmp_path / "bad.pdf", DOCUMENT.replace(r"\begin{document}", r"\begin{document}\nonsense"))


@needs_tex
def test_a_document_runs_no_command_and_reads_no_file_of_others(tmp_path: Path) -> None:
    secret, trace = tmp_path / "secret.tex", tmp_path / "trace"
    secret.write_text("secret")
    hostile = rf"\immediate\write18{{touch {trace}}}\IfFileExists{{{secret}}}{{\undefined}}{{}}"
    write_pdf(tmp_path / "out.pdf", DOCUMENT.replace(r"\begin{document}", rf"\begin{{document}}{hostile}"))
    assert not trace.exists()


def test_without_tex_the_error_names_the_cure(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(
        OSError, match=r"a PDF needs TeX, and none of pdflatex, .* is on the PATH. Install one"
    ):
        wengert.explain("x", 2.0).to_pdf(tmp_path / "out.pdf")


def _engine(folder: Path, body: str, name: str = "pdflatex") -> None:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_the_first_engine_on_the_path_is_taken(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("tectonic", "xelatex"):
        _engine(tmp_path, "", name)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find_engine() == str(tmp_path / "xelatex")


def test_an_engine_that_fails_leaves_the_old_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _engine(tmp_path, "echo '! Emergency stop.'; exit 1")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    (tmp_path / "out.pdf").write_text("old")
    with pytest.raises(TypesettingError, match="pdflatex could not set the document: Emergency stop"):
        write_pdf(tmp_path / "out.pdf", DOCUMENT)
    assert (tmp_path / "out.pdf").read_text() == "old"


def test_an_engine_that_hangs_is_stopped(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _engine(tmp_path, "exec sleep 60")
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    with pytest.raises(TypesettingError, match=r"did not finish within 0.2 s"):
        write_pdf(tmp_path / "out.pdf", DOCUMENT, seconds=0.2)


def test_the_engine_is_told_to_run_no_commands(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _engine(tmp_path, 'echo "%PDF $* $shell_escape $openout_any" > sheet.pdf')
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin:/usr/bin")
    write_pdf(tmp_path / "out.pdf", DOCUMENT)
    said = (tmp_path / "out.pdf").read_text()
    assert "-no-shell-escape" in said
    assert said.endswith("f p\n")
