"""Where a running capture is found: what keeps numbers, draws or settings outside tensors asks here.

While `wengert.compile` runs a step once over nodes, an optimizer's learning rate, its step counters, a
generator's draws and a module's training flag must not become constants of the program. Their owners ask
`running` for the capture, which is None at all other times.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, MutableMapping, Sequence
from contextlib import AbstractContextManager
from contextvars import ContextVar
from typing import Any, NoReturn, Protocol


class Capture(Protocol):
    """What a running capture offers to the owners of state."""

    def number(self, holders: Sequence[MutableMapping[str, Any]], key: str, index: int | None = None) -> Any:
        """The number that every one of the holders keeps under ``key`` (the entry ``index`` of a tuple where
        one is given), as a node. The compiled step reads it anew at each call."""

    def keep_number(self, holders: Sequence[MutableMapping[str, Any]], key: str, value: Any) -> None:
        """The program writes this number back under ``key`` of every holder."""

    def guard(self, description: str, check: Callable[[], Hashable]) -> None:
        """The program holds only while ``check()`` answers as it does now."""

    def called(self, module: Any) -> None:
        """The program holds only while this module has the parts, the training flag and the settings that it
        has now."""

    def draw(self, generator: Any, method: str, settings: dict[str, Any]) -> Any:
        """A generator's draw as a node: at each call ``getattr(generator, method)(**settings)``."""

    def later(
        self, action: Callable[[], object], description: str, changes: Sequence[Mapping[str, Any]] = ()
    ) -> None:
        """Something that is done in Python after every run of the program: a schedule's step. ``changes``
        are the mappings whose numbers it changes, so that nothing later in the step may read them."""

    def belongs(self, tensor: Any, key: str, owner: Any) -> None:
        """An optimizer keeps the tensor under ``key`` for its owner: a name for readers."""

    def section(self, name: str) -> None:
        """What is recorded from here on belongs to the ``forward`` pass, the ``backward`` pass or the
        ``update``."""

    def outside(self) -> AbstractContextManager[None]:
        """Inside this block tensors are as they are outside the step: for making an optimizer's state."""

    def refuse(self, problem: str, cure: str) -> NoReturn:
        """Raise, with the user's line, for what no compiled step can do."""


running: ContextVar[Capture | None] = ContextVar("running", default=None)
