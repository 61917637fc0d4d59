"""How well a count pins down a rate."""

from __future__ import annotations

from statistics import NormalDist


def wilson_interval(count: int, total: int, confidence: float = 0.95) -> tuple[float, float]:
    """The interval of rates that ``count`` successes in ``total`` independent trials leave plausible.

    Wilson's score interval (Wilson 1927, "Probable inference, the law of succession, and statistical
    inference"): it stays inside [0, 1] and keeps a width where every trial ended the same way. Raises
    ValueError unless 0 ≤ count ≤ total, total ≥ 1 and 0 < confidence < 1.

    >>> low, high = wilson_interval(95, 100)
    >>> f"{low:.3f} to {high:.3f}"
    '0.888 to 0.978'
    """
    if total < 1 or not 0 <= count <= total:
        raise ValueError(f"count, total: expected 0 ≤ count ≤ total and total ≥ 1, got {count} and {total}")
    if not 0 < confidence < 1:
        raise ValueError(f"confidence: expected a number between 0 and 1, got {confidence}")
    z = NormalDist().inv_cdf((1 + confidence) / 2)
    rate, weight = count / total, z * z / total
    centre = (rate + weight / 2) / (1 + weight)
    half = z * (rate * (1 - rate) / total + weight / (4 * total)) ** 0.5 / (1 + weight)
    low = 0.0 if count == 0 else centre - half
    high = 1.0 if count == total else centre + half
    return low, high
