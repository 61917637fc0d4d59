"""The trials of a search in several processes, which all write to one study.

A worker is a fresh process and gets the objective once. It ends when its parent does, even by a kill.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from wengert.optional import require
from wengert.train.progress import SHORT
from wengert.train.search import Search
from wengert.train.studies import trial_of_another_process
from wengert.train.trials import Objective, Outcome, Trial, quiet_optuna, run_trial

Running = dict["Future[Outcome]", tuple[int, Any, dict[str, Any]]]


def in_worker_processes(search: Search, objective: Objective, jobs: int, path: Path) -> None:
    """Run the trials that are left, ``jobs`` at a time. After an error the trials under way still end."""
    _require_sendable(objective, jobs)
    alive, parent = multiprocessing.Pipe(duplex=False)
    settings = search.study.settings
    pool = ProcessPoolExecutor(
        max(1, min(jobs, search.total)),
        mp_context=multiprocessing.get_context("spawn"),
        initializer=_prepare,
        initargs=(objective, alive, path, settings.pruning, settings.seed),
    )
    running: Running = {}
    try:
        failure = _run(search, pool, running, jobs)
    except BaseException as error:
        parent.close()  # the workers read the end of the pipe, and end
        for _, record, _ in running.values():
            search.study.give_up(record)
        if isinstance(error, BrokenProcessPool):
            raise ChildProcessError(
                "a worker process ended in the middle of a trial. It may have run out of memory; or the "
                "script that calls tune does so outside of `if __name__ == '__main__':`"
            ) from error
        raise
    finally:
        pool.shutdown()
        parent.close()
        alive.close()
    if failure is not None:
        raise failure


def _run(search: Search, pool: ProcessPoolExecutor, running: Running, jobs: int) -> Exception | None:
    failure: Exception | None = None
    while True:
        while failure is None and len(running) < jobs and (place := search.next_place()) is not None:
            record, parameters = search.study.begin(place)
            trial = Trial(place, parameters, search.study.settings.mode, None)
            running[pool.submit(_evaluate, trial, record.number)] = (place, record, parameters)
        if not running:
            return failure
        done, _ = wait(running, timeout=SHORT, return_when=FIRST_COMPLETED)
        search.release_lines()
        for future in done:
            place, record, parameters = running.pop(future)
            try:
                search.finish(record, place, parameters, future.result())
            except BrokenProcessPool:
                search.study.give_up(record)
                raise
            except Exception as error:
                search.study.give_up(record)
                failure = failure or error


def _require_sendable(objective: Objective, jobs: int) -> None:
    class Nowhere:
        def write(self, data: Any) -> int:
            return len(data)

    try:
        pickle.Pickler(Nowhere()).dump(objective)
    except Exception as error:
        raise TypeError(
            f"objective: jobs={jobs} sends it to other processes, and this one cannot be sent ({error}).\n"
            f"  wrong:  tune(lambda parameters, trial: score(data, parameters), space, jobs={jobs})\n"
            f"  right:  tune(functools.partial(score, data), space, jobs={jobs}), with `score` defined in a "
            f"module by def"
        ) from error


# -- in the worker
# -------------------------------------------------------------------------------------------------------

_given: dict[str, Any] = {}


def _prepare(objective: Objective, alive: Connection, path: Path, pruning: bool, seed: int) -> None:
    """Called once in every worker."""
    threading.Thread(target=_end_with, args=(alive,), daemon=True).start()
    require("threadpoolctl", "tune with several jobs", "learn").threadpool_limits(1)
    _given.update(objective=objective, path=path, pruning=pruning, seed=seed)


def _end_with(alive: Connection) -> None:
    try:
        alive.recv_bytes()
    except (EOFError, OSError):
        os._exit(1)


def _evaluate(trial: Trial, number: int) -> Outcome:
    with quiet_optuna():
        trial._record = trial_of_another_process(_given["path"], number, _given["pruning"])
        return run_trial(_given["objective"], trial, _given["seed"])
