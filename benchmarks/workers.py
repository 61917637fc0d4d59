"""Contenders in processes of their own: thread pools, allocators and settings of one do not touch another.

The parent sends a worker what to build and how often to run it; the worker answers with what the program
computed and with seconds.
"""

from __future__ import annotations

import contextlib
import importlib
import multiprocessing
import os
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

BUILD_LIMIT = 180.0
"""Seconds that a worker may take to import its framework, build its program and run it once."""


@dataclass(frozen=True)
class Program:
    """One unit of work, ready when ``run`` returns. ``first`` is the run whose results are compared, under
    these names; it is ``run`` itself where there is no other."""

    run: Callable[[], Any]
    names: tuple[str, ...]
    first: Callable[[], Any] | None = None


@dataclass(frozen=True)
class Built:
    """A program that stands: how long that took, its first run included, and what it computed."""

    seconds: float
    answer: dict[str, Any]


class Failure(Exception):
    """A contender that cannot take part; the message says why."""


class Worker:
    """The parent's end. Usable in a ``with`` block, which ends the process."""

    def __init__(self, threads: int, environment: Mapping[str, str] | None = None) -> None:
        context = multiprocessing.get_context("spawn")
        self._connection, theirs = context.Pipe()
        self._process = context.Process(target=_serve, args=(theirs, threads), daemon=True)
        with _environment(_thread_settings(threads) | dict(environment or {})):
            self._process.start()
        theirs.close()

    def build(self, make: str, specification: Any, limit: float = BUILD_LIMIT) -> Built:
        """Build what ``make`` ("module:function") makes of the specification, and run it once."""
        built: Built = self._ask((_build, make, specification), limit)
        return built

    def seconds(self, calls: int) -> float:
        """Seconds per run over so many runs of what was built last."""
        return float(self._ask((_time, calls), BUILD_LIMIT))

    def _ask(self, request: tuple[Any, ...], limit: float) -> Any:
        try:
            self._connection.send(request)
            if not self._connection.poll(limit):
                self._process.kill()
                raise Failure(f"it took longer than {limit:.0f} s")
            answer = self._connection.recv()
        except (EOFError, OSError):
            self._process.join(5)
            raise Failure(f"its process ended with status {self._process.exitcode}") from None
        if isinstance(answer, Failure):
            raise answer
        return answer

    def close(self) -> None:
        self._connection.close()
        self._process.join(2)
        if self._process.is_alive():
            self._process.kill()

    def __enter__(self) -> Worker:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()


def _thread_settings(threads: int) -> dict[str, str]:
    """What the thread pools read when they are imported."""
    pools = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS")
    settings = dict.fromkeys(pools, str(threads))
    if threads == 1:
        settings["XLA_FLAGS"] = "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1"
    return settings


@contextlib.contextmanager
def _environment(settings: Mapping[str, str]) -> Iterator[None]:
    before = dict(os.environ)
    os.environ.update(settings)
    try:
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


def _serve(connection: Any, threads: int) -> None:
    """The worker's end: answer requests until the parent closes the connection."""
    os.dup2(2, 1)  # the parent's standard output is the report; frameworks print to theirs
    if hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, sorted(os.sched_getaffinity(0))[:threads])
    program: Program | None = None
    while True:
        try:
            request, *arguments = connection.recv()
        except EOFError:
            return
        try:
            answer = request(program, *arguments)
        except Exception as error:
            answer = Failure(_in_one_line(error))
        if isinstance(answer, tuple):
            program, answer = answer
        connection.send(answer)


def _build(previous: Program | None, make: str, specification: Any) -> tuple[Program, Built]:
    start = time.perf_counter()
    module, _, function = make.partition(":")
    program: Program = getattr(importlib.import_module(module), function)(specification)
    results = (program.first or program.run)()
    seconds = time.perf_counter() - start
    import numpy as np

    return program, Built(
        seconds, {name: np.asarray(r) for name, r in zip(program.names, results, strict=True)}
    )


def _time(program: Program, calls: int) -> float:
    start = time.perf_counter()
    for _ in range(calls):
        program.run()
    return (time.perf_counter() - start) / calls


def _in_one_line(error: Exception) -> str:
    words = " ".join(f"{type(error).__name__}: {error}".split())
    print(words, file=sys.stderr)
    return words if len(words) <= 160 else words[:159] + "…"
