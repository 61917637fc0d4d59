"""Points and a straight line b + v·u: projections, distances, and the variance along a direction.

No formula here takes a square root, so fractions stay fractions and symbols stay symbols: arrays of dtype
object hold them. A direction need not have length one.
"""

from __future__ import annotations

from typing import Any

from wengert.stats.arguments import numbers, plain


def project_on_line(points: Any, through: Any, direction: Any) -> Any:
    """The nearest point of the line ``through`` + v·``direction`` to each point.

    ``points``: (N, d), or one point (d,); ``through`` and ``direction``: (d,). With a direction u of any
    length, x̃ = b + (uᵀ(x − b) / uᵀu) u. Raises ValueError for other shapes and a direction of zeros.

    >>> project_on_line([[2.0, 0.0]], through=[0.0, 0.0], direction=[1.0, 1.0])
    array([[1., 1.]])
    """
    x, b, u = _checked(points, through, direction)
    share = ((x - b) * u).sum(axis=-1) / (u * u).sum()
    return b + share[..., None] * u if len(x.shape) > 1 else b + share * u


def squared_distance_to_line(points: Any, through: Any, direction: Any) -> Any:
    """‖x − x̃‖² for each point: (N,), or one number. For a unit vector u it is ‖x − b‖² − (uᵀ(x − b))².

    It is computed from x − x̃ itself: the difference of squares loses digits for points near the line.

    >>> squared_distance_to_line([[2.0, 0.0]], through=[0.0, 0.0], direction=[1.0, 1.0])
    array([2.])
    """
    away = numbers("points", points) - project_on_line(points, through, direction)
    return (away * away).sum(axis=-1)


def variance_along(points: Any, direction: Any) -> Any:
    """The mean square of the centred points' coordinates along a direction: uᵀCu / uᵀu, C = XᵀX/N.

    ``points``: (N, d); ``direction``: (d,), of any length but zero.

    >>> float(variance_along([[1.0, 5.0], [3.0, 9.0]], [1.0, 0.0]))
    1.0
    """
    x = numbers("points", points, 2)
    centre = x.sum(axis=0) / x.shape[0]
    x, _, u = _checked(x - centre, 0 * centre, direction)
    along = (x * u).sum(axis=-1)
    return (along * along).sum() / x.shape[0] / (u * u).sum()


def _checked(points: Any, through: Any, direction: Any) -> tuple[Any, Any, Any]:
    x, b, u = numbers("points", points), numbers("through", through, 1), numbers("direction", direction, 1)
    for name, vector in (("through", b), ("direction", u)):
        if len(x.shape) not in (1, 2) or vector.shape[0] != x.shape[-1]:
            raise ValueError(
                f"points, {name}: expected the shapes (N, d) and (d,), got {x.shape} and {vector.shape}"
            )
    if not plain(u).any():
        raise ValueError("direction: expected a vector other than zero, got zeros only")
    return x, b, u
