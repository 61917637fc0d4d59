"""Threads that run native code side by side, and the choice of how many pay.

The number of threads changes no bit of a result, so it can be tried out: both ways are timed now and then,
and the faster one is taken. Small programs stay with one thread.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import Any

WORTH_SHARING = 3_000_000
"""From so many elementary operations a run, several threads are tried."""
_TRIED_AGAIN = 50
"""After so many runs the slower way is timed again, if it was not much slower."""


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
        for count in (1, self.several):
            if count not in self.seconds:
                return count
        self.runs += 1
        best, other = sorted(self.seconds, key=self.seconds.__getitem__)
        near = self.seconds[other] < 2 * self.seconds[best]
        return other if near and self.runs % _TRIED_AGAIN == 0 else best

    def record(self, threads: int, seconds: float) -> None:
        """What a run took with so many threads."""
        before = self.seconds.get(threads)
        self.seconds[threads] = seconds if before is None else min(seconds, 0.75 * before + 0.25 * seconds)


class Team:
    """Threads that wait for work. They are made when they are first needed and end with the process."""

    def __init__(self) -> None:
        self._members: list[SimpleQueue[Any]] = []
        self._lock = threading.Lock()

    def run(self, function: Callable[[int], object], threads: int) -> None:
        """Call ``function(k)`` for every k below ``threads`` at the same time, and wait for all of them.
        One team does one thing at a time."""
        with self._lock:
            while len(self._members) < threads - 1:
                self._add_member()
            done: SimpleQueue[int] = SimpleQueue()
            for k in range(1, threads):
                self._members[k - 1].put((function, k, done))
            function(0)
            for _ in range(1, threads):
                done.get()

    def _add_member(self) -> None:
        orders: SimpleQueue[Any] = SimpleQueue()

        def work() -> None:
            while True:
                function, k, done = orders.get()
                try:
                    function(k)
                finally:
                    done.put(k)

        threading.Thread(target=work, name=f"wengert {len(self._members) + 1}", daemon=True).start()
        self._members.append(orders)

    def forget(self) -> None:
        """Begin anew, without threads: a forked process has only the one that forked."""
        self.__init__()  # type: ignore[misc]


TEAM = Team()
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=TEAM.forget)
