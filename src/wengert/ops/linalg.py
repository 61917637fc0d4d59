"""Matrix factorisations and solves. A library computes them; each states its derivative in other operations.

The formulas are those of M. B. Giles, "Collected matrix derivative results for forward and reverse mode
algorithmic differentiation" (2008), and of S. F. Walter and L. Lehmann (2010) for QR. T is the transpose of
the last two axes.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from wengert.ops.arithmetic import divide, where, zeros_like
from wengert.ops.kinds import Case, Deferred, Question, composite, discrete, factorisation, shape
from wengert.ops.op import grid
from wengert.ops.reduce import norm, sum
from wengert.ops.shape import expand_dims, imag, real, reshape, stack, transpose, tril

_SYMMETRIC = [[2.0, 0.5, -0.25], [0.5, 1.5, 0.75], [-0.25, 0.75, 3.0]]
_GENERAL = [[2.0, 0.5, -0.25], [1.0, -1.5, 0.75], [0.25, 0.5, 3.0]]


class UndefinedDerivative(ArithmeticError):
    """A derivative does not exist at this point."""


def T(a: Any) -> Any:
    """The transpose of the last two axes."""
    return transpose(a)


def _column(v: Any) -> Any:
    return expand_dims(v, axis=-1)


def _row(v: Any) -> Any:
    return expand_dims(v, axis=-2)


def _diagonal(a: Any) -> Any:
    """The diagonal of the last two axes as a vector."""
    return sum(where(identity_mask(a), a, zeros_like(a)), axis=-1)


def _as_diagonal(v: Any) -> Any:
    """A vector as a diagonal matrix, over leading axes."""
    spread = _row(v) + zeros_like(_column(v))
    return where(identity_mask(spread), spread, zeros_like(spread))


identity_mask = discrete(
    "identity_mask", arity=1, public=False, doc="True on the diagonal of the last two axes."
)
near_equal = Question(
    "near_equal", arity=1, public=False, doc="Whether any two entries of a vector coincide to rounding."
)


def _gaps(w: Any, name: str, what: str) -> Any:
    """1/(wⱼ - wᵢ) off the diagonal, 0 on it."""
    if near_equal(w):
        raise UndefinedDerivative(
            f"{name}: the derivative of the {what} is undefined where two of them belong to equal values "
            f"(here {w}): the basis may turn freely. Differentiate the values alone, or break the tie"
        )
    gap = _row(w) - _column(w)
    mask = identity_mask(gap)
    return where(mask, zeros_like(gap), divide(1, where(mask, zeros_like(gap) + 1, gap)))


def _sum(*terms: Any) -> Any:
    present = [t for t in terms if t is not None]
    total = present[0]
    for t in present[1:]:
        total = total + t
    return total


# -- solves --------------------------------------------------------------------------------------------------

inv = factorisation(
    "inv",
    vjp=lambda g, y, a: -(T(y) @ g @ T(y)),
    jvp=lambda t, y, a: -(y @ t[0] @ y),
    tex="{0}^{{-1}}",
    domain="a is square and invertible",
    sample=[Case(_GENERAL)],
)


def _solve_vjp(g: Any, y: Any, a: Any, b: Any) -> Sequence[Any]:
    gb = solve(T(a), g)
    vector = len(shape(b)) == 1
    return [-(_column(gb) * _row(y)) if vector else -(gb @ T(y)), gb]


def _solve_jvp(t: Any, y: Any, a: Any, b: Any) -> Any:
    right = _sum(t[1], None if t[0] is None else -(t[0] @ y))
    return solve(a, right)


solve = factorisation(
    "solve",
    public=False,  # wengert.solve is the package of solvers
    vjp=_solve_vjp,
    jvp=_solve_jvp,
    arity=2,
    tex="{0}^{{-1}} {1}",
    domain="a is square and invertible",
    sample=[Case(_GENERAL, grid(3, 2)), Case(_GENERAL, grid(3))],
)


def _over_matrices(g: Any) -> Any:
    """A number per matrix, to multiply the matrices by."""
    return _column(_column(g)) if shape(g) else g


def _cofactors_vjp(g: Any, y: Any, a: Any) -> Any:
    b = T(inv(a))
    return _over_matrices(sum(g * b, axis=(-2, -1))) * y - b @ T(g) @ y


def _cofactors_jvp(t: Any, y: Any, a: Any) -> Any:
    b = T(inv(a))
    return _over_matrices(sum(y * t[0], axis=(-2, -1))) * b - y @ T(t[0]) @ b


cofactors = factorisation(
    "cofactors",
    vjp=_cofactors_vjp,
    jvp=_cofactors_jvp,
    tex=r"\operatorname{{cof}} {0}",
    sample=[Case(_GENERAL)],
    doc="det(a) a⁻ᵀ, which singular matrices have too; its derivative is stated for invertible ones.",
)
det = factorisation(
    "det",
    vjp=lambda g, y, a: _over_matrices(g) * cofactors(a),
    jvp=lambda t, y, a: sum(cofactors(a) * t[0], axis=(-2, -1)),
    tex=r"\det {0}",
    sample=[Case(_GENERAL)],
)


def _slogdet_vjp(g: Any, y: Any, a: Any) -> Any:
    return None if g[1] is None else _over_matrices(g[1]) * T(inv(a))


slogdet = factorisation(
    "slogdet",
    vjp=_slogdet_vjp,
    jvp=lambda t, y, a: [None, sum(T(inv(a)) * t[0], axis=(-2, -1))],
    tex=r"\ln\left|\det {0}\right|",
    domain="a is square and invertible",
    sample=[Case(_GENERAL)],
    doc="The sign and the logarithm of the absolute value of the determinant.",
)
pinv = factorisation(
    "pinv",
    vjp=lambda g, y, a: (
        -(T(y) @ g @ T(y)) + (T(g) - a @ (y @ T(g))) @ y @ T(y) + T(y) @ y @ (T(g) - (T(g) @ y) @ a)
    ),
    jvp=lambda t, y, a: (
        -(y @ t[0] @ y) + y @ T(y) @ (T(t[0]) - (T(t[0]) @ a) @ y) + (T(t[0]) - y @ (a @ T(t[0]))) @ T(y) @ y
    ),
    tex="{0}^{{+}}",
    domain="the rank of a does not change nearby",
    sample=[Case(grid(3, 2)), Case(grid(2, 3))],
)
lstsq = composite(
    "lstsq",
    lambda a, b: pinv(a) @ b,
    arity=2,
    tex="{0}^{{+}} {1}",
    domain="the rank of a does not change nearby",
    sample=[Case(grid(3, 2), grid(3, shift=9)), Case(grid(3, 2), grid(3, 2, shift=9))],
    doc="The x of least length that minimises ‖ax - b‖.",
)

# -- factorisations ------------------------------------------------------------------------------------------


def _lower(a: Any) -> Any:
    """The lower triangle with its diagonal halved."""
    return tril(a) - divide(where(identity_mask(a), a, zeros_like(a)), 2)


def _cholesky_vjp(g: Any, y: Any, a: Any) -> Any:
    inner = solve(T(y), _lower(T(y) @ g))
    s = T(solve(T(y), T(inner)))
    return divide(s + T(s), 2)


def _cholesky_jvp(t: Any, y: Any, a: Any) -> Any:
    symmetric = divide(t[0] + T(t[0]), 2)
    return y @ _lower(solve(y, T(solve(y, T(symmetric)))))


cholesky = factorisation(
    "cholesky",
    vjp=_cholesky_vjp,
    jvp=_cholesky_jvp,
    tex=r"\operatorname{{cholesky}} {0}",
    domain="a is symmetric and positive definite",
    sample=[Case(_SYMMETRIC)],
    doc="The lower triangular L with L Lᵀ = a; of a, the symmetric part is differentiated.",
)


def _qr_shape(a: Any) -> None:
    m, n = shape(a)[-2:]
    if m < n:
        raise UndefinedDerivative(
            f"qr: the derivative is stated for at least as many rows as columns, got {m} × {n}"
        )


def _qr_vjp(g: Any, y: Any, a: Any) -> Any:
    _qr_shape(a)
    q, r = y
    gq = zeros_like(q) if g[0] is None else g[0]
    gr = zeros_like(r) if g[1] is None else g[1]
    m = r @ T(gr) - T(gq) @ q
    mirrored = tril(m) + T(tril(m, k=-1))
    return T(solve(r, T(gq + q @ mirrored)))


def _qr_jvp(t: Any, y: Any, a: Any) -> Sequence[Any]:
    _qr_shape(a)
    q, r = y
    right = T(solve(T(r), T(t[0])))
    c = T(q) @ right
    turn = tril(c, k=-1) - T(tril(c, k=-1))
    return [q @ turn + right - q @ c, (c - turn) @ r]


qr = factorisation(
    "qr",
    vjp=_qr_vjp,
    jvp=_qr_jvp,
    tex=r"\operatorname{{QR}} {0}",
    domain="a has full column rank",
    sample=[Case(_GENERAL), Case([[2.0, 0.5], [1.0, -1.5], [0.25, 0.5]])],
)


def _eigh_vjp(g: Any, y: Any, a: Any) -> Any:
    w, v = y
    inner = None if g[0] is None else _as_diagonal(g[0])
    if g[1] is not None:
        inner = _sum(inner, _gaps(w, "eigh", "eigenvectors") * (T(v) @ g[1]))
    full = v @ inner @ T(v)
    return divide(full + T(full), 2)


def _eigh_jvp(t: Any, y: Any, a: Any) -> Sequence[Any]:
    w, v = y
    inner = T(v) @ divide(t[0] + T(t[0]), 2) @ v
    return [_diagonal(inner), Deferred(lambda: v @ (_gaps(w, "eigh", "eigenvectors") * inner))]


eigh = factorisation(
    "eigh",
    vjp=_eigh_vjp,
    jvp=_eigh_jvp,
    tex=r"\operatorname{{eigh}} {0}",
    domain="a is symmetric",
    sample=[Case(_SYMMETRIC)],
    doc="Eigenvalues in ascending order and eigenvectors of a symmetric matrix; of a, the symmetric part is "
    "differentiated.",
)


def _svd_vjp(g: Any, y: Any, a: Any) -> Any:
    u, s, vt = y
    gu, gs, gvt = g
    v = T(vt)
    if gu is None and gvt is None:
        return (u * _row(gs)) @ vt
    gaps = _gaps(s * s, "svd", "singular vectors")
    inner = zeros_like(_row(s) * _column(s)) if gs is None else _as_diagonal(gs)
    result = zeros_like(a)
    if gu is not None:
        turned = T(u) @ gu
        inner = inner + (gaps * (turned - T(turned))) * _row(s)
        result = result + ((gu - u @ turned) * _row(divide(1, s))) @ vt
    if gvt is not None:
        gv = T(gvt)
        turned = T(v) @ gv
        inner = inner + _column(s) * (gaps * (turned - T(turned)))
        result = result + u @ (T(gv - v @ turned) * _column(divide(1, s)))
    return result + u @ inner @ vt


def _svd_jvp(t: Any, y: Any, a: Any) -> Sequence[Any]:
    u, s, vt = y
    v = T(vt)
    p = T(u) @ t[0] @ v

    def du() -> Any:
        turn = _gaps(s * s, "svd", "singular vectors") * (p * _row(s) + _column(s) * T(p))
        outside = t[0] @ v
        return u @ turn + (outside - u @ (T(u) @ outside)) * _row(divide(1, s))

    def dvt() -> Any:
        turn = _gaps(s * s, "svd", "singular vectors") * (_column(s) * p + T(p) * _row(s))
        outside = T(t[0]) @ u
        return T(v @ turn + (outside - v @ (T(v) @ outside)) * _row(divide(1, s)))

    return [Deferred(du), _diagonal(p), Deferred(dvt)]


svd = factorisation(
    "svd",
    vjp=_svd_vjp,
    jvp=_svd_jvp,
    tex=r"\operatorname{{SVD}} {0}",
    sample=[Case(_GENERAL), Case(grid(3, 2)), Case(grid(2, 3))],
    doc="The reduced decomposition a = U diag(s) Vᵀ, as (U, s, Vᵀ).",
)


def _eig_vjp(g: Any, y: Any, a: Any) -> Any:
    w, v = y
    inner = None if g[0] is None else _as_diagonal(g[0])
    if g[1] is not None:
        inner = _sum(inner, _gaps(w, "eig", "eigenvectors") * (T(v) @ g[1]))
    return solve(T(v), inner @ T(v))


def _eig_jvp(t: Any, y: Any, a: Any) -> Sequence[Any]:
    w, v = y
    inner = solve(v, t[0] @ v)
    return [_diagonal(inner), Deferred(lambda: v @ (_gaps(w, "eig", "eigenvectors") * inner))]


eigensystem = factorisation(
    "eigensystem",
    public=False,
    vjp=_eig_vjp,
    jvp=_eig_jvp,
    tex=r"\operatorname{{eig}} {0}",
    domain="a is diagonalisable",
    doc="Complex eigenvalues and eigenvectors of a general matrix, the vectors free to change length.",
)


def eig(a: Any) -> tuple[Any, Any]:
    """Complex eigenvalues and unit eigenvectors (columns) of a square matrix.

    The phase of an eigenvector is arbitrary: differentiate only what does not depend on it. Raises
    `UndefinedDerivative` where two eigenvalues coincide.

    >>> import wengert
    >>> w, v = wengert.linalg.eig(wengert.tensor([[2.0, 0.0], [0.0, 3.0]]))
    >>> wengert.real(w).tolist()
    [2.0, 3.0]
    """
    w, v = eigensystem(a)
    lengths = norm(stack([real(v), imag(v)]), axis=(0, -2), keepdims=True)
    return w, v / reshape(lengths, shape=(*shape(v)[:-2], 1, shape(v)[-1]))
