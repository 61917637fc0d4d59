"""Solvers: minimize a function with exact derivatives, and see the way down.

`minimize` takes any function written in wengert's operations, of an array, a dict of arrays or an
`nn.Module`. Its result reads like SciPy's.

>>> import numpy as np
>>> from wengert.solve import minimize
>>> result = minimize(lambda x: ((x - 3) ** 2).sum(), np.zeros(2), method="gradient-descent")
>>> result.x.round(6), result.stopped
(array([3., 3.]), 'gradient')

A method is a generator of points, each one statement of its textbook (`descent`, `quasi_newton`, …); a line
search is an object that goes along a direction; and one run counts, records and stops them all.
"""

from wengert.solve.line_search import Armijo, Diminishing, ExactQuadratic, Fixed, LineSearch, Wolfe
from wengert.solve.minimization import minimize
from wengert.solve.multistart import Outcomes, Share, multistart
from wengert.solve.objective import Iterate, Objective
from wengert.solve.results import Result, Trajectory
from wengert.solve.run import Run
from wengert.solve.stopping import NoDescent, Stopping
from wengert.solve.sums_of_squares import least_squares
from wengert.solve.trajectories import rate_sweep, trajectory

__all__ = [
    "Armijo",
    "Diminishing",
    "ExactQuadratic",
    "Fixed",
    "Iterate",
    "LineSearch",
    "NoDescent",
    "Objective",
    "Outcomes",
    "Result",
    "Run",
    "Share",
    "Stopping",
    "Trajectory",
    "Wolfe",
    "least_squares",
    "minimize",
    "multistart",
    "rate_sweep",
    "trajectory",
]
