"""Linear algebra under its usual names: ``wengert.linalg.solve(a, b)``.

Every function takes and returns tensors (or plain arrays), over leading batch axes, and is differentiable to
any order. Where a derivative does not exist, such as that of the eigenvectors of a repeated eigenvalue,
`UndefinedDerivative` says so.

>>> import wengert
>>> a = wengert.tensor([[2.0, 0.0], [0.0, 4.0]], requires_grad=True)
>>> wengert.linalg.det(a).backward()
>>> a.grad
tensor([[4., 0.],
        [0., 2.]])
"""

from wengert.ops.linalg import (
    UndefinedDerivative,
    cholesky,
    det,
    eig,
    eigh,
    inv,
    lstsq,
    pinv,
    qr,
    slogdet,
    solve,
    svd,
)
from wengert.ops.products import inner, kron, matmul, outer, tensordot
from wengert.ops.reduce import norm, trace

__all__ = [
    "UndefinedDerivative",
    "cholesky",
    "det",
    "eig",
    "eigh",
    "inner",
    "inv",
    "kron",
    "lstsq",
    "matmul",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "svd",
    "tensordot",
    "trace",
]
