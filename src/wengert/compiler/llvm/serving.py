"""The native side of a team of threads: waiting for work without asking Python.

A member looks into its box for a while. Work that is posted meanwhile begins within a fraction of a
microsecond; after that the member goes back to Python, and has to be woken.
"""

from __future__ import annotations

import ctypes
import functools
from collections.abc import Callable

from wengert.compiler.llvm.machine import this_machine
from wengert.compiler.llvm.objects import native

POSTED, SEEN, AWAKE, WAS_AWAKE, DONE, FUNCTION = 0, 8, 16, 24, 32, 40
"""The words of a box: how many works were posted and how many were seen, whether the member looks into it,
whether it did when the last work was posted, how many works are done, and the function with its six
arguments. Words that several threads write lie in cache lines of their own."""
WORDS = 48

_TEXT = f"""
define void @serve(ptr %box, i64 %looks) nounwind {{
entry:
  %seen.at = getelementptr i64, ptr %box, i64 {SEEN}
  %awake.at = getelementptr i64, ptr %box, i64 {AWAKE}
  %done.at = getelementptr i64, ptr %box, i64 {DONE}
  %work.at = getelementptr i64, ptr %box, i64 {FUNCTION}
  store atomic i64 1, ptr %awake.at seq_cst, align 8
  br label %rested
rested:
  br label %look
look:
  %count = phi i64 [ 0, %rested ], [ %next, %again ]
  %posted = load atomic i64, ptr %box seq_cst, align 8
  %seen = load i64, ptr %seen.at, align 8
  %news = icmp ne i64 %posted, %seen
  br i1 %news, label %work, label %again
again:
  %next = add i64 %count, 1
  %tired = icmp uge i64 %next, %looks
  br i1 %tired, label %rest, label %look
work:
  store i64 %posted, ptr %seen.at, align 8
  %function = load ptr, ptr %work.at, align 8
  %a.at = getelementptr i64, ptr %work.at, i64 1
  %b.at = getelementptr i64, ptr %work.at, i64 2
  %c.at = getelementptr i64, ptr %work.at, i64 3
  %d.at = getelementptr i64, ptr %work.at, i64 4
  %e.at = getelementptr i64, ptr %work.at, i64 5
  %f.at = getelementptr i64, ptr %work.at, i64 6
  %a = load ptr, ptr %a.at, align 8
  %b = load ptr, ptr %b.at, align 8
  %c = load i64, ptr %c.at, align 8
  %d = load i64, ptr %d.at, align 8
  %e = load i64, ptr %e.at, align 8
  %f = load i64, ptr %f.at, align 8
  call void %function(ptr %a, ptr %b, i64 %c, i64 %d, i64 %e, i64 %f)
  store atomic i64 %posted, ptr %done.at seq_cst, align 8
  br label %rested
rest:
  store atomic i64 0, ptr %awake.at seq_cst, align 8
  %last = load atomic i64, ptr %box seq_cst, align 8
  %late = icmp ne i64 %last, %seen
  br i1 %late, label %stay, label %leave
stay:
  store atomic i64 1, ptr %awake.at seq_cst, align 8
  br label %rested
leave:
  ret void
}}

define void @post(ptr %box) nounwind {{
  %awake.at = getelementptr i64, ptr %box, i64 {AWAKE}
  %was.at = getelementptr i64, ptr %box, i64 {WAS_AWAKE}
  %before = atomicrmw add ptr %box, i64 1 seq_cst
  %awake = load atomic i64, ptr %awake.at seq_cst, align 8
  store i64 %awake, ptr %was.at, align 8
  ret void
}}
"""


@functools.cache
def serving() -> tuple[Callable[[int, int], None], Callable[[int], None]]:
    """``serve(box, looks)``, which looks into a box so often without news before it returns, and
    ``post(box)``, which announces the work that was written into it."""
    module = native(_TEXT, this_machine())
    ctypes.pythonapi.Py_IncRef(ctypes.py_object(module))  # threads may be inside until the process ends
    return module.function("serve", ctypes.c_void_p, ctypes.c_int64), module.function("post", ctypes.c_void_p)
