"""Threads that run native code side by side, and the choice of how many pay.

The number of threads changes no bit of a result, so it can be tried out: both ways are timed now and then,
and the faster one is taken. Small programs stay with one thread.
"""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np

from wengert.compiler.llvm.serving import AWAKE, DONE, FUNCTION, POSTED, WAS_AWAKE, WORDS, serving

_LOOKS = 100_000
"""So often a member looks for news, some tenths of a millisecond, before it rests."""
WORTH_SHARING = 1_000_000
"""From so many elementary operations a run, several threads are tried."""
_TRIALS = 6
"""So many runs try both ways in turn at first."""
_TRIED_AGAIN = 12
"""After so many runs the slower way is timed again; after four times as many, if it was much slower."""


def available_threads() -> int:
    """How many threads this process may run at once."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


class Pace:
    """How fast a program is with one thread and with several, as measured while it runs.

    ``work`` is the number of elementary operations of a run, ``threads`` the most that may be used, all that
    the process may use by default.
    """

    def __init__(self, work: float, threads: int | None = None) -> None:
        most = available_threads() if threads is None else threads
        self.several = most if work >= WORTH_SHARING else 1
        self.seconds: dict[int, float] = {}
        self.runs = 0

    def choose(self) -> int:
        """With how many threads to run next."""
        if self.several == 1:
            return 1
        self.runs += 1
        if self.runs <= _TRIALS:  # both ways in turn, for the first runs are slow for other reasons
            return self.several if self.runs % 2 == 0 else 1
        best, other = sorted(self.seconds, key=self.seconds.__getitem__)
        near = self.seconds[other] < 2 * self.seconds[best]
        return other if self.runs % (_TRIED_AGAIN if near else 4 * _TRIED_AGAIN) == 0 else best

    @property
    def is_settled(self) -> bool:
        """Whether the first trials are over."""
        return self.several == 1 or self.runs >= _TRIALS

    def record(self, threads: int, seconds: float) -> None:
        """What a run took with so many threads."""
        before = self.seconds.get(threads)
        self.seconds[threads] = seconds if before is None else min(seconds, 0.75 * before + 0.25 * seconds)


class Member:
    """A thread that carries out what is posted in its box."""

    def __init__(self, number: int) -> None:
        self._serve, self._post = serving()
        self._words = np.zeros(WORDS + 8, np.int64)
        start = -self._words.ctypes.data % 64 // 8
        self._box = self._words[start : start + WORDS]
        self._address = self._box.ctypes.data
        self._calls: SimpleQueue[None] = SimpleQueue()
        threading.Thread(target=self._live, name=f"wengert {number}", daemon=True).start()

    def _live(self) -> None:
        while True:
            self._calls.get()
            self._serve(self._address, _LOOKS)

    def take(self, function: int, *arguments: int) -> None:
        """Call a native function of six arguments at this address, at the next opportunity."""
        self._box[FUNCTION : FUNCTION + 7] = (function, *arguments)
        self._post(self._address)
        if not self._box[WAS_AWAKE]:
            self._calls.put(None)

    def finish(self) -> None:
        """Wait until the last work is done, to its very last instruction."""
        while self._box[DONE] != self._box[POSTED]:
            pass

    def rest(self) -> None:
        """Wait until the thread is back in Python."""
        patience = time.monotonic() + 1.0
        while self._box[AWAKE] and time.monotonic() < patience:
            time.sleep(0.0002)


class Team:
    """Threads that wait for work. They are made when they are first needed and end with the process."""

    def __init__(self) -> None:
        self._members: list[Member] = []
        self._lock = threading.Lock()

    def run(
        self, function: Callable[..., None], address: int, table: int, barrier: Any, threads: int,
        first: int, last: int,
    ) -> None:  # fmt: skip
        """Carry out a driver's function, which lies at the address, by so many threads at once; they meet at
        the counter ``barrier``, an array of one whole number."""
        with self._lock:
            while len(self._members) < threads - 1:
                self._members.append(Member(len(self._members) + 1))
            members = self._members[: threads - 1]
            barrier[0], meeting = 0, barrier.ctypes.data
            for k, member in enumerate(members, 1):
                member.take(address, table, meeting, k, threads, first, last)
            function(table, meeting, 0, threads, first, last)
            for member in members:
                member.finish()

    def rest(self) -> None:
        """Wait until no thread is in native code."""
        for member in self._members:
            member.rest()

    def forget(self) -> None:
        """Begin anew, without threads: a forked process has only the one that forked."""
        self._members, self._lock = [], threading.Lock()


TEAM = Team()
atexit.register(TEAM.rest)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TEAM.forget)
