"""Second-order solvers against SciPy's on the problems of Moré, Garbow & Hillstrom (1981).

What is counted are evaluations until the function first comes down to the known minimum: values, gradients
and Hessian products, a Hessian or Jacobian with n columns being n products. Both sides get the same
derivatives. A solver that ends elsewhere counts as infinitely many.
"""

from __future__ import annotations

import contextlib
import importlib
import math
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.report import Report, Verdict
from wengert.autodiff.levels import enable_grad
from wengert.numbers.arrays import quietly
from wengert.solve import Run, Stopping
from wengert.solve.methods import METHODS
from wengert.solve.objective import Objective
from wengert.solve.residuals import SquaredResiduals
from wengert.solve.sums_of_squares import levenberg_marquardt

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "solve"))
problems = importlib.import_module("more_garbow_hillstrom")

BUDGET = 5000
"""Evaluations after which a solver is stopped."""


class _SpentBudget(Exception):
    pass


class Ledger:
    """The cost of each value that was lower than all before, in evaluations. ``factor`` turns what the solver
    minimizes into the sum of squares."""

    factor = 1.0
    columns_per_gradient = 1

    def __init__(self) -> None:
        self.progress: list[tuple[int, float]] = []

    def note(self, counts: Any, value: float) -> None:
        jacobians = counts.njev * self.columns_per_gradient
        cost = counts.nfev + jacobians + counts.nhvp + counts.nhev * counts.size
        if not self.progress or value * self.factor < self.progress[-1][1]:
            self.progress.append((cost, value * self.factor))
        if cost > BUDGET:
            raise _SpentBudget

    def cost_of(self, problem: Any) -> float:
        goal = problem.goal(self.progress[-1][1])
        return next((cost for cost, value in self.progress if value <= goal), math.inf)


class CountedObjective(Objective):
    """A problem's sum of squares, noted in a ledger."""

    def __init__(self, problem: Any) -> None:
        super().__init__(problem.sum_of_squares, np.array(problem.start, float), compile=False)
        self.ledger = Ledger()
        self.at = np.full(self.size, math.nan)
        self.last, self.is_paid = math.nan, False

    def value(self, x: Any) -> float:
        value = super().value(x)
        self.ledger.note(self, value)
        return value

    # SciPy asks for the same point in arrays of its own, and never pays for a value that it did not ask for.

    def same(self, x: Any) -> Any:
        if not np.array_equal(x, self.at):
            self.at = np.array(x, float)
            self.last, self.is_paid = Objective.value(self, self.at), False
            self.nfev -= 1
        return self.at

    def scipys_value(self, x: Any) -> float:
        self.same(x)
        if not self.is_paid:
            self.nfev += 1
            self.is_paid = True
            self.ledger.note(self, self.last)
        return self.last

    def scipys_gradient(self, x: Any) -> Any:
        return self.gradient(self.same(x))

    def scipys_hessian(self, x: Any) -> Any:
        return self.hessian(self.same(x))

    def scipys_product(self, x: Any, v: Any) -> Any:
        return self.hessian_product(self.same(x), v)


class CountedResiduals(SquaredResiduals):
    """A problem's residuals, noted in a ledger."""

    def __init__(self, problem: Any) -> None:
        super().__init__(problem.residuals, np.array(problem.start, float), dense=True)
        self.ledger = Ledger()
        self.ledger.factor, self.ledger.columns_per_gradient = 2.0, self.size

    def value(self, x: Any) -> float:
        value = super().value(x)
        self.ledger.note(self, value)
        return value


def ours(method: str) -> Callable[[Any], Ledger]:
    """One of wengert's methods, run until rounding stops it."""

    def solve(problem: Any) -> Ledger:
        objective = CountedObjective(problem)
        chosen = METHODS[method]
        words = {"line_search": chosen.line_search} if chosen.line_search else {}
        run = Run(objective, Stopping(0.0, BUDGET))
        with contextlib.suppress(_SpentBudget):
            run.drive(lambda start: chosen.steps(start, **words))
        return objective.ledger

    return solve


def our_least_squares(problem: Any) -> Ledger:
    """wengert's Levenberg–Marquardt method."""
    objective = CountedResiduals(problem)
    with contextlib.suppress(_SpentBudget):
        Run(objective, Stopping(0.0, BUDGET)).drive(levenberg_marquardt)
    return objective.ledger


def scipys(method: str, words: str = "", **options: Any) -> Callable[[Any], Ledger]:
    """One of SciPy's minimizers, told to go on until rounding stops it."""
    from scipy import optimize

    def solve(problem: Any) -> Ledger:
        objective = CountedObjective(problem)
        given = {"hess": objective.scipys_hessian, "hessp": objective.scipys_product}
        with contextlib.suppress(_SpentBudget):
            optimize.minimize(
                objective.scipys_value,
                objective.x0,
                jac=objective.scipys_gradient,
                method=method,
                options=options,
                **({words: given[words]} if words else {}),
            )
        return objective.ledger

    return solve


def scipys_least_squares(method: str) -> Callable[[Any], Ledger]:
    """One of SciPy's least-squares methods, with the exact Jacobian."""
    from scipy import optimize

    def solve(problem: Any) -> Ledger:
        objective = CountedResiduals(problem)

        def residuals(x: Any) -> Any:
            x = np.array(x, float)
            return objective.residuals(x)

        def jacobian(x: Any) -> Any:
            return objective.jacobian(np.array(x, float))

        tight = {"ftol": 1e-15, "xtol": 1e-15, "gtol": 1e-15}
        with contextlib.suppress(_SpentBudget):
            optimize.least_squares(
                residuals, objective.x0, jac=jacobian, method=method, max_nfev=BUDGET, **tight
            )
        return objective.ledger

    return solve


def _compare(title: str, contenders: dict[str, Callable[[Any], Ledger]]) -> Report:
    """One row per problem; the first contender is wengert's."""
    names = list(contenders)
    report = Report(f"{title}: evaluations to the minimum", ["problem", *names])
    costs: dict[str, list[float]] = {name: [] for name in names}
    with warnings.catch_warnings(), enable_grad():
        warnings.simplefilter("ignore")
        for problem in problems.PROBLEMS:
            for name, solve in contenders.items():
                costs[name].append(quietly(solve, problem).cost_of(problem))
            report.rows.append([problem.name, *(f"{costs[name][-1]:.0f}" for name in names)])
    medians = {name: float(np.median(costs[name])) for name in names}
    report.rows.append(["**median**", *(f"{medians[name]:.0f}" for name in names)])
    for name in names[1:]:
        ratios = [_ratio(a, b) for a, b in zip(costs[names[0]], costs[name], strict=True)]
        report.verdicts.append(
            str(
                Verdict(
                    f"Budget: median ≤ that of SciPy's {name}",
                    f"{medians[names[0]]:.0f} against {medians[name]:.0f}; "
                    f"median ratio {np.median(ratios):.2f}",
                    medians[names[0]] <= medians[name],
                )
            )
        )
    return report


def _ratio(a: float, b: float) -> float:
    return 1.0 if math.isinf(a) and math.isinf(b) else a / b


def newton(peers: frozenset[str], rounds: int) -> Report:
    """Newton's method on Hessians."""
    return _compare(
        "Newton",
        {
            "newton": ours("newton"),
            "trust-exact": scipys("trust-exact", "hess", gtol=1e-12, maxiter=BUDGET),
            "Newton-CG": scipys("Newton-CG", "hessp", xtol=1e-15, maxiter=BUDGET),
        },
    )


def truncated_newton(peers: frozenset[str], rounds: int) -> Report:
    """Newton's method on Hessian products."""
    return _compare(
        "Truncated Newton",
        {
            "truncated-newton": ours("truncated-newton"),
            "Newton-CG": scipys("Newton-CG", "hessp", xtol=1e-15, maxiter=BUDGET),
            "trust-ncg": scipys("trust-ncg", "hessp", gtol=1e-12, maxiter=BUDGET),
        },
    )


def quasi_newton(peers: frozenset[str], rounds: int) -> Report:
    """BFGS."""
    return _compare("BFGS", {"bfgs": ours("bfgs"), "BFGS": scipys("BFGS", gtol=1e-13, maxiter=BUDGET)})


def limited_memory(peers: frozenset[str], rounds: int) -> Report:
    """L-BFGS and nonlinear conjugate gradients."""
    tight = {"gtol": 1e-13, "ftol": 1e-18, "maxiter": BUDGET, "maxfun": BUDGET}
    return _compare("L-BFGS", {"l-bfgs": ours("l-bfgs"), "L-BFGS-B": scipys("L-BFGS-B", **tight)})


def conjugate_gradient(peers: frozenset[str], rounds: int) -> Report:
    """Nonlinear conjugate gradients."""
    return _compare(
        "Nonlinear conjugate gradients",
        {"nonlinear-cg": ours("nonlinear-cg"), "CG": scipys("CG", gtol=1e-12, maxiter=BUDGET)},
    )


def least_squares(peers: frozenset[str], rounds: int) -> Report:
    """Levenberg–Marquardt."""
    return _compare(
        "Levenberg–Marquardt",
        {
            "levenberg-marquardt": our_least_squares,
            "lm": scipys_least_squares("lm"),
            "trf": scipys_least_squares("trf"),
        },
    )
