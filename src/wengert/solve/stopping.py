"""When a descent ends, and why."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from wengert.solve.objective import Iterate, length

STATUS = {
    "gradient": 0,
    "budget": 1,
    "no descent": 2,
    "not finite": 3,
    "change": 4,
    "unbounded": 5,
    "callback": 99,
}
"""SciPy's numbers where it has one."""


class NoDescent(ArithmeticError):
    """A line search found no lower point; the message says why."""


@dataclass(frozen=True)
class Stopping:
    """The rules, in the order in which they are tried:

    - "not finite": the value or the gradient is NaN or infinite; the point before it is kept;
    - "unbounded": the value is below ``lowest``;
    - "gradient": ‖∇f(x)‖ ≤ tol·max(1, ‖∇f(x₀)‖);
    - "change": |f₊ − f| ≤ change·(1 + |f|) and ‖x₊ − x‖ ≤ √change·(1 + ‖x‖) (Gill, Murray & Wright 1981,
      conditions U1 and U2 of section 8.2.3); with change = 0, only where x stays exactly where it is;
    - "budget": ``max_iter`` iterations are done.
    """

    tol: float = 1e-8
    max_iter: int = 1000
    change: float = 0.0
    lowest: float = -1e20

    def __post_init__(self) -> None:
        for name in ("tol", "change"):
            if not 0 <= getattr(self, name) < math.inf:
                raise ValueError(f"{name}: expected a number of at least 0, got {getattr(self, name)!r}")
        if not isinstance(self.max_iter, (int, np.integer)) or self.max_iter < 0:
            raise ValueError(f"max_iter: expected a whole number of at least 0, got {self.max_iter!r}")
        if not self.lowest < math.inf:
            raise ValueError(f"lowest: expected a number, got {self.lowest!r}")

    def limit(self, start: Iterate) -> float:
        """The norm of the gradient that ends a descent from ``start``."""
        return self.tol * max(1.0, start.norm)

    def trouble(self, here: Iterate) -> str:
        """Why nobody can go on from here; empty where all is well."""
        if here.value == -math.inf or here.value < self.lowest:
            return "unbounded"
        return "" if math.isfinite(here.value) and math.isfinite(here.norm) else "not finite"

    def has_settled(self, before: Iterate, here: Iterate) -> bool:
        """Whether the last iteration changed next to nothing."""
        if self.change == 0:
            return before.value == here.value and bool((before.x == here.x).all())
        if abs(here.value - before.value) > self.change * (1 + abs(before.value)):
            return False
        return length(here.x - before.x) <= math.sqrt(self.change) * (1 + length(before.x))


def message(why: str, stopping: Stopping, start: Iterate, last: Iterate, nit: int, detail: str = "") -> str:
    """The reason in a sentence."""
    measure = "the gradient's norm" if last.objective.term is None else "the proximal step's length"
    now = f"{measure} is {last.norm:.3g}."
    sentences = {
        "gradient": f"{measure[0].upper()}{measure[1:]} {last.norm:.3g} is at most "
        f"{stopping.limit(start):.3g}, tol times the larger of 1 and that of the start.",
        "change": f"The last iteration changed next to nothing; {now}",
        "budget": f"The budget of {stopping.max_iter} iterations is used up; {now}",
        "not finite": f"The function or its gradient is not finite after iteration {nit}; "
        f"x is the last point where both are.",
        "unbounded": f"The function has fallen below {stopping.lowest:.3g}: it seems to have no minimum.",
        "callback": f"The callback asked to stop; {now}",
        "no descent": f"No lower point was found along the search direction; {now}",
    }
    if why == "not finite" and nit == 0:
        return "The function or its gradient is not finite at the start x0; start elsewhere."
    return f"{sentences[why]} {detail}".rstrip()
