"""What the labs compare gradients with: PyTorch where it is installed, and differences in fractions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from fractions import Fraction
from importlib import import_module
from importlib.util import find_spec
from typing import Any

import numpy as np

Array = np.ndarray[Any, Any]
Named = dict[str, Array]

STEP = Fraction(1, 2**40)


def pytorch() -> Any:
    """PyTorch, or None where it is not installed: the labs need it for nothing but a comparison."""
    return import_module("torch") if find_spec("torch") else None


@contextmanager
def one_thread(torch: Any) -> Iterator[None]:
    """PyTorch on one thread inside the block: on small arrays its threads only wait for each other."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        yield
    finally:
        torch.set_num_threads(threads)


def said_of_pytorch(torch: Any) -> str:
    """One sentence on whether the comparison with PyTorch is made."""
    if torch is None:
        return "PyTorch is not installed here, so that this comparison is left out."
    return f"PyTorch {str(torch.__version__).partition('+')[0]} is installed, and compared too."


def in_fractions(array: Array) -> Array:
    """The floats of an array as the fractions that they are, without rounding."""
    return np.asarray(np.frompyfunc(Fraction, 1, 1)(array))


def exact_gradient(
    f: Callable[..., Fraction], arguments: Mapping[str, Array], wanted: Iterable[str]
) -> Named:
    """∂f/∂entry = (f(entry + h) − f(entry − h)) / 2h in fractions, for each entry of the wanted arguments.

    For an f that is piecewise quadratic in every single entry this is the derivative itself, as long as
    ±h crosses no kink: then half the step gives the same fraction. f gets arrays of fractions, by name.
    Raises ArithmeticError where the two steps differ.

    >>> gradient = exact_gradient(lambda x: (x * x).sum(), {"x": np.array([0.1, 3.0])}, ["x"])
    >>> gradient["x"]
    array([0.2, 6. ])
    """
    exact = {name: in_fractions(array) for name, array in arguments.items()}
    return {name: _differences(f, exact, name).astype(np.float64) for name in wanted}


def _differences(f: Callable[..., Fraction], exact: Named, name: str) -> Array:
    found = np.empty_like(exact[name])
    for place in np.ndindex(found.shape):
        whole, half = (_central(f, exact, name, place, step) for step in (STEP, STEP / 2))
        if whole != half:
            raise ArithmeticError(f"f is not quadratic in {name}{list(place)}: a step of {STEP} meets a kink")
        found[place] = half
    return found


def _central(f: Callable[..., Fraction], exact: Named, name: str, place: Any, step: Fraction) -> Fraction:
    ends = []
    for signed in (step, -step):
        moved = exact[name].copy()
        moved[place] += signed
        ends.append(f(**{**exact, name: moved}))
    return (ends[0] - ends[1]) / (2 * step)


def apart(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> dict[str, float]:
    """By name, the largest difference of an entry, relative to the largest entry of the second array.

    Raises ValueError where the names differ.

    >>> apart({"x": [1.0, 2.0]}, {"x": [1.0, 4.0]})
    {'x': 0.5}
    """
    if set(ours) != set(theirs):
        raise ValueError(f"the names compared differ: {sorted(set(ours) ^ set(theirs))}")
    return {name: _relative(ours[name], theirs[name]) for name in ours}


def _relative(ours: Any, theirs: Any) -> float:
    scale = float(np.max(np.abs(theirs)))
    return float(np.max(np.abs(np.subtract(ours, theirs)))) / (scale or 1.0)
