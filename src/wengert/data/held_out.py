"""The test part: it is scored once, at the end, or it is no test."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NoReturn, TypeVar

Score = TypeVar("Score")


class HeldOutAlreadyScored(RuntimeError):
    """The test part was asked for a second score."""


class HeldOut:
    """Rows that nobody sees until they are scored, once.

    A model chosen by its test score has been fitted to the test rows, and its score says nothing about new
    ones: choose by the validation part. ``scored`` says whether the score has been taken; it is plain data
    that a saved run keeps and gives back as ``HeldOut(x, y, scored=True)``. Raises ValueError where ``x`` and
    ``y`` differ in their numbers of rows.

    >>> test = HeldOut([1.0, 2.0], [1.0, 4.0])
    >>> test
    HeldOut(2 rows, not scored)
    >>> test.score(lambda x, y: sum(abs(a - b) for a, b in zip(x, y)))
    2.0
    >>> test.score(lambda x, y: 0.0)
    Traceback (most recent call last):
        ...
    wengert.data.held_out.HeldOutAlreadyScored: the 2 test rows have been scored already...
    """

    __slots__ = ("_call", "_rows", "_scored")

    def __init__(self, x: Any, y: Any, *, scored: bool = False) -> None:
        if len(x) != len(y):
            raise ValueError(
                f"HeldOut: expected as many targets as rows, got {len(x)} rows and {len(y)} targets"
            )
        self._rows = len(x)
        self._scored = scored

        def call(function: Callable[[Any, Any], Any]) -> Any:
            return function(x, y)

        self._call = call  # a closure, so that no attribute holds the rows

    @property
    def scored(self) -> bool:
        """Whether the one score has been taken."""
        return self._scored

    def __len__(self) -> int:
        return self._rows

    def __repr__(self) -> str:
        return f"HeldOut({self._rows} rows, {'scored' if self._scored else 'not scored'})"

    def score(self, function: Callable[[Any, Any], Score]) -> Score:
        """What ``function(x, y)`` returns for the test rows. A function that fails has scored nothing.

        Raises HeldOutAlreadyScored the second time.
        """
        if self._scored:
            raise HeldOutAlreadyScored(
                f"the {self._rows} test rows have been scored already, and a second look would let "
                f"their score guide a choice. Compare models by their validation scores:\n"
                f"  wrong:  for model in models: test.score(model.score)\n"
                f"  right:  best = max(models, key=score_on_validation); test.score(best.score)"
            )
        self._scored = True  # before the call, so that the function cannot ask for another score
        try:
            result: Score = self._call(function)
        except BaseException:
            self._scored = False
            raise
        return result

    def _refuse(self, *_: Any) -> NoReturn:
        raise TypeError(
            f"the {self._rows} test rows are held out: score them once, at the end, with "
            f"test.score(lambda x, y: ...)"
        )

    __getitem__ = __iter__ = __reduce__ = __copy__ = __deepcopy__ = _refuse
