"""The benchmarks run: small sizes, two rounds, no other framework."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from benchmarks.races import Budget, Outcome, compared  # noqa: E402
from benchmarks.timing import Times  # noqa: E402
from benchmarks.workers import Failure, Worker  # noqa: E402


def benchmark(*arguments: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "benchmarks", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)


def test_a_workload_prints_its_times_and_what_no_peer_could_answer() -> None:
    done = benchmark("W6", "--quick", "--peers", "")
    assert done.returncode == 0, done.stderr
    assert "| wengert.scalar, eager |" in done.stdout and "W6: ≥ 2× batched JAX" in done.stdout
    assert "computes something else" not in done.stdout


def test_the_command_names_the_benchmarks_and_peers_there_are() -> None:
    unknown = benchmark("W9")
    assert unknown.returncode == 2 and "no benchmark 'W9'" in unknown.stderr and "sweeps" in unknown.stderr
    stranger = benchmark("W1", "--peers", "theano")
    assert stranger.returncode == 2 and "no peer 'theano'" in stranger.stderr


def outcome(**seconds: tuple[float, ...]) -> Outcome:
    return Outcome(times={name: Times(found) for name, found in seconds.items()})


def test_a_verdict_compares_round_by_round_with_the_fastest_that_ran() -> None:
    found = outcome(wengert=(1.0, 2.0, 1.0), slow=(9.0, 9.0, 9.0), fast=(3.0, 6.0, 3.0))
    assert "3.00× (3.00 to 3.00) over fast: **met**" in Budget("≥ 3×", 3, ("slow", "fast")).verdict(found)
    assert "**NOT MET**" in Budget("≥ 4×", 4, ("slow", "fast")).verdict(found)
    assert "**not measured**" in Budget("≥ 4×", 4, ("absent",)).verdict(found)


def test_a_contender_that_computes_something_else_is_told_apart() -> None:
    reference = {"value": np.array(2.0), "gradient": np.array([1.0, 4.0])}
    tolerances = {"value": 1e-6, "gradient": 1e-6}
    assert compared({"value": np.array(2.0)}, reference, tolerances) == 0
    with pytest.raises(Failure, match=r"its gradient differs by 2\.5e-01"):
        compared({"gradient": np.array([1.0, 5.0])}, reference, tolerances)
    with pytest.raises(Failure, match="gradient"):
        compared({"gradient": np.array([1.0, np.nan])}, reference, tolerances)
    with pytest.raises(Failure, match=r"shape \(1,\), not \(2,\)"):
        compared({"gradient": np.array([1.0])}, reference, tolerances)


def test_a_worker_says_why_a_contender_cannot_take_part() -> None:
    with Worker(threads=1) as worker, pytest.raises(Failure, match="no_such_package"):
        worker.build("no_such_package:program", None)
