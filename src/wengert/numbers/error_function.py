"""The error function of NumPy arrays, which NumPy lacks."""

from __future__ import annotations

from typing import Any

import numpy as np

Array = Any

_INV_SQRT_PI = 0.56418958354775628695
_ERF_P = (1.85777706184603153e-1, 3.16112374387056560e0, 1.13864154151050156e2, 3.77485237685302021e2,
          3.20937758913846947e3)  # fmt: skip
_ERF_Q = (1.0, 2.36012909523441209e1, 2.44024637934444173e2, 1.28261652607737228e3, 2.84423683343917062e3)
_ERFC_P = (2.15311535474403846e-8, 5.64188496988670089e-1, 8.88314979438837594e0, 6.61191906371416295e1,
           2.98635138197400131e2, 8.81952221241769090e2, 1.71204761263407058e3, 2.05107837782607147e3,
           1.23033935479799725e3)  # fmt: skip
_ERFC_Q = (1.0, 1.57449261107098347e1, 1.17693950891312499e2, 5.37181101862009858e2, 1.62138957456669019e3,
           3.29079923573345963e3, 4.36261909014324716e3, 3.43936767414372164e3,
           1.23033935480374942e3)  # fmt: skip
_ERFC_R = (1.63153871373020978e-2, 3.05326634961232344e-1, 3.60344899949804439e-1, 1.25781726111229246e-1,
           1.60837851487422766e-2, 6.58749161529837803e-4)  # fmt: skip
_ERFC_S = (1.0, 2.56852019228982242e0, 1.87295284992346725e0, 5.27905102951428412e-1, 6.05183413124413191e-2,
           2.33520497626869185e-3)  # fmt: skip


def erf(x: Array) -> Array:
    """W. J. Cody, "Rational Chebyshev approximations for the error function" (1969), in float64."""
    z = x.astype(np.float64)
    a = np.abs(z)
    near, middle = a <= 0.46875, a <= 4.0
    with np.errstate(all="ignore"):
        s = np.where(near, z * z, 0.0)
        small = z * _horner(_ERF_P, s) / _horner(_ERF_Q, s)
        m = np.where(middle, a, 1.0)
        complement = np.exp(-m * m) * _horner(_ERFC_P, m) / _horner(_ERFC_Q, m)
        r = np.where(middle, 1.0, 1 / (a * a))
        far = np.exp(-a * a) / a * (_INV_SQRT_PI - r * _horner(_ERFC_R, r) / _horner(_ERFC_S, r))
        large = np.sign(z) * (1 - np.where(middle, complement, np.where(a < 6, far, 0.0)))
    return np.where(np.isnan(z), z, np.where(near, small, large)).astype(x.dtype)


def _horner(coefficients: tuple[float, ...], x: Array) -> Array:
    total: Array = coefficients[0]
    for c in coefficients[1:]:
        total = total * x + c
    return total
