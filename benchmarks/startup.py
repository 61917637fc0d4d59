"""How long Python takes to have the package, and the command to answer."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable

from benchmarks.report import Report, Verdict, table_of_times
from benchmarks.timing import interleave

COMMAND = "import sys; sys.argv = ['wengert', '--help']; from wengert.cli import main; main()"


def _runs(program: str) -> Callable[[], object]:
    def run() -> object:
        return subprocess.run(
            [sys.executable, "-c", program], check=True, stdout=subprocess.DEVNULL, env=dict(os.environ)
        )

    return run


def startup(peers: frozenset[str], rounds: int) -> Report:
    """``import wengert`` and ``wengert --help``, over bare Python."""
    programs = {"bare Python": "pass", "import wengert": "import wengert", "import numpy": "import numpy"}
    has_command = subprocess.run(
        [sys.executable, "-c", "from wengert.cli import main"], capture_output=True
    ).returncode
    if has_command == 0:
        programs["wengert --help"] = COMMAND
    times = interleave({name: _runs(program) for name, program in programs.items()}, rounds=rounds)
    report = table_of_times("Import and the command line", times, "bare Python")
    bare = times["bare Python"].median
    imported = (times["import wengert"].median - bare) * 1e3
    report.verdicts.append(
        str(
            Verdict("Budget: `import wengert` ≤ 30 ms over bare Python", f"{imported:.1f} ms", imported <= 30)
        )
    )
    budget = "Budget: `wengert --help` ≤ 150 ms"
    if "wengert --help" in times:
        took = times["wengert --help"].median * 1e3
        report.verdicts.append(
            str(Verdict(budget, f"{took:.0f} ms, of which bare Python {bare * 1e3:.0f}", took <= 150))
        )
    else:
        report.verdicts.append(str(Verdict(budget, "the command does not exist yet", None)))
    return report
