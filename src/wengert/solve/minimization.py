"""`minimize`: a function, a start, and a method by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from wengert.solve.line_search import LineSearch
from wengert.solve.methods import METHODS, Method, method_named, require_settings
from wengert.solve.objective import Objective
from wengert.solve.results import Result
from wengert.solve.run import Run
from wengert.solve.stopping import Stopping
from wengert.solve.terms import Term

MANY = 500
"""From so many numbers on, a matrix of their second derivatives is no longer small."""
SCIPYS_BUDGET = 10_000
"""How many iterations SciPy may make, unless told otherwise."""


def minimize(
    f: Callable[[Any], Any],
    x0: Any,
    *,
    method: str = "auto",
    line_search: LineSearch | None = None,
    tol: float = 1e-8,
    max_iter: int | None = None,
    change: float = 0.0,
    lowest: float = -1e20,
    callback: Callable[..., Any] | None = None,
    bounds: Any = None,
    l1: float = 0.0,
    record: bool = False,
    compile: bool | None = None,
    **settings: Any,
) -> Result:
    """The x near ``x0`` where f is least.

    ``x0`` is an array, a number, a dict or list of arrays, or an `nn.Module`, whose parameters are then
    varied in place. f gets the same nesting, of tensors, and returns one number; its derivatives are exact.
    The computation is in float64, or in float32 where all of ``x0`` is.

    ``method`` is a name such as ``"bfgs"``, ``"newton"`` or ``"gradient-descent"``, or ``"scipy:NAME"``;
    ``line_search`` an `Armijo`, `Wolfe`, `ExactQuadratic`, `Fixed` or `Diminishing`. The descent stops where
    the gradient's norm is at most ``tol·max(1, ‖∇f(x0)‖)``, where an iteration changes f and x by less than
    ``change`` relative to their size, where f falls below ``lowest``, after ``max_iter`` iterations, or when
    ``callback(x)`` returns True. ``bounds`` are pairs (low, high); ``l1`` adds l1·‖x‖₁. ``record`` keeps the
    points for a plot. Further settings are the method's own.

    ``compile`` says whether evaluations run as programs, see `wengert.compile`: None, after so many that it
    pays, which f's operations tell; True, from the second on; False, never. What cannot be compiled runs as
    it is written. A program calls f no more, so that f should do nothing but compute.

    Raises TypeError and ValueError for what cannot begin, and `wengert.CaptureError` for what cannot be
    compiled, but only with ``compile=True``. What goes wrong on the way is said in the
    result's ``stopped`` and ``message``, and its x is the last good point.

    >>> import numpy as np
    >>> rosenbrock = lambda x: (1 - x[0]) ** 2 + 100 * (x[1] - x[0] ** 2) ** 2
    >>> result = minimize(rosenbrock, np.array([-1.2, 1.0]), method="gradient-descent", max_iter=20)
    >>> result.success, result.stopped, result.nit
    (False, 'budget', 20)
    """
    objective = Objective(f, x0, compile=compile)
    if bounds is not None or l1:
        objective.term = Term(objective.size, bounds, l1)
    if method == "auto":
        method = _automatic(objective)
    if str(method).startswith("scipy:"):
        from wengert.solve.scipy_bridge import minimize_with_scipy

        _require_scipys(method, l1, line_search)
        stopping = Stopping(tol, SCIPYS_BUDGET if max_iter is None else max_iter, change, lowest)
        run = Run(objective, stopping, callback, record)
        return minimize_with_scipy(run, method.removeprefix("scipy:"), settings)
    chosen = method_named(method)
    require_settings(method, chosen, settings)
    _require_fit(method, chosen, bounds, l1, line_search)
    if chosen.line_search is not None:
        settings["line_search"] = line_search or chosen.line_search
    stopping = Stopping(tol, chosen.max_iter if max_iter is None else max_iter, change, lowest)
    run = Run(objective, stopping, callback, record, chosen.keep_best)
    result = run.drive(lambda start: chosen.steps(start, **settings))
    if chosen.conclude is not None:
        chosen.conclude(result, objective, run.last)
    return result


def _automatic(objective: Objective) -> str:
    """The method for a problem of which nothing but its size is known."""
    if objective.term is not None:
        return "proximal-gradient"
    return "bfgs" if objective.size <= MANY else "l-bfgs"


def _require_scipys(method: str, l1: float, line_search: LineSearch | None) -> None:
    """Raise ValueError for what SciPy's methods have no word for."""
    if l1:
        raise ValueError(f"l1: the method {method!r} takes smooth functions only; use 'proximal-gradient'")
    if line_search is not None:
        raise ValueError(f"line_search: the method {method!r} chooses its steps itself")


def _require_fit(method: str, chosen: Method, bounds: Any, l1: float, line_search: LineSearch | None) -> None:
    """Raise ValueError for a question that the method cannot answer."""
    if bounds is not None and not chosen.bounded:
        names = ", ".join(name for name, row in METHODS.items() if row.bounded)
        raise ValueError(f"bounds: the method {method!r} takes none; use one of {names}, scipy:L-BFGS-B")
    if bounds is not None and line_search is not None and not line_search.projects:
        kind = type(line_search).__name__
        raise ValueError(f"line_search: {kind} does not keep within bounds; use Armijo, Fixed or Diminishing")
    if l1 and not chosen.penalized:
        raise ValueError(f"l1: the method {method!r} takes smooth functions only; use 'proximal-gradient'")
    if line_search is not None and chosen.line_search is None:
        raise ValueError(f"line_search: the method {method!r} chooses its steps itself")
