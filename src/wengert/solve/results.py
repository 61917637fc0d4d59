"""What a minimization hands back: plain data."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from typing import Any

import numpy as np

Array = Any


@dataclass
class Trajectory:
    """The way that a descent took: one row per point, the start included.

    ``points`` has shape (points, numbers), and no rows where the points were not recorded. ``values`` are
    the function's values, ``gradient_norms`` the measure that the descent stops by, ``steps`` the step
    lengths that led to each point (0 for the start). ``label`` names the descent in a plot.

    >>> points, values = np.array([[2.0], [1.0]]), np.array([4.0, 1.0])
    >>> Trajectory(points, values, np.array([4.0, 2.0]), np.array([0.0, 0.25]), "rate 0.25")
    Trajectory(rate 0.25: 2 points, value 4 to 1)
    """

    points: Array
    values: Array
    gradient_norms: Array
    steps: Array
    label: str = ""

    def __len__(self) -> int:
        return len(self.values)

    def __repr__(self) -> str:
        name = f"{self.label}: " if self.label else ""
        return f"Trajectory({name}{len(self)} points, value {self.values[0]:.4g} to {self.values[-1]:.4g})"


@dataclass
class Result:
    """The end of a minimization, with the names of SciPy's ``OptimizeResult``.

    ``x`` has the nesting of the start; ``fun`` is the value there and ``jac`` the gradient. ``nit`` counts
    iterations, ``nfev`` values of the function, ``njev`` gradients, ``nhev`` Hessians and ``nhvp`` Hessian
    products. ``success`` says whether a stopping rule was met, ``stopped`` which one, in a word, and
    ``message`` in a sentence. Methods that know the Hessian at the end give it as ``hess``, with its
    ``least_eigenvalue``.

    >>> print(Result(x=3.0, fun=0.5, jac=0.0, stopped="gradient", success=True, nit=2, nfev=3, njev=3))
     message:
     success: True
      status: 0
     stopped: gradient
         fun: 0.5
           x: 3.0
         nit: 2
         jac: 0.0
        nfev: 3
        njev: 3
        nhev: 0
        nhvp: 0
    """

    message: str = ""
    success: bool = False
    status: int = 0
    stopped: str = ""
    fun: float = 0.0
    x: Any = None
    nit: int = 0
    jac: Any = None
    nfev: int = 0
    njev: int = 0
    nhev: int = 0
    nhvp: int = 0
    hess: Any = None
    least_eigenvalue: float | None = None
    trajectory: Trajectory | None = field(default=None, repr=False)

    def __getitem__(self, name: str) -> Any:
        if name not in self.keys():
            raise KeyError(f"{name!r}: a result has {', '.join(self.keys())}")
        return getattr(self, name)

    def keys(self) -> list[str]:
        """The names of the fields that hold something."""
        return [f.name for f in fields(self) if getattr(self, f.name) is not None]

    def __iter__(self) -> Iterator[str]:
        return iter(self.keys())

    def __repr__(self) -> str:
        return "\n".join(_line(name, self[name]) for name in self.keys() if name != "trajectory")

    __str__ = __repr__


def _line(name: str, value: Any) -> str:
    """A name with its value, whose further lines stand under the first."""
    if isinstance(value, np.ndarray):
        text = np.array2string(value, precision=4, threshold=20, suppress_small=False)
    else:
        text = str(value) if type(value) in (str, int, bool) else repr(value)
        text = f"{value:.12g}" if type(value) is float and value != int(value or 0) else text
    head = f"{name:>8}: "
    return head.rstrip() if not text else head + text.replace("\n", "\n" + " " * len(head))
