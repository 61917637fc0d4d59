"""Threads that run native code side by side, and the choice of how many pay.

The number of threads changes no bit of a result, so it can be tried out: both ways are timed now and then,
and the faster one is taken. Small programs stay with one thread.
"""

from __future__ import annotations

import atexit
import ctypes
import math
import os
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

import numpy as np

from wengert.compiler.addresses import address as address_of
from wengert.compiler.addresses import aligned_bytes
from wengert.compiler.llvm.machine import available_threads
from wengert.compiler.llvm.serving import AWAKE, DONE, FUNCTION, POSTED, WAS_AWAKE, WORDS, serving

_LOOKS = 100_000
"""So often a member looks for news, some tenths of a millisecond, before it rests."""
WORTH_SHARING = 1_000_000
"""From so many elementary operations a run, several threads are tried."""
STRETCH, TRIAL = 0.01, 0.002
"""Seconds that steps run before the choice is looked at again, and that the slower way is tried for."""
MOST_STEPS = 10_000
"""After so many single steps the choice is looked at again in any case."""
PRICE = 0.03
"""The part of the time that trials of the slower way may cost."""
PAUSE = 0.1
"""Seconds at least between two such trials."""
_SYSTEM = ctypes.CDLL(None) if sys.platform == "linux" else None
"""Tells which processor a thread runs on; elsewhere than on Linux that is the system's own affair."""


class Pace:
    """How fast a program is with one thread and with several, as measured while it runs.

    The faster way is taken. The other is tried for a moment whenever the time that this may cost has been
    saved up, for another program may take a core away, or give it back. ``work`` is the number of elementary
    operations of a step, ``threads`` the most that may be used, all that the process may use by default.
    """

    def __init__(self, work: float, threads: int | None = None) -> None:
        most = available_threads() if threads is None else threads
        self.several = most if work >= WORTH_SHARING else 1
        self._latest: dict[int, deque[float]] = {n: deque(maxlen=3) for n in (1, self.several)}
        # One thread first: a program may run only once. Each way twice: the first runs are slow anyway.
        self._first = [self.several, 1] * 2
        self._saved = 0.0
        self._stretch = TRIAL
        self._last = time.monotonic()
        self._threads, self._left, self._done, self._spent = 1, 0, 0, 0.0

    # -- single steps: calls with something else between them

    def step_begins(self) -> int:
        """With how many threads the next single step runs."""
        if not self._left:
            if self._done > 0:
                self.record(self._threads, self._done, self._spent)
            before = self._threads
            self._threads, self._left = self.choose(MOST_STEPS)
            self._done, self._spent = 0, 0.0
            if self._threads != before:  # the first step wakes threads, or finds its data elsewhere: one more
                self._left += 1
                self._done = -1
        self._left -= 1
        return self._threads

    def step_ends(self, seconds: float) -> None:
        """A single step took so long."""
        self._done += 1
        if self._done > 0:
            self._spent += seconds
        if self._spent > STRETCH:
            self._left = 0

    # -- rows of steps

    def begin(self) -> None:
        """A row of steps begins: how fast they are now shows in a moment. Much may have changed in a pause,
        which therefore counts as saved time."""
        self._stretch = TRIAL
        self._saved += PRICE * min(1.0, time.monotonic() - self._last)

    def choose(self, steps: int) -> tuple[int, int]:
        """With how many threads to run next, and how many of so many steps."""
        if self._first:
            return self._first.pop(), 1
        best, slower = (choice(self._latest, key=self._seconds) for choice in (min, max))
        trial = self._within(TRIAL, slower, steps)
        cost = trial * (self._seconds(slower) - self._seconds(best))
        if slower != best and self._saved >= max(cost, PRICE * PAUSE):
            return slower, trial
        return best, self._within(self._stretch, best, steps)

    def record(self, threads: int, steps: int, seconds: float) -> None:
        """What so many steps with so many threads took."""
        others = [steps * self._seconds(n) for n, latest in self._latest.items() if latest and n != threads]
        if seconds - min(others, default=math.inf) > TRIAL:
            self._latest[threads].clear()  # so much is no accident
        self._latest[threads].append(max(seconds, 1e-9) / steps)
        best = min((n for n, latest in self._latest.items() if latest), key=self._seconds)
        self._saved = self._saved + PRICE * seconds if threads == best else 0.0
        self._stretch = min(STRETCH, 2 * self._stretch)
        self._last = time.monotonic()

    def _seconds(self, threads: int) -> float:
        """What a step takes with so many threads. One slow moment says nothing: the best of the latest."""
        return min(self._latest[threads])

    def _within(self, seconds: float, threads: int, most: int) -> int:
        return min(most, max(1, int(seconds / self._seconds(threads))))


class Member:
    """A thread that carries out what is posted in its box."""

    def __init__(self, number: int) -> None:
        self._serve, self._post = serving()
        self._box = aligned_bytes(8 * WORDS).view(np.int64)
        self._address = address_of(self._box)
        self._calls: SimpleQueue[None] = SimpleQueue()
        self._thread = threading.Thread(target=self._live, name=f"wengert {number}", daemon=True)
        self._thread.start()

    def keep_off(self, processor: int) -> None:
        """Run on another processor than this one, where there is one."""
        others = os.sched_getaffinity(0) - {processor}
        if others and self._thread.native_id is not None:
            os.sched_setaffinity(self._thread.native_id, others)

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
        self._processor = -1

    def run(
        self, function: Callable[..., None], address: int, table: int, barrier: Any, threads: int,
        first: int, last: int,
    ) -> None:  # fmt: skip
        """Carry out a driver's function, which lies at the address, by so many threads at once; they meet at
        the counter ``barrier``, an array of one whole number."""
        with self._lock:
            while len(self._members) < threads - 1:
                self._members.append(Member(len(self._members) + 1))
                self._processor = -1
            self._spread()
            members = self._members[: threads - 1]
            barrier[0], meeting = 0, address_of(barrier)
            for k, member in enumerate(members, 1):
                member.take(address, table, meeting, k, threads, first, last)
            function(table, meeting, 0, threads, first, last)
            for member in members:
                member.finish()

    def _spread(self) -> None:
        """Threads that meet every few microseconds must not take turns on one processor, and a system that
        sees them wait for each other may leave them there."""
        here = _SYSTEM.sched_getcpu() if _SYSTEM else -1
        if here != self._processor:
            self._processor = here
            for member in self._members:
                member.keep_off(here)

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
