"""Run benchmarks, each in a process of its own, and write ``benchmarks/RESULTS.md``.

python -m benchmarks                        everything
python -m benchmarks W1 W3 hessian          some, by name (only a sweep's plot is then kept)
python -m benchmarks W2 --peers torch,jax   against these peers only
python -m benchmarks --quick --peers ""     small sizes and two rounds, to see that all runs
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import inspect
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

from benchmarks.races import Settings
from benchmarks.report import surroundings

COMPILED = "benchmarks.compiled.workloads"
SWEEPS = "benchmarks.compiled.sweeps"

BENCHMARKS: dict[str, tuple[str, int, tuple[Any, ...]]] = {
    "W1": (f"{COMPILED}:small_network", 15, ()),
    "W2-adam-64": (f"{COMPILED}:image_network", 5, ("Adam", 64)),
    "W2-adam-256": (f"{COMPILED}:image_network", 5, ("Adam", 256)),
    "W2-sgd-64": (f"{COMPILED}:image_network", 5, ("SGD", 64)),
    "W2-sgd-256": (f"{COMPILED}:image_network", 5, ("SGD", 256)),
    "W3": (f"{COMPILED}:phase_retrieval", 15, ()),
    "W4": (f"{COMPILED}:autoencoder", 15, ()),
    "W5": (f"{COMPILED}:chain", 15, ()),
    "W6": (f"{COMPILED}:demo", 15, ()),
    "latency": ("benchmarks.compiled.latency:latency", 5, ()),
    "step-memory": ("benchmarks.compiled.memory:step_memory", 1, ()),
    "width": (f"{SWEEPS}:sweep", 5, ("WIDTH",)),
    "batch": (f"{SWEEPS}:sweep", 5, ("BATCH",)),
    "depth": (f"{SWEEPS}:sweep", 5, ("DEPTH",)),
    "hessian": (f"{SWEEPS}:sweep", 5, ("HESSIAN",)),
    "rows": (f"{SWEEPS}:sweep", 5, ("ROWS",)),
    "add": ("benchmarks.eager:forward", 31, ()),
    "add-backward": ("benchmarks.eager:backward", 31, ()),
    "demo": ("benchmarks.scalars:demo_collecting", 7, ()),
    "demo-no-gc": ("benchmarks.scalars:demo_without_collector", 7, ()),
    "train-small": ("benchmarks.training:small", 15, ()),
    "train-large-adam": ("benchmarks.training:large_adam", 5, ()),
    "train-large-sgd": ("benchmarks.training:large_sgd", 5, ()),
    "partial-fit": ("benchmarks.estimators:partial_fit", 15, ()),
    "phase-retrieval": ("benchmarks.derivatives:phase_retrieval", 15, ()),
    "autoencoder": ("benchmarks.derivatives:autoencoder", 15, ()),
    "line-search": ("benchmarks.descents:line_search", 9, ()),
    "newton": ("benchmarks.solvers:newton", 1, ()),
    "truncated-newton": ("benchmarks.solvers:truncated_newton", 1, ()),
    "bfgs": ("benchmarks.solvers:quasi_newton", 1, ()),
    "l-bfgs": ("benchmarks.solvers:limited_memory", 1, ()),
    "nonlinear-cg": ("benchmarks.solvers:conjugate_gradient", 1, ()),
    "least-squares": ("benchmarks.solvers:least_squares", 1, ()),
    "startup": ("benchmarks.startup:startup", 21, ()),
    "memory": ("benchmarks.eager:memory", 1, ()),
    "chain": ("benchmarks.scalars:chain", 1, ()),
}
"""Where each benchmark is, its rounds, and what it is told beside the settings."""

GROUPS = {
    "W2": ("W2-adam-64", "W2-adam-256", "W2-sgd-64", "W2-sgd-256"),
    "W7": ("add", "add-backward"),
    "compiled": ("W1", "W2", "W3", "W4", "W5", "W6", "latency", "step-memory"),
    "sweeps": ("width", "batch", "depth", "hessian", "rows"),
}
"""Several by one name."""

PEERS = {
    "torch": "torch",
    "torch.compile": "torch",
    "jax": "jax",
    "sklearn": "sklearn",
    "autograd": "autograd",
    "casadi": "casadi",
    "tinygrad": "tinygrad",
    "micrograd": "micrograd",
}
"""The peers and the package that each needs."""

RESULTS = Path(__file__).parent / "RESULTS.md"

HEAD = """# Benchmark results

Written by `python -m benchmarks`. Each benchmark runs in a process of its own, and of W1 to W6 and the
sweeps each program too. Programs that are compared take turns round by round, and the medians over the
rounds are shown, with the quartiles of the rounds beside them. All are checked to compute the same.
Frameworks may use {threads} threads.

An epoch gathers its batches from memory by shuffled rows; ours draws a new order for each epoch.

"""


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks", description="Measure wengert against its budgets."
    )
    every = ", ".join((*BENCHMARKS, *GROUPS))
    parser.add_argument("names", nargs="*", help=f"any of {every}; all by default")
    parser.add_argument("--peers", default=",".join(PEERS), help="peers to compare with, by comma")
    parser.add_argument("--rounds", type=int, help="rounds of each timing; more is steadier")
    parser.add_argument("--threads", type=int, default=2, help="threads for W1 to W6 and the sweeps (2)")
    parser.add_argument("--quick", action="store_true", help="small sizes and two rounds: a smoke test")
    parser.add_argument("--here", action="store_true", help="run the one named benchmark in this process")
    chosen = parser.parse_args()
    for name in chosen.names:
        if name not in BENCHMARKS and name not in GROUPS:
            parser.error(f"there is no benchmark {name!r}; there are {every}")
    wanted = [peer for peer in chosen.peers.split(",") if peer]
    for peer in wanted:
        if peer not in PEERS:
            parser.error(f"there is no peer {peer!r}; there are {', '.join(PEERS)}")
    present = [peer for peer in wanted if importlib.util.find_spec(PEERS[peer])]
    names = [single for name in chosen.names or BENCHMARKS for single in _singles(name)]
    rounds = 2 if chosen.quick else chosen.rounds
    run = _run if chosen.here else _run_apart
    sections, conditions = (
        [],
        surroundings(list(dict.fromkeys(["llvmlite", *(PEERS[peer] for peer in wanted)]))),
    )
    for name in names:
        settings = Settings(frozenset(present), rounds or BENCHMARKS[name][1], chosen.threads, chosen.quick)
        start = time.perf_counter()
        sections.append(run(name, settings))
        print(sections[-1], flush=True)
        if not chosen.here:
            print(f"{name}: {time.perf_counter() - start:.0f} s", file=sys.stderr)
    if not chosen.names and not chosen.quick:
        missing = [peer for peer in wanted if peer not in present]
        note = f"- Peers not installed, so skipped: {', '.join(missing)}\n" if missing else ""
        head = HEAD.format(threads=chosen.threads)
        RESULTS.write_text(head + conditions + note + "\n" + "\n".join(sections))


def _singles(name: str) -> list[str]:
    return [single for part in GROUPS.get(name, ()) for single in _singles(part)] or [name]


def _run(name: str, settings: Settings) -> str:
    place, _, arguments = BENCHMARKS[name]
    module = importlib.import_module(place.partition(":")[0])
    function = getattr(module, place.partition(":")[2])
    if "settings" in inspect.signature(function).parameters:
        told = [getattr(module, part) if module.__name__ == SWEEPS else part for part in arguments]
        report = function(settings, *told)
    else:
        report = function(settings.peers, settings.rounds)
    return str(report.to_markdown())


def _run_apart(name: str, settings: Settings) -> str:
    """The report of a process of its own, so that nothing that another benchmark imported slows it down."""
    command = [sys.executable, "-m", "benchmarks", name, "--here", "--peers", ",".join(settings.peers)]
    command += ["--rounds", str(settings.rounds), "--threads", str(settings.threads)]
    command += ["--quick"] if settings.quick else []
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
    if done.returncode:
        sys.exit(f"the benchmark {name} failed")
    return done.stdout.rstrip("\n") + "\n"


if __name__ == "__main__":
    main()
