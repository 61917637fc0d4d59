"""Search spaces: what values each parameter may take, as plain data.

A space is a dict from a parameter's name to a `Choice`, a `Float` or an `Integer`:

>>> space = {"hidden": Choice([(64,), (64, 32)]), "lr": Float(1e-4, 1e-1, log=True)}
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from wengert.optional import require

__all__ = ["Choice", "Float", "Integer"]


@dataclass(frozen=True)
class Choice:
    """One of the given options: numbers, texts, booleans, None, or lists and tuples of these.

    Raises ValueError for no options or the same option twice, TypeError for an option of another type.

    >>> Choice(["relu", "tanh"])
    Choice(options=('relu', 'tanh'))
    """

    options: tuple[Any, ...]

    def __init__(self, options: Iterable[Any]) -> None:
        if isinstance(options, str):
            raise TypeError(f"options: expected a list of options, got the text {options!r}")
        object.__setattr__(self, "options", tuple(options))
        if not self.options:
            raise ValueError("options: expected at least one option, got none")
        written = [_written(option) for option in self.options]
        for place, option in enumerate(written):
            if option in written[:place]:
                raise ValueError(f"options: {self.options[place]!r} occurs twice")

    def distribution(self) -> Any:
        """Optuna's, over the places of the options."""
        distributions = require("optuna.distributions", "tune", "learn")
        return distributions.CategoricalDistribution(tuple(range(len(self.options))))

    def value(self, stored: Any) -> Any:
        """The option at a place."""
        return self.options[stored]

    def grid(self) -> list[int]:
        """Every place."""
        return list(range(len(self.options)))

    def to_dict(self) -> dict[str, Any]:
        """The space as plain data."""
        return {"choice": [_plain(option) for option in self.options]}


@dataclass(frozen=True)
class Float:
    """A number from ``low`` to ``high``; ``log`` draws its logarithm evenly, for rates and penalties.

    Raises ValueError unless low < high, both finite, and both positive with ``log``.

    >>> Float(1e-4, 1e-1, log=True)
    Float(low=0.0001, high=0.1, log=True)
    """

    low: float
    high: float
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            bound = getattr(self, name)
            if isinstance(bound, bool) or not isinstance(bound, int | float) or not math.isfinite(bound):
                raise ValueError(f"{name}: expected a finite number, got {bound!r}")
        _require_order(self)

    def distribution(self) -> Any:
        """Optuna's."""
        distributions = require("optuna.distributions", "tune", "learn")
        return distributions.FloatDistribution(float(self.low), float(self.high), log=self.log)

    def value(self, stored: Any) -> float:
        """The number itself."""
        return float(stored)

    def grid(self) -> list[Any]:
        """Refused: there is no finite list of the numbers in an interval."""
        raise ValueError(
            f"the grid needs a finite list of values, got {self}; write Choice([{self.low}, …, {self.high}])"
        )

    def to_dict(self) -> dict[str, Any]:
        """The space as plain data."""
        return {"float": [float(self.low), float(self.high)], "log": self.log}


@dataclass(frozen=True)
class Integer:
    """A whole number from ``low`` to ``high``, both included; ``log`` draws its logarithm evenly.

    Raises ValueError unless low < high, both whole, and both positive with ``log``.

    >>> Integer(1, 8)
    Integer(low=1, high=8, log=False)
    """

    low: int
    high: int
    log: bool = False

    def __post_init__(self) -> None:
        for name in ("low", "high"):
            bound = getattr(self, name)
            if isinstance(bound, bool) or not isinstance(bound, int):
                raise ValueError(f"{name}: expected a whole number, got {bound!r}")
        _require_order(self)

    def distribution(self) -> Any:
        """Optuna's."""
        distributions = require("optuna.distributions", "tune", "learn")
        return distributions.IntDistribution(self.low, self.high, log=self.log)

    def value(self, stored: Any) -> int:
        """The number itself."""
        return int(stored)

    def grid(self) -> list[int]:
        """Every number of the range."""
        return list(range(self.low, self.high + 1))

    def to_dict(self) -> dict[str, Any]:
        """The space as plain data."""
        return {"integer": [self.low, self.high], "log": self.log}


Space = Mapping[str, Choice | Float | Integer]


def checked_space(space: Any) -> Space:
    """The space itself. Raises TypeError or ValueError for anything else, naming the parameter."""
    if not isinstance(space, Mapping):
        raise TypeError(f"space: expected a dict from names to Choice, Float or Integer, got {space!r}")
    if not space:
        raise ValueError("space: expected at least one parameter, got none")
    for name, values in space.items():
        if not isinstance(name, str):
            raise TypeError(f"space: expected names of parameters, got the key {name!r}")
        if not isinstance(values, Choice | Float | Integer):
            raise TypeError(f"space[{name!r}]: expected a Choice, a Float or an Integer, got {values!r}")
    return space


def grid_points(space: Space) -> list[dict[str, Any]]:
    """Every combination once, the last parameter varying fastest, as Optuna stores them."""
    columns = []
    for name, values in space.items():
        try:
            columns.append(values.grid())
        except ValueError as error:
            raise ValueError(f"space[{name!r}]: {error}") from None
    return [dict(zip(space, point, strict=True)) for point in itertools.product(*columns)]


def parameters_of(space: Space, stored: Mapping[str, Any]) -> dict[str, Any]:
    """A trial's parameters as the objective sees them."""
    return {name: values.value(stored[name]) for name, values in space.items()}


def _require_order(interval: Float | Integer) -> None:
    if not interval.low < interval.high:
        raise ValueError(f"low, high: expected low < high, got low={interval.low} and high={interval.high}")
    if interval.log and interval.low <= 0:
        raise ValueError(f"low: a logarithm needs low > 0, got {interval.low}")


def _written(option: Any) -> str:
    """A text that tells options apart: 1, 1.0 and True are three."""
    return repr(_plain(option))


def _plain(option: Any) -> Any:
    if isinstance(option, list | tuple):
        return [_plain(part) for part in option]
    if option is None or type(option) in (bool, int, float, str):
        return option
    raise TypeError(
        f"options: expected numbers, texts, booleans, None, or lists of them, got {option!r} of type "
        f"{type(option).__name__}; name the options and look them up in the objective"
    )
