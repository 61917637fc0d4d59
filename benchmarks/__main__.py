"""Run benchmarks, each in a process of its own, and write ``benchmarks/RESULTS.md``.

python -m benchmarks                        everything
python -m benchmarks demo chain             some, by name (the file is then left alone)
python -m benchmarks --peers micrograd      against these peers only
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import subprocess
import sys
from pathlib import Path

from benchmarks.report import surroundings

BENCHMARKS = {
    "add": ("benchmarks.eager:forward", 31),
    "add-backward": ("benchmarks.eager:backward", 31),
    "demo": ("benchmarks.scalars:demo_collecting", 11),
    "demo-no-gc": ("benchmarks.scalars:demo_without_collector", 11),
    "train-small": ("benchmarks.training:small", 15),
    "train-large-adam": ("benchmarks.training:large_adam", 9),
    "train-large-sgd": ("benchmarks.training:large_sgd", 9),
    "partial-fit": ("benchmarks.estimators:partial_fit", 15),
    "phase-retrieval": ("benchmarks.derivatives:phase_retrieval", 15),
    "autoencoder": ("benchmarks.derivatives:autoencoder", 15),
    "line-search": ("benchmarks.descents:line_search", 9),
    "newton": ("benchmarks.solvers:newton", 1),
    "truncated-newton": ("benchmarks.solvers:truncated_newton", 1),
    "bfgs": ("benchmarks.solvers:quasi_newton", 1),
    "l-bfgs": ("benchmarks.solvers:limited_memory", 1),
    "nonlinear-cg": ("benchmarks.solvers:conjugate_gradient", 1),
    "least-squares": ("benchmarks.solvers:least_squares", 1),
    "startup": ("benchmarks.startup:startup", 21),
    "memory": ("benchmarks.eager:memory", 1),
    "chain": ("benchmarks.scalars:chain", 1),
}
"""Where each benchmark is, and its rounds."""

RESULTS = Path(__file__).parent / "RESULTS.md"

HEAD = """# Benchmark results

Written by `python -m benchmarks`. Each benchmark runs in a process of its own; programs that are compared
take turns round by round, and the medians over the rounds are shown. All are checked to compute the same.

"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure wengert against its budgets."
    )
    parser.add_argument("names", nargs="*", help=f"any of {', '.join(BENCHMARKS)}; all by default")
    parser.add_argument(
        "--peers", default="torch,micrograd,jax,autograd,casadi", help="peers to compare with, by comma"
    )
    parser.add_argument("--rounds", type=int, help="rounds of each timing; more is steadier")
    parser.add_argument("--here", action="store_true", help="run the one named benchmark in this process")
    chosen = parser.parse_args()
    for name in chosen.names:
        if name not in BENCHMARKS:
            parser.error(f"there is no benchmark {name!r}; there are {', '.join(BENCHMARKS)}")
    wanted = [peer for peer in chosen.peers.split(",") if peer]
    present = [peer for peer in wanted if importlib.util.find_spec(peer)]
    names = chosen.names or list(BENCHMARKS)
    if chosen.here:
        for name in names:
            print(_run(name, present, chosen.rounds))
        return
    sections = []
    for name in names:
        sections.append(_run_apart(name, present, chosen.rounds))
        print(sections[-1], flush=True)
    if not chosen.names:
        missing = [peer for peer in wanted if peer not in present]
        note = f"- Peers not installed, so skipped: {', '.join(missing)}\n" if missing else ""
        RESULTS.write_text(HEAD + surroundings(wanted) + note + "\n" + "\n".join(sections))


def _run(name: str, peers: list[str], rounds: int | None) -> str:
    module, _, function = BENCHMARKS[name][0].partition(":")
    report = getattr(importlib.import_module(module), function)(
        frozenset(peers), rounds or BENCHMARKS[name][1]
    )
    return str(report.to_markdown())


def _run_apart(name: str, peers: list[str], rounds: int | None) -> str:
    """The report of a process of its own, so that nothing that another benchmark imported slows it down."""
    command = [sys.executable, "-m", "benchmarks", name, "--here", "--peers", ",".join(peers)]
    if rounds:
        command += ["--rounds", str(rounds)]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"the benchmark {name} failed")
    return done.stdout.rstrip("\n") + "\n"


main()
