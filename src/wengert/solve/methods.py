"""The methods of `minimize`, by name."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from wengert.solve import conjugate_gradient, descent, newton, nonsmooth, quasi_newton, truncated_newton
from wengert.solve.line_search import Armijo, Diminishing, LineSearch, Wolfe
from wengert.solve.objective import Iterate, Objective
from wengert.solve.results import Result


@dataclass(frozen=True)
class Method:
    """A row of the table.

    ``steps`` is the generator of points: it is called with the start, and by name with a ``line_search`` if
    it has such a parameter and with its other settings. ``line_search`` is what it searches with unless told
    otherwise, ``max_iter`` its budget. ``bounded`` and ``penalized`` say whether it takes bounds and an ℓ₁
    penalty, ``keep_best`` that its points rise and fall, so that the best one is the answer. ``conclude`` may
    add to the result what the method knows at the end, such as the Hessian.
    """

    steps: Callable[..., Iterator[Iterate]]
    line_search: LineSearch | None = None
    max_iter: int = 10_000
    bounded: bool = False
    penalized: bool = False
    keep_best: bool = False
    conclude: Callable[[Result, Objective, Any], None] | None = None

    def settings(self) -> list[str]:
        """The names of the settings that the method has of its own."""
        return [name for name in list(inspect.signature(self.steps).parameters)[1:] if name != "line_search"]


METHODS: dict[str, Method] = {
    "gradient-descent": Method(descent.gradient_descent, Armijo(decrease=0.25), bounded=True),
    "heavy-ball": Method(descent.heavy_ball, Armijo(), bounded=True),
    "nesterov": Method(descent.nesterov, Armijo(decrease=0.5, grow=1.1), bounded=True),
    "nonlinear-cg": Method(conjugate_gradient.conjugate_gradient, Wolfe(curvature=0.1)),
    "newton": Method(newton.newton, Armijo(), max_iter=2000, conclude=newton.conclude_with_hessian),
    "truncated-newton": Method(truncated_newton.truncated_newton),
    "bfgs": Method(quasi_newton.bfgs, Wolfe(curvature=0.7)),
    "l-bfgs": Method(quasi_newton.limited_memory_bfgs, Wolfe()),
    "subgradient": Method(nonsmooth.subgradient, Diminishing(), bounded=True, keep_best=True),
    "proximal-gradient": Method(nonsmooth.proximal_gradient, bounded=True, penalized=True),
}
"""Every method of our own; ``"scipy:NAME"`` is a method of SciPy with wengert's derivatives."""


def method_named(name: str) -> Method:
    """The method of that name. Raises ValueError where there is none."""
    if name not in METHODS:
        near = [known for known in METHODS if str(name) in known] or difflib.get_close_matches(
            str(name), METHODS, 1
        )
        hint = f"; did you mean {near[0]!r}?" if near else ""
        raise ValueError(
            f"method: expected 'auto', one of {', '.join(map(repr, METHODS))}, or 'scipy:NAME', "
            f"got {name!r}{hint}"
        )
    return METHODS[name]


def require_settings(name: str, method: Method, settings: Mapping[str, Any]) -> None:
    """Raise TypeError for a setting that the method does not have."""
    known = method.settings()
    for setting in settings:
        if setting not in known:
            have = ", ".join(known) or "none of its own"
            raise TypeError(
                f"minimize: the method {name!r} has no setting {setting!r} (its settings: {have})"
            )
