"""x^y over the lanes of vectors: e^(y ln x), with more digits in between than the result has.

y ln x can be hundreds, and its error is the result's relative error. For float, double has digits enough; for
double, the logarithm is carried as a sum of two doubles (Dekker 1971; Muller and others, Handbook of
Floating-Point Arithmetic, chapter 11). A result that has few digits, such as 3⁴, therefore comes out exactly.
"""

from __future__ import annotations

import math

from wengert.compiler.llvm import coefficients
from wengert.compiler.llvm.exponential import LN_2, reduced, split, split_any
from wengert.compiler.llvm.lanes import (
    Lanes,
    fast_two_sum,
    fused,
    multiply_add,
    polynomial,
    scaled,
    scaled_within,
    two_product,
    two_sum,
    where,
)

_TWO_THIRDS = (2 / 3, 3.700743415417188e-17)  # 2/3 as the sum of two doubles
_OUT_OF_RANGE = 2000.0  # e to the power of this overflows


def power(x: Lanes, y: Lanes) -> Lanes:
    """x^y; NaN for a negative x and a fractional y. Special cases are as in the C standard's annex F."""
    size = _power_in_double(x, y) if x.element == "float" else _power_in_two_doubles(x.magnitude(), y)
    half = y * 0.5
    whole = y.intrinsic("floor").equals(y)
    odd = whole & half.intrinsic("floor").compare("one", half)
    negative = x.bits().compare("slt", 0)
    signed = where(negative & odd, -size, size)
    undefined = (x < 0) & (x > -math.inf) & (whole ^ True)
    unity = x.equals(1) | y.equals(0) | (x.equals(-1) & y.magnitude().equals(math.inf))
    return where(unity, 1, where(undefined, math.nan, signed))


def _power_in_double(x: Lanes, y: Lanes) -> Lanes:
    """|x|^y for float, by way of double, in which every positive float is a normal number."""
    wide = x.magnitude().convert("fpext", "double")
    n, m = split(wide)
    f = m - 1
    s = f / (m + 1)
    cubic = s * s * s * polynomial(coefficients.POWER_LOG["double"], s * s)
    logarithm = multiply_add(n, math.log(2), s + s + cubic)
    logarithm = where(wide.equals(0), -math.inf, where(wide < math.inf, logarithm, wide))
    exponent = y.convert("fpext", "double") * logarithm
    n, r = reduced(exponent.at_most(200).at_least(-200))
    result = multiply_add(r * r, polynomial(coefficients.POWER_EXP["double"], r), r) + 1
    return scaled_within(result, n).convert("fptrunc", "float")


def _power_in_two_doubles(x: Lanes, y: Lanes) -> Lanes:
    """x^y for doubles x ≥ 0."""
    log_high, log_low = _log_in_two_doubles(x)
    high, low = two_product(y, log_high)
    low = where(high.magnitude() < _OUT_OF_RANGE, low + y * log_low, x.like(0.0))
    high = high.at_most(_OUT_OF_RANGE / 2).at_least(-_OUT_OF_RANGE / 2)
    return _exp_of_sum(high, low)


def _log_in_two_doubles(x: Lanes) -> tuple[Lanes, Lanes]:
    """ln x = n ln 2 + 2 artanh s with s = (m - 1)/(m + 1)."""
    n, m = split_any(x)
    divisor, divisor_low = two_sum(m, m.like(1.0))
    inverse = 1 / divisor
    s = (m - 1) * inverse
    s_low = (fused(-s, divisor, m - 1) - s * divisor_low) * inverse
    z, z_low = two_product(s, s)
    z_low = z_low + (s + s) * s_low
    rest = z * polynomial(coefficients.ATANH_REST["double"], z)
    factor, factor_low = fast_two_sum(z.like(_TWO_THIRDS[0]), rest)
    factor_low = factor_low + _TWO_THIRDS[1]
    cubic, cubic_low = two_product(z, factor)
    cubic_low = cubic_low + (z * factor_low + z_low * factor)
    tail, tail_low = two_product(s, cubic)
    tail_low = tail_low + (s * cubic_low + s_low * cubic)
    total, total_low = fast_two_sum(s + s, tail)
    total_low = total_low + (s_low + s_low + tail_low)
    ln_2, ln_2_low = LN_2["double"]
    total, lost = fast_two_sum(n * ln_2, total)
    total, total_low = fast_two_sum(total, fused(n, ln_2_low, lost + total_low))
    return where(x.equals(0), -math.inf, where(x < math.inf, total, x)), total_low


def _exp_of_sum(high: Lanes, low: Lanes) -> Lanes:
    """e^(high + low), with one rounding that counts."""
    shifter = high.format.shifter
    ln_2, ln_2_low = LN_2["double"]
    n = (high * (1 / math.log(2)) + shifter) - shifter
    r, lost = fast_two_sum(fused(n, -ln_2, high), fused(n, -ln_2_low, low))
    tail = fused(r * r, polynomial(coefficients.EXP["double"], r), lost)
    whole, fraction = fast_two_sum(r.like(1.0), r)
    return scaled(whole + (fraction + tail), n)
