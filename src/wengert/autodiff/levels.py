"""Levels keep nested derivatives apart, and `no_grad` stops recording.

Every transform call takes the next level from a stack (never from its arguments, or closures would collide);
tapes made by ``requires_grad`` are level 0. An operation belongs to the highest level among its arguments.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from types import TracebackType
from typing import Any, TypeVar

F = TypeVar("F", bound=Callable[..., Any])

_current: ContextVar[int] = ContextVar("wengert_level", default=0)
_silenced: ContextVar[int] = ContextVar("wengert_silenced", default=-1)

current_level = _current.get
"""The level of the innermost transform that runs now; 0 outside all of them."""

silenced_level = _silenced.get
"""Tapes of this level and below record nothing now."""


@contextmanager
def new_level() -> Iterator[int]:
    """A level of its own for one transform call."""
    level = _current.get() + 1
    token = _current.set(level)
    try:
        yield level
    finally:
        _current.reset(token)


def is_recording(level: int = 0) -> bool:
    """Whether tapes of a level record now."""
    return level > _silenced.get()


def is_grad_enabled() -> bool:
    """Whether operations on tensors that require a gradient are recorded here.

    >>> with no_grad():
    ...     is_grad_enabled()
    False
    """
    return is_recording(_current.get())


def _silence(silent: bool) -> Any:
    return _silenced.set(_current.get() if silent else -1)


class _Recording:
    """A context manager and decorator that turns the tape off, or on again."""

    silences: bool
    _tokens: list[Any]

    def __new__(cls, function: Callable[..., Any] | None = None) -> Any:
        instance = super().__new__(cls)
        instance._tokens = []
        return instance if function is None else instance(function)

    def __enter__(self) -> None:
        self._tokens.append(_silence(self.silences))

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _silenced.reset(self._tokens.pop())

    def __call__(self, function: F) -> F:
        @functools.wraps(function)
        def wrapped(*args: Any, **words: Any) -> Any:
            with type(self)():
                return function(*args, **words)

        return wrapped  # type: ignore[return-value]


class no_grad(_Recording):
    """Record nothing inside the block, or inside the decorated function.

    >>> import wengert
    >>> w = wengert.tensor([1.0, 2.0], requires_grad=True)
    >>> with wengert.no_grad():
    ...     y = w * 2
    >>> y.requires_grad
    False
    """

    silences = True


class enable_grad(_Recording):
    """Record again inside a `no_grad` block.

    >>> import wengert
    >>> w = wengert.tensor([1.0], requires_grad=True)
    >>> with wengert.no_grad(), wengert.enable_grad():
    ...     y = w * 2
    >>> y.requires_grad
    True
    """

    silences = False


class set_grad_enabled:
    """Record from here on, or do not: as a call, or for the length of a block.

    >>> import wengert
    >>> with wengert.set_grad_enabled(False):
    ...     wengert.is_grad_enabled()
    False
    >>> wengert.is_grad_enabled()
    True
    """

    def __init__(self, mode: bool) -> None:
        self._token = _silence(not mode)

    def __enter__(self) -> None:
        """The block begins; recording was set already."""

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        _silenced.reset(self._token)
