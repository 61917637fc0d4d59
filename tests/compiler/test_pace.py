"""How many threads a program takes: as many as pay, at the price of a few trials."""

import os
import sys
import threading

import numpy as np
import pytest

import wengert
from wengert.compiler.teams import PRICE, WORTH_SHARING, Pace

pytest.importorskip("llvmlite", reason="threads run native code")


def run(pace: Pace, seconds: dict[int, float], total: float) -> tuple[float, float]:
    """Steps that take so long with so many threads, for so many seconds: the time of the slower way, and of
    all."""
    slowest, spent, lost = max(seconds, key=seconds.__getitem__), 0.0, 0.0
    pace.begin()
    while spent < total:
        threads, steps = pace.choose(10_000)
        took = steps * seconds[threads]
        pace.record(threads, steps, took)
        spent += took
        lost += took if threads == slowest else 0.0
    return lost, spent


@pytest.mark.parametrize(("alone", "together"), [(2e-3, 1e-3), (1e-3, 2e-3), (1e-4, 9e-4), (5e-5, 4.5e-5)])
def test_the_faster_way_has_nearly_all_the_time(alone: float, together: float) -> None:
    lost, spent = run(Pace(10 * WORTH_SHARING, 2), {1: alone, 2: together}, 20.0)
    assert lost < 2.5 * PRICE * spent


def test_trials_cost_less_than_five_hundredths_where_several_threads_never_pay() -> None:
    pace, alone = Pace(10 * WORTH_SHARING, 2), 1e-3
    spent = steps_done = 0.0
    while spent < 20.0:
        threads, steps = pace.choose(10_000)
        took = steps * (alone if threads == 1 else 6.7 * alone)
        pace.record(threads, steps, took)
        spent, steps_done = spent + took, steps_done + steps
    assert spent < 1.05 * steps_done * alone


def test_a_core_that_another_program_takes_is_given_up_soon_and_taken_back_soon() -> None:
    pace = Pace(10 * WORTH_SHARING, 2)
    run(pace, {1: 2e-3, 2: 1e-3}, 5.0)
    lost, _ = run(pace, {1: 2e-3, 2: 9e-3}, 2.0)
    assert lost < 0.3
    lost, spent = run(pace, {1: 2e-3, 2: 1e-3}, 2.0)
    assert lost < 0.25 * spent


def test_single_steps_go_the_faster_way_too() -> None:
    pace, seconds, spent, lost = Pace(10 * WORTH_SHARING, 2), {1: 4e-5, 2: 2.5e-5}, 0.0, 0.0
    while spent < 10.0:
        threads = pace.step_begins()
        pace.step_ends(seconds[threads])
        spent += seconds[threads]
        lost += seconds[1] if threads == 1 else 0.0
    assert lost < 2.5 * PRICE * spent
    while spent < 11.0:  # another program takes a core
        threads = pace.step_begins()
        pace.step_ends(took := 4e-5 if threads == 1 else 3e-3)
        spent += took
        lost += 0.0 if threads == 1 else took
    assert lost < 2.5 * PRICE * 10.0 + 0.2


def test_one_slow_moment_changes_nothing() -> None:
    pace = Pace(10 * WORTH_SHARING, 2)
    run(pace, {1: 1e-4, 2: 6e-5}, 1.0)
    pace.record(2, 1, 1e-3)
    lost, _ = run(pace, {1: 1e-4, 2: 6e-5}, 0.05)
    assert lost < 0.005


def test_small_programs_stay_with_one_thread() -> None:
    pace = Pace(WORTH_SHARING / 2, 8)
    for _ in range(50):
        threads, steps = pace.choose(1)
        assert threads == 1
        pace.record(threads, steps, 1e-5)


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells where a thread runs")
@pytest.mark.skipif(len(os.sched_getaffinity(0)) < 2, reason="the process has one processor")
def test_threads_that_meet_do_not_share_a_processor() -> None:
    step = wengert.compile(lambda x: (x @ x).sum(), backend="native")
    step.epoch((np.ones((64, 128, 128), np.float32),), batch_size=2, threads=2)
    (member,) = [t for t in threading.enumerate() if t.name == "wengert 1"]
    assert member.native_id is not None
    assert os.sched_getaffinity(member.native_id) < os.sched_getaffinity(0)
