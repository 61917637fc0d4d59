"""The test problems of Moré, Garbow & Hillstrom, "Testing Unconstrained Optimization Software", ACM
Transactions on Mathematical Software 7 (1981), section 3.

Each problem is a vector of residuals r(x); what is minimized is f(x) = Σ rᵢ(x)². The comment above a problem
is its number in the paper. The starting points are the paper's, and so are the minima, with more digits than
the six that it prints (and cuts off). Where the paper leaves n open, the function here reads it from x.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np

import wengert

Residuals = Callable[[Any], Any]


@dataclass(frozen=True)
class Problem:
    """Residuals, the published starting point and the published least sum of squares.

    ``other_minima`` are the sums of squares of further stationary values that the paper, or the literature
    after it, names: a solver may end there.
    """

    name: str
    residuals: Residuals
    start: tuple[float, ...]
    minimum: float
    other_minima: tuple[float, ...] = ()

    def sum_of_squares(self, x: Any) -> Any:
        """f(x) = Σ rᵢ(x)²."""
        return (self.residuals(x) ** 2).sum()

    def is_reached(self, value: float) -> bool:
        """Whether a sum of squares is one of the known minima: within 1e-6 of one that is positive, within
        1e-10 of the start's (or of 1, where that is less) of a minimum of 0."""
        return value <= self.goal(value)

    def goal(self, value: float) -> float:
        """The sum of squares at which the known minimum that is nearest to a value counts as reached."""
        nearest = min((self.minimum, *self.other_minima), key=lambda known: abs(value - known))
        return nearest * (1 + 1e-6) if nearest else 1e-10 * min(1.0, self.at_start())

    def at_start(self) -> float:
        return float(self.sum_of_squares(np.array(self.start)))


def _vector(*entries: Any) -> Any:
    return wengert.stack([entry + 0.0 for entry in entries])


# -- fixed dimensions --------------------------------------------------------------------------------------


# 1
def rosenbrock(x: Any) -> Any:
    return _vector(10 * (x[1] - x[0] ** 2), 1 - x[0])


# 2
def freudenstein_roth(x: Any) -> Any:
    return _vector(
        -13 + x[0] + ((5 - x[1]) * x[1] - 2) * x[1],
        -29 + x[0] + ((x[1] + 1) * x[1] - 14) * x[1],
    )


# 3
def powell_badly_scaled(x: Any) -> Any:
    return _vector(1e4 * x[0] * x[1] - 1, wengert.exp(-x[0]) + wengert.exp(-x[1]) - 1.0001)


# 4
def brown_badly_scaled(x: Any) -> Any:
    return _vector(x[0] - 1e6, x[1] - 2e-6, x[0] * x[1] - 2)


# 5
def beale(x: Any) -> Any:
    power = np.arange(1, 4)
    return np.array([1.5, 2.25, 2.625]) - x[0] * (1 - x[1] ** power)


# 6
def jennrich_sampson(x: Any) -> Any:
    i = np.arange(1, 11)
    return 2 + 2.0 * i - (wengert.exp(i * x[0]) + wengert.exp(i * x[1]))


# 7
def helical_valley(x: Any) -> Any:
    turn = wengert.arctan(x[1] / x[0]) / (2 * math.pi) + wengert.where(x[0] > 0, 0.0, 0.5)
    radius = wengert.sqrt(x[0] ** 2 + x[1] ** 2)
    return _vector(10 * (x[2] - 10 * turn), 10 * (radius - 1), x[2])


BARD = np.array([0.14, 0.18, 0.22, 0.25, 0.29, 0.32, 0.35, 0.39, 0.37, 0.58, 0.73, 0.96, 1.34, 2.10, 4.39])


# 8
def bard(x: Any) -> Any:
    u = np.arange(1.0, 16.0)
    v = 16 - u
    return BARD - (x[0] + u / (v * x[1] + np.minimum(u, v) * x[2]))


GAUSSIAN = np.array([0.0009, 0.0044, 0.0175, 0.0540, 0.1295, 0.2420, 0.3521, 0.3989])


# 9
def gaussian(x: Any) -> Any:
    t = (8 - np.arange(1, 16)) / 2
    return x[0] * wengert.exp(-x[1] * (t - x[2]) ** 2 / 2) - np.concatenate([GAUSSIAN, GAUSSIAN[-2::-1]])


MEYER = np.array(
    [34780, 28610, 23650, 19630, 16370, 13720, 11540, 9744, 8261, 7030, 6005, 5147, 4427, 3820, 3307, 2872]
)


# 10
def meyer(x: Any) -> Any:
    t = 45 + 5.0 * np.arange(1, 17)
    return x[0] * wengert.exp(x[1] / (t + x[2])) - MEYER


# 11
def gulf(x: Any) -> Any:
    t = np.arange(1, 100) / 100
    y = 25 + (-50 * np.log(t)) ** (2 / 3)
    return wengert.exp(-(abs(y - x[1]) ** x[2]) / x[0]) - t


# 12
def box_three_dimensional(x: Any) -> Any:
    t = np.arange(1, 11) / 10
    return wengert.exp(-t * x[0]) - wengert.exp(-t * x[1]) - x[2] * (np.exp(-t) - np.exp(-10 * t))


# 13
def powell_singular(x: Any) -> Any:
    return _vector(
        x[0] + 10 * x[1],
        math.sqrt(5) * (x[2] - x[3]),
        (x[1] - 2 * x[2]) ** 2,
        math.sqrt(10) * (x[0] - x[3]) ** 2,
    )


# 14
def wood(x: Any) -> Any:
    return _vector(
        10 * (x[1] - x[0] ** 2),
        1 - x[0],
        math.sqrt(90) * (x[3] - x[2] ** 2),
        1 - x[2],
        math.sqrt(10) * (x[1] + x[3] - 2),
        (x[1] - x[3]) / math.sqrt(10),
    )


KOWALIK_OSBORNE = np.array(
    [0.1957, 0.1947, 0.1735, 0.1600, 0.0844, 0.0627, 0.0456, 0.0342, 0.0323, 0.0235, 0.0246]
)


# 15
def kowalik_osborne(x: Any) -> Any:
    u = np.array([4, 2, 1, 0.5, 0.25, 0.167, 0.125, 0.1, 0.0833, 0.0714, 0.0625])
    return KOWALIK_OSBORNE - x[0] * (u**2 + u * x[1]) / (u**2 + u * x[2] + x[3])


# 16
def brown_dennis(x: Any) -> Any:
    t = np.arange(1, 21) / 5
    return (x[0] + t * x[1] - np.exp(t)) ** 2 + (x[2] + x[3] * np.sin(t) - np.cos(t)) ** 2


OSBORNE_1 = np.array(
    [
        *(0.844, 0.908, 0.932, 0.936, 0.925, 0.908, 0.881, 0.85, 0.818, 0.784, 0.751),
        *(0.718, 0.685, 0.658, 0.628, 0.603, 0.58, 0.558, 0.538, 0.522, 0.506, 0.49),
        *(0.478, 0.467, 0.457, 0.448, 0.438, 0.431, 0.424, 0.42, 0.414, 0.411, 0.406),
    ]
)


# 17
def osborne_1(x: Any) -> Any:
    t = 10.0 * np.arange(33)
    return OSBORNE_1 - (x[0] + x[1] * wengert.exp(-t * x[3]) + x[2] * wengert.exp(-t * x[4]))


# 18
def biggs_exp6(x: Any) -> Any:
    t = np.arange(1, 14) / 10
    y = np.exp(-t) - 5 * np.exp(-10 * t) + 3 * np.exp(-4 * t)
    return x[2] * wengert.exp(-t * x[0]) - x[3] * wengert.exp(-t * x[1]) + x[5] * wengert.exp(-t * x[4]) - y


OSBORNE_2 = np.array(
    [
        *(1.366, 1.191, 1.112, 1.013, 0.991, 0.885, 0.831, 0.847, 0.786, 0.725, 0.746, 0.679, 0.608),
        *(0.655, 0.616, 0.606, 0.602, 0.626, 0.651, 0.724, 0.649, 0.649, 0.694, 0.644, 0.624, 0.661),
        *(0.612, 0.558, 0.533, 0.495, 0.5, 0.423, 0.395, 0.375, 0.372, 0.391, 0.396, 0.405, 0.428),
        *(0.429, 0.523, 0.562, 0.607, 0.653, 0.672, 0.708, 0.633, 0.668, 0.645, 0.632, 0.591, 0.559),
        *(0.597, 0.625, 0.739, 0.71, 0.729, 0.72, 0.636, 0.581, 0.428, 0.292, 0.162, 0.098, 0.054),
    ]
)


# 19
def osborne_2(x: Any) -> Any:
    t = np.arange(65) / 10
    bells = sum(x[k] * wengert.exp(-((t - x[k + 7]) ** 2) * x[k + 4]) for k in (1, 2, 3))
    return OSBORNE_2 - (x[0] * wengert.exp(-t * x[4]) + bells)


# -- any dimension -----------------------------------------------------------------------------------------


# 20
def watson(x: Any) -> Any:
    t = np.arange(1, 30)[:, None] / 29
    j = np.arange(len(x))
    slopes = j[1:] * t ** (j[1:] - 1)
    fitted = slopes @ x[1:] - (t**j @ x) ** 2 - 1
    return wengert.concatenate([fitted, _vector(x[0], x[1] - x[0] ** 2 - 1)])


# 21
def extended_rosenbrock(x: Any) -> Any:
    return wengert.concatenate([10 * (x[1::2] - x[::2] ** 2), 1 - x[::2]])


# 22
def extended_powell_singular(x: Any) -> Any:
    a, b, c, d = x[::4], x[1::4], x[2::4], x[3::4]
    return wengert.concatenate(
        [a + 10 * b, math.sqrt(5) * (c - d), (b - 2 * c) ** 2, math.sqrt(10) * (a - d) ** 2]
    )


# 23
def penalty_1(x: Any) -> Any:
    return wengert.concatenate([math.sqrt(1e-5) * (x - 1), _vector((x**2).sum() - 0.25)])


# 24
def penalty_2(x: Any) -> Any:
    a, i = math.sqrt(1e-5), np.arange(2, len(x) + 1)
    y = np.exp(i / 10) + np.exp((i - 1) / 10)
    return wengert.concatenate(
        [
            _vector(x[0] - 0.2),
            a * (wengert.exp(x[1:] / 10) + wengert.exp(x[:-1] / 10) - y),
            a * (wengert.exp(x[1:] / 10) - math.exp(-0.1)),
            _vector((np.arange(len(x), 0, -1) * x**2).sum() - 1),
        ]
    )


# 25
def variably_dimensioned(x: Any) -> Any:
    weighted = (np.arange(1, len(x) + 1) * (x - 1)).sum()
    return wengert.concatenate([x - 1, _vector(weighted, weighted**2)])


# 26
def trigonometric(x: Any) -> Any:
    i = np.arange(1, len(x) + 1)
    return len(x) - wengert.cos(x).sum() + i * (1 - wengert.cos(x)) - wengert.sin(x)


# 27
def brown_almost_linear(x: Any) -> Any:
    n = len(x)
    product = x[0]
    for k in range(1, n):
        product = product * x[k]
    return wengert.concatenate([x[:-1] + x.sum() - (n + 1), _vector(product - 1)])


# 28
def discrete_boundary_value(x: Any) -> Any:
    h = 1 / (len(x) + 1)
    t = h * np.arange(1, len(x) + 1)
    left = wengert.concatenate([np.zeros(1), x[:-1]])
    right = wengert.concatenate([x[1:], np.zeros(1)])
    return 2 * x - left - right + h**2 * (x + t + 1) ** 3 / 2


# 29
def discrete_integral_equation(x: Any) -> Any:
    n = len(x)
    h = 1 / (n + 1)
    t = h * np.arange(1, n + 1)
    kernel = np.where(t[:, None] >= t, (1 - t[:, None]) * t, t[:, None] * (1 - t))
    return x + h * (kernel @ (x + t + 1) ** 3) / 2


# 30
def broyden_tridiagonal(x: Any) -> Any:
    left = wengert.concatenate([np.zeros(1), x[:-1]])
    right = wengert.concatenate([x[1:], np.zeros(1)])
    return (3 - 2 * x) * x - left - 2 * right + 1


# 31
def broyden_banded(x: Any) -> Any:
    i = np.arange(len(x))
    offset = i[:, None] - i
    band = ((offset <= 5) & (offset >= -1) & (offset != 0)).astype(float)
    return x * (2 + 5 * x**2) + 1 - band @ (x * (1 + x))


# 35
def chebyquad(x: Any) -> Any:
    n = len(x)
    y = 2 * x - 1
    before, now, rows = y * 0 + 1, y, []
    for i in range(1, n + 1):
        integral = -1 / (i**2 - 1) if i % 2 == 0 else 0.0
        rows.append(now.sum() / n - integral)
        before, now = now, 2 * y * now - before
    return _vector(*rows)


def _boundary_start(n: int) -> tuple[float, ...]:
    return tuple((j / (n + 1)) * (j / (n + 1) - 1) for j in range(1, n + 1))


PROBLEMS = (
    Problem("Rosenbrock", rosenbrock, (-1.2, 1.0), 0.0),
    Problem("Freudenstein-Roth", freudenstein_roth, (0.5, -2.0), 0.0, (48.98425367924001,)),
    Problem("Powell badly scaled", powell_badly_scaled, (0.0, 1.0), 0.0),
    Problem("Brown badly scaled", brown_badly_scaled, (1.0, 1.0), 0.0),
    Problem("Beale", beale, (1.0, 1.0), 0.0),
    Problem("Jennrich-Sampson", jennrich_sampson, (0.3, 0.4), 124.36218235561486),
    Problem("helical valley", helical_valley, (-1.0, 0.0, 0.0), 0.0),
    Problem("Bard", bard, (1.0, 1.0, 1.0), 8.21487730657897e-3, (17.4286,)),
    Problem("Gaussian", gaussian, (0.4, 1.0, 0.0), 1.1279327696187528e-8),
    Problem("Meyer", meyer, (0.02, 4000.0, 250.0), 87.94585517068947),
    Problem("Gulf", gulf, (5.0, 2.5, 0.15), 0.0),
    Problem("Box three-dimensional", box_three_dimensional, (0.0, 10.0, 20.0), 0.0),
    Problem("Powell singular", powell_singular, (3.0, -1.0, 0.0, 1.0), 0.0),
    Problem("Wood", wood, (-3.0, -1.0, -3.0, -1.0), 0.0),
    Problem(
        "Kowalik-Osborne", kowalik_osborne, (0.25, 0.39, 0.415, 0.39), 3.0750560384923745e-4, (1.02734e-3,)
    ),
    Problem("Brown-Dennis", brown_dennis, (25.0, 5.0, -5.0, -1.0), 85822.20162635628),
    Problem("Osborne 1", osborne_1, (0.5, 1.5, -1.0, 0.01, 0.02), 5.464894697482424e-5),
    Problem("Biggs EXP6", biggs_exp6, (1.0, 2.0, 1.0, 1.0, 1.0, 1.0), 0.0, (5.65565e-3,)),
    Problem(
        "Osborne 2",
        osborne_2,
        (1.3, 0.65, 0.65, 0.7, 0.6, 3.0, 5.0, 7.0, 2.0, 4.5, 5.5),
        4.013773629354772e-2,
    ),
    Problem("Watson 6", watson, (0.0,) * 6, 2.287670053552361e-3),
    Problem("Watson 9", watson, (0.0,) * 9, 1.399760138093945e-6),
    Problem("extended Rosenbrock 10", extended_rosenbrock, (-1.2, 1.0) * 5, 0.0),
    Problem("extended Powell singular 12", extended_powell_singular, (3.0, -1.0, 0.0, 1.0) * 3, 0.0),
    Problem("penalty I 4", penalty_1, (1.0, 2.0, 3.0, 4.0), 2.249977500899937e-5),
    Problem("penalty I 10", penalty_1, tuple(map(float, range(1, 11))), 7.087651467090369e-5),
    Problem("penalty II 4", penalty_2, (0.5,) * 4, 9.376293007355442e-6),
    Problem("penalty II 10", penalty_2, (0.5,) * 10, 2.9366053745674594e-4),
    Problem("variably dimensioned 10", variably_dimensioned, tuple(1 - j / 10 for j in range(1, 11)), 0.0),
    Problem("trigonometric 10", trigonometric, (0.1,) * 10, 0.0, (2.795056121878839e-5,)),
    Problem("Brown almost-linear 10", brown_almost_linear, (0.5,) * 10, 0.0, (1.0,)),
    Problem("discrete boundary value 10", discrete_boundary_value, _boundary_start(10), 0.0),
    Problem("discrete integral equation 10", discrete_integral_equation, _boundary_start(10), 0.0),
    Problem("Broyden tridiagonal 10", broyden_tridiagonal, (-1.0,) * 10, 0.0),
    Problem("Broyden banded 10", broyden_banded, (-1.0,) * 10, 0.0),
    Problem("Chebyquad 8", chebyquad, tuple(j / 9 for j in range(1, 9)), 3.516873725677925e-3),
)
