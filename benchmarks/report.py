"""What a benchmark found, and how it is written down."""

from __future__ import annotations

import datetime
import importlib.metadata
import os
import platform
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks.timing import Times


@dataclass(frozen=True)
class Verdict:
    """A budget and what was found; ``met`` is None where a peer is missing."""

    budget: str
    found: str
    met: bool | None

    def __str__(self) -> str:
        word = {True: "met", False: "NOT MET", None: "not measured"}[self.met]
        return f"{self.budget}: {self.found}: **{word}**"


@dataclass
class Report:
    """One benchmark's table, verdicts and notes."""

    title: str
    columns: Sequence[str] = ()
    rows: list[list[str]] = field(default_factory=list)
    verdicts: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def to_markdown(self) -> str:
        lines = [f"## {self.title}", ""]
        if self.rows:
            lines += [f"| {' | '.join(self.columns)} |", f"|{'---|' * len(self.columns)}"]
            lines += [f"| {' | '.join(row)} |" for row in self.rows]
            lines.append("")
        lines += [f"- {line}" for line in (*self.verdicts, *self.notes)]
        return "\n".join(lines) + "\n"


def table_of_times(title: str, times: dict[str, Times], base: str, unit: str = "ms") -> Report:
    """Medians with quartiles, and how many times as long as ``base`` each took (where ``base`` ran)."""
    factor = {"s": 1.0, "ms": 1e3, "us": 1e6}[unit]
    shown = "µs" if unit == "us" else unit
    report = Report(title, ["program", f"median, {shown}", f"quartiles, {shown}", f"time / {base}"])
    for name, found in times.items():
        low, high = found.spread
        ratio = f"{found.median / times[base].median:.3f}" if base in times else "-"
        report.rows.append(
            [name, f"{found.median * factor:.3f}", f"{low * factor:.3f} to {high * factor:.3f}", ratio]
        )
    return report


def at_most(budget: str, ratio: float | None, limit: float, peer: str) -> str:
    """The verdict on a ratio of times, as a line."""
    if ratio is None:
        return str(Verdict(budget, f"{peer} is not installed", None))
    return str(Verdict(budget, f"{ratio:.3f}", ratio <= limit))


def at_least(budget: str, ratio: float | None, limit: float, peer: str) -> str:
    """The verdict on a speed-up, as a line."""
    if ratio is None:
        return str(Verdict(budget, f"{peer} is not installed", None))
    return str(Verdict(budget, f"{ratio:.2f}×", ratio >= limit))


def surroundings(peers: Sequence[str]) -> str:
    """The date, the machine, how busy it is, and the versions, as Markdown."""
    busy = f", load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    packages = [f"{name} {_version(name)}" for name in ("wengert", "numpy", *peers)]
    return (
        f"- {datetime.date.today().isoformat()}, {_processor()}, {platform.system()} {platform.release()}"
        f"{busy}\n"
        f"- Python {platform.python_version()} ({platform.python_compiler()}), {', '.join(packages)}\n"
    )


def _version(package: str) -> str:
    try:
        return importlib.metadata.version({"sklearn": "scikit-learn"}.get(package, package))
    except importlib.metadata.PackageNotFoundError:
        return "from the source tree" if package == "wengert" else "not installed"


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return f"{len(names)} × {names[0]}" if names else platform.machine()
