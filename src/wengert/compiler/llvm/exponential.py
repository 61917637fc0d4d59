"""Exponentials, logarithms and hyperbolic functions over the lanes of vectors.

e^x = 2ⁿ e^r with x = n ln 2 + r and |r| ≤ ln 2 / 2 (Cody and Waite, Software Manual for the Elementary
Functions, 1980); ln 2 is subtracted in two parts, whose first times n is exact. Infinities, zeros and NaN
come out as the C standard's annex F says, and numbers below the least normal one are right too.
"""

from __future__ import annotations

import math

from wengert.compiler.llvm import coefficients
from wengert.compiler.llvm.lanes import (
    Lanes,
    multiply_add,
    polynomial,
    scaled,
    scaled_within,
    two_sum,
    where,
)

LN_2 = {
    "float": (0.693359375, -2.12194440e-4),
    "double": (6.93147180369123816490e-1, 1.90821492927058770002e-10),
}
"""ln 2 as the sum of a number with few bits and a small one."""

_SQRT_HALF = math.sqrt(0.5)


def reduced(x: Lanes) -> tuple[Lanes, Lanes]:
    """n and r with x = n ln 2 + r, where n is whole and |r| ≤ ln 2 / 2."""
    shifter = x.format.shifter
    high, low = LN_2[x.element]
    n = multiply_add(x, 1 / math.log(2), shifter) - shifter
    return n, multiply_add(n, -low, multiply_add(n, -high, x))


def exp_near_zero(r: Lanes) -> Lanes:
    """e^r for |r| ≤ ln 2 / 2."""
    p = polynomial(coefficients.EXP[r.element], r)
    return multiply_add(r * r, p, r) + 1


def exp(x: Lanes) -> Lanes:
    """e^x."""
    most = (x.format.bias + 2) * math.log(2)
    n, r = reduced(x.at_most(most).at_least(-most - x.format.mantissa))
    return scaled(exp_near_zero(r), n)


def _exp_within(x: Lanes) -> Lanes:
    """e^x where the result is a normal number."""
    n, r = reduced(x)
    return scaled_within(exp_near_zero(r), n)


def _half_exp(x: Lanes) -> Lanes:
    """e^x / 2 for x ≥ 0."""
    n, r = reduced(x.at_most((x.format.bias + 3) * math.log(2)))
    return scaled(exp_near_zero(r), n - 1)


def expm1(x: Lanes) -> Lanes:
    """e^x - 1, without cancellation: 2ⁿ(e^r - 1) + (2ⁿ - 1), from halves since 2ⁿ may be out of range."""
    form = x.format
    n, r = reduced(x.at_most((form.bias + 1.4) * math.log(2)).at_least(-form.mantissa))
    p = multiply_add(r * r, polynomial(coefficients.EXPM1[x.element], r), r)
    half = scaled_within(x.like(1.0), n - 1)
    result = multiply_add(half, p, half - 0.5) * 2
    return where(x.magnitude() < 2.0 ** (-form.mantissa - 2), x, result)


def split(x: Lanes) -> tuple[Lanes, Lanes]:
    """n and m with x = 2ⁿ m and √½ ≤ m < √2, for positive normal numbers."""
    form, element = x.format, x.element
    lowest = form.pattern(_SQRT_HALF)
    shifted = x.bits() - (lowest - (form.bias << form.mantissa))
    m = (shifted & ((1 << form.mantissa) - 1)) + lowest
    floor = 2.0**form.mantissa
    n = ((shifted >> form.mantissa) | form.pattern(floor)).number(element) - (floor + form.bias)
    return n, m.number(element)


def split_any(x: Lanes) -> tuple[Lanes, Lanes]:
    """The same for any positive number."""
    lift = x.format.mantissa + 1
    small = x < x.format.least
    n, m = split(where(small, x * 2.0**lift, x))
    return where(small, n - lift, n), m


def _log_parts(f: Lanes) -> Lanes:
    """ln(1 + f) - f for √½ ≤ 1 + f < √2."""
    half_square = f * f * 0.5
    if f.element == "float":
        p = polynomial(coefficients.LOG["float"], f)
        return multiply_add(f * f * f, p, -half_square)
    s = f / (f + 2)
    z = s * s
    rest = z * polynomial(coefficients.ATANH["double"], z)
    return multiply_add(s, half_square + rest, -half_square)


def _logarithm(n: Lanes, f: Lanes) -> Lanes:
    """n ln 2 + ln(1 + f)."""
    high, low = LN_2[f.element]
    return multiply_add(n, high, f + multiply_add(n, low, _log_parts(f)))


def _outside_domain(x: Lanes, y: Lanes) -> Lanes:
    """A logarithm y of x, also where x is zero (-∞), negative (NaN), infinite or NaN (itself)."""
    y = where(x < math.inf, y, x)
    return where(x.compare("ugt", 0), y, where(x.equals(0), -math.inf, y.like(math.nan)))


def log(x: Lanes) -> Lanes:
    """The natural logarithm."""
    n, m = split_any(x)
    return _outside_domain(x, _logarithm(n, m - 1))


def log2(x: Lanes) -> Lanes:
    """The logarithm to base 2: n + f/ln 2 + …, where f/ln 2 = f + f (1/ln 2 - 1)."""
    n, m = split_any(x)
    f, scale = m - 1, 1 / math.log(2)
    y = n + (f + multiply_add(_log_parts(f), scale, f * (scale - 1)))
    return _outside_domain(x, y)


def log1p(x: Lanes) -> Lanes:
    """ln(1 + x): what the sum u = 1 + x lost in rounding is given back, 2ⁿ times smaller, to u/2ⁿ - 1."""
    form = x.format
    u, lost = two_sum(x.like(1.0), x)
    n, m = split(u)
    shrink = scaled_within(x.like(1.0), -n.at_most(form.bias))
    f = (m - 1) + where(u < math.inf, lost * shrink, x.like(0.0))
    return _outside_domain(u, _logarithm(n, f)).signed_as(x)


def tanh(x: Lanes) -> Lanes:
    """The hyperbolic tangent: a polynomial near zero, elsewhere 1 - 2/(e^2x + 1)."""
    a = x.magnitude()
    z = x * x
    near = multiply_add(a, z * polynomial(coefficients.TANH[x.element], z), a)
    power = _exp_within((a + a).at_most(2.0 * x.format.mantissa))
    return where(a < 0.625, near, 1 - 2 / (power + 1)).signed_as(x)


def sinh(x: Lanes) -> Lanes:
    """The hyperbolic sine: a polynomial near zero, elsewhere e^x/2 - e^-x/2."""
    a = x.magnitude()
    z = x * x
    near = multiply_add(x, z * polynomial(coefficients.SINH[x.element], z), x)
    half = _half_exp(a)
    return where(a < 1, near, (half - 0.25 / half).signed_as(x))


def cosh(x: Lanes) -> Lanes:
    """The hyperbolic cosine, e^x/2 + e^-x/2."""
    half = _half_exp(x.magnitude())
    return half + 0.25 / half


def erf(x: Lanes) -> Lanes:
    """The error function: a polynomial near zero, elsewhere 1 - erfc |x| with a polynomial for ln erfc."""
    a = x.magnitude()
    z = x * x
    near = multiply_add(x, polynomial(coefficients.ERF[x.element], z), x)
    complement = _exp_within(polynomial(coefficients.ERFC[x.element], a.at_most(6)))
    return where(a < 1, near, (1 - complement).signed_as(x))
