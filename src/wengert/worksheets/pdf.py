"""PDF files by the TeX that is installed."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

from wengert.files import write_whole

ENGINES = {
    "pdflatex": ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape"),
    "lualatex": ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape"),
    "xelatex": ("-interaction=nonstopmode", "-halt-on-error", "-file-line-error", "-no-shell-escape"),
    "tectonic": ("--untrusted",),
}
"""The engines in the order in which they are looked for, and what each is told: never to run a command."""

SECONDS = 120
NAME = "sheet"


class TypesettingError(OSError):
    """No TeX is installed, or it did not set the document."""


def find_engine() -> str:
    """The path of the first TeX engine on the PATH. Raises `TypesettingError` where there is none."""
    for name in ENGINES:
        path = shutil.which(name)
        if path is not None:
            return path
    raise TypesettingError(
        f"a PDF needs TeX, and none of {', '.join(ENGINES)} is on the PATH. Install one (Debian and Ubuntu: "
        f"apt install texlive-latex-recommended; macOS: brew install tectonic; Windows: MiKTeX), or write "
        f"the LaTeX document with to_latex(document=True) and set it elsewhere"
    )


def write_pdf(path: str | Path, document: str, seconds: float = SECONDS) -> None:
    """Set a LaTeX document and write the PDF, whole or not at all.

    The engine runs in an empty temporary folder, without a shell, and reads and writes no files outside it
    but its own. Raises `TypesettingError` with the engine's words where it fails or takes longer.
    """
    engine = find_engine()
    name = Path(engine).stem
    with tempfile.TemporaryDirectory(prefix="wengert-") as folder:
        (Path(folder) / f"{NAME}.tex").write_text(document, encoding="utf-8")
        words = [engine, *ENGINES.get(name, ()), f"{NAME}.tex"]
        guarded = {**os.environ, "openin_any": "p", "openout_any": "p", "shell_escape": "f"}
        try:
            done = subprocess.run(
                words,
                cwd=folder,
                env=guarded,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                timeout=seconds,
                check=False,
            )
        except subprocess.TimeoutExpired:
            raise TypesettingError(
                f"{name} did not finish within {seconds:g} s; a smaller worksheet, or one with fewer digits, "
                f"is set faster"
            ) from None
        found = Path(folder) / f"{NAME}.pdf"
        if done.returncode != 0 or not found.exists():
            said = (done.stdout + done.stderr).decode("utf-8", "replace")
            raise TypesettingError(f"{name} could not set the document: {_complaint(said)}")
        content = found.read_bytes()
    write_whole(path, content)


def _complaint(log: str) -> str:
    """The first error that the engine reports, with the line that it stopped at."""
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if re.match(r"! |error: |\S*\.tex:\d+: ", line):
            where = next((later for later in lines[number:] if re.match(r"l\.\d+", later)), "")
            return " ".join(filter(None, (line.removeprefix("! "), where)))
    return " ".join(lines[-3:]) or "it said nothing"
