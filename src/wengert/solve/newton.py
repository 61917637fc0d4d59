"""Newton's method: jump to where the quadratic model of the function is least."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

import numpy as np

from wengert.solve.line_search import LineSearch
from wengert.solve.objective import Iterate, Objective
from wengert.solve.results import Result
from wengert.solve.stopping import NoDescent

Array = Any

FURTHER = 1.1
"""A longer step is tried where the function fell by so many times what its quadratic model promised."""


def newton(here: Iterate, line_search: LineSearch) -> Iterator[Iterate]:
    """x₊ = x − t·|∇²f(x)|⁻¹∇f(x) (Nocedal & Wright 2006, Algorithm 3.2 with the modified Hessian of
    section 3.4; Greenstadt 1967).

    |A| has the eigenvectors of A and the absolute values of its eigenvalues. Where the Hessian is positive
    definite that is Newton's step; where it is not, the direction is still one of descent, and leads away
    from saddles. t = 1 is tried first. Where the function falls further than the quadratic model promised,
    as it does towards a minimum with a singular Hessian, longer steps are tried too.
    """
    while True:
        direction = modified_newton_direction(here.objective.hessian(here.x), here.gradient)
        there = line_search(here, direction, 1.0)
        promised = -float(here.gradient.dot(direction)) / 2
        if there.step == 1 and here.value - there.value > FURTHER * promised:
            there = _doubled_while_falling(here, there, direction)
        here = there
        yield here


def modified_newton_direction(hessian: Array, gradient: Array) -> Array:
    """−|H|⁻¹g, by the eigenvalues of H. Those that rounding makes zero are raised to its size.

    >>> modified_newton_direction(np.diag([2.0, -4.0]), np.array([2.0, 4.0]))
    array([-1., -1.])
    """
    if not np.isfinite(hessian).all():
        raise NoDescent("The Hessian is not finite.")
    eigenvalues, eigenvectors = np.linalg.eigh(hessian)
    sizes = abs(eigenvalues)
    least = len(sizes) * np.finfo(sizes.dtype).eps * sizes.max()
    along = eigenvectors.T @ gradient
    return -eigenvectors @ (along / np.maximum(sizes, least)) if least > 0 else -gradient


def _doubled_while_falling(here: Iterate, there: Iterate, direction: Array) -> Iterate:
    """The last of ever longer steps that lead further down."""
    while True:
        further = here.moved(direction, 2 * there.step)
        if not further.value < there.value:
            return there
        there = further


def conclude_with_hessian(result: Result, objective: Objective, last: Iterate) -> None:
    """Add the Hessian at the end and its least eigenvalue, and say what kind of point that is.

    The Hessian there is computed once more, and not counted: the descent did without it.
    """
    counted = objective.nhev
    hessian = objective.hessian(last.x)
    objective.nhev = counted
    result.hess = hessian
    if not np.isfinite(hessian).all():
        return
    eigenvalues = np.linalg.eigvalsh(hessian)
    result.least_eigenvalue = float(eigenvalues[0])
    rounding = len(eigenvalues) * np.finfo(hessian.dtype).eps * float(abs(eigenvalues).max())
    if result.least_eigenvalue < -math.sqrt(objective.rounding) * float(abs(eigenvalues).max()):
        result.success = False
        result.message += (
            f" The Hessian has a negative eigenvalue there, {result.least_eigenvalue:.3g}: this is "
            f"a saddle or a maximum, no minimum."
            if result.stopped == "gradient"
            else f" The Hessian is indefinite there, with the least eigenvalue {result.least_eigenvalue:.3g}."
        )
    elif result.stopped == "gradient" and result.least_eigenvalue <= rounding:
        result.message += " The Hessian is singular there."
