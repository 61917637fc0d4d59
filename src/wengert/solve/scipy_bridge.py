"""SciPy's minimizers with exact derivatives: ``minimize(..., method="scipy:BFGS")``."""

from __future__ import annotations

import difflib
import math
from collections.abc import Callable, Mapping
from typing import Any

import numpy as np

from wengert.autodiff.levels import enable_grad
from wengert.numbers.arrays import quietly
from wengert.optional import require
from wengert.solve.objective import Iterate, Objective, length
from wengert.solve.results import Result
from wengert.solve.run import Run
from wengert.solve.stopping import STATUS
from wengert.solve.structure import Vector

NAMES = (
    *("Nelder-Mead", "Powell", "CG", "BFGS", "Newton-CG", "L-BFGS-B", "TNC", "COBYLA", "COBYQA", "SLSQP"),
    *("trust-constr", "dogleg", "trust-ncg", "trust-exact", "trust-krylov"),
)
"""The methods of `scipy.optimize.minimize`."""
WITHOUT_GRADIENT = {"Nelder-Mead", "Powell", "COBYLA", "COBYQA"}
WITH_HESSIAN = {"dogleg", "trust-exact"}
WITH_PRODUCTS = {"Newton-CG", "trust-ncg", "trust-krylov", "trust-constr"}
WITH_BOUNDS = {"Nelder-Mead", "Powell", "L-BFGS-B", "TNC", "SLSQP", "trust-constr", "COBYLA", "COBYQA"}
WITH_GTOL = {"CG", "BFGS", "L-BFGS-B", "trust-constr", "dogleg", "trust-ncg", "trust-exact", "trust-krylov"}
"""Methods whose option ``gtol`` is a norm of the gradient."""


class _Stop(Exception):
    """Our own rules end SciPy's iteration."""


def minimize_with_scipy(run: Run, name: str, settings: Mapping[str, Any]) -> Result:
    """Let a method of `scipy.optimize.minimize` do it, with whichever of the exact gradient, Hessian and
    Hessian products it can use.

    ``settings`` are SciPy's options for the method. The descent is recorded, and stops by wengert's rules
    too; where SciPy stops first, the message is SciPy's. Raises ValueError for a method that SciPy
    does not have, and ImportError where SciPy is missing.
    """
    optimize = require("scipy.optimize", f"minimize(method='scipy:{name}')", "learn")
    key = _key(name)
    term = run.objective.term
    if term is not None and key not in WITH_BOUNDS:
        raise ValueError(f"bounds: SciPy's method {name} takes none; use 'scipy:L-BFGS-B'")
    with enable_grad():
        return quietly(_minimized, optimize, run, key, settings)  # type: ignore[no-any-return]


def _minimized(optimize: Any, run: Run, key: str, settings: Mapping[str, Any]) -> Result:
    objective = run.objective
    start = objective.start()
    if not run.visit(start):
        return run.result()
    seen = _Evaluations(objective, start)
    options = {**_default_options(run, key), **settings}
    words: dict[str, Any] = {"jac": seen.gradient} if key not in WITHOUT_GRADIENT else {}
    if key in WITH_HESSIAN:
        words["hess"] = lambda x: objective.hessian(seen.same(x))
    if key in WITH_PRODUCTS:
        words["hessp"] = lambda x, v: objective.hessian_product(seen.same(x), v)
    if objective.term is not None:
        words["bounds"] = optimize.Bounds(objective.term.low, objective.term.high)
    try:
        found = optimize.minimize(
            seen.value, start.x, method=key, options=options, callback=_recorder(run, seen), **words
        )
    except _Stop:
        return run.result()
    return _with_scipys_words(run, seen, found)


def _with_scipys_words(run: Run, seen: _Evaluations, found: Any) -> Result:
    """The result where SciPy itself saw no reason to go on."""
    x = seen.same(np.asarray(found.x))
    last = Iterate(run.objective, x, seen.value(x), index=run.nit)
    if last.value < run.last.value or (run.last.x == x).all():
        run.last = last
    run.stopped = "gradient" if run.last.norm <= run.stopping.limit(run.start) else "change"
    if not found.success:
        run.stopped = "budget" if found.status == 1 else "no descent"
    result = run.result()
    result.success = bool(found.success) and math.isfinite(result.fun)
    result.status = STATUS[run.stopped]
    result.message = f"SciPy: {found.message}"
    return result


class _Evaluations:
    """The function as SciPy calls it. SciPy asks for the value and the gradient of a point one after the
    other, in arrays of its own; an `Objective` knows a point by its array."""

    def __init__(self, objective: Objective, start: Iterate) -> None:
        self.objective = objective
        self.x: Vector = start.x
        self.found = start.value

    def same(self, x: Vector) -> Vector:
        """The array of the last point, where SciPy means that point; else a new one."""
        if not np.array_equal(x, self.x):
            self.x = np.array(x, self.objective.structure.dtype)
            self.found = self.objective.value(self.x)
        return self.x

    def value(self, x: Vector) -> float:
        self.same(x)
        return self.found

    def gradient(self, x: Vector) -> Vector:
        return self.objective.gradient(self.same(x))


def _recorder(run: Run, seen: _Evaluations) -> Callable[..., None]:
    """SciPy's callback: it notes a point, and ends the iteration where one of wengert's rules says so."""

    def callback(xk: Vector, *_: Any) -> None:
        x = seen.same(xk)
        before = run.last.x
        if np.array_equal(x, before):
            return  # a trial that SciPy rejected
        here = Iterate(run.objective, x, seen.found, step=length(x - before), index=run.nit + 1)
        if not run.visit(here):
            raise _Stop

    return callback


def _default_options(run: Run, key: str) -> dict[str, Any]:
    """SciPy's own rules are set no looser than wengert's."""
    options: dict[str, Any] = {"maxiter": run.stopping.max_iter} if key != "TNC" else {}
    if key in WITH_GTOL:
        options["gtol"] = run.stopping.limit(run.start) / math.sqrt(run.objective.size)
    if key == "L-BFGS-B":
        options.update(ftol=0.0, maxfun=100 * max(run.stopping.max_iter, 150))
    if key == "SLSQP":
        options["ftol"] = run.stopping.limit(run.start) ** 2
    return options


def _key(name: str) -> str:
    """The name as SciPy spells it."""
    known = [known for known in NAMES if known.lower() == name.lower()]
    if not known:
        near = difflib.get_close_matches(name, NAMES, 1, cutoff=0.4)
        hint = f"; did you mean 'scipy:{near[0]}'?" if near else ""
        raise ValueError(f"method: SciPy has no minimizer {name!r}{hint} (it has {', '.join(NAMES)})")
    return known[0]
