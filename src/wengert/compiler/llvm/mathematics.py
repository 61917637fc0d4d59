"""The functions of the table that no single instruction carries out, for vectors of float or double.

Their results differ from the exact ones by no more than `ULP` units in the last place, which the tests
measure in both formats and at every width.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from wengert.compiler.llvm import exponential, powers, trigonometric
from wengert.compiler.llvm.lanes import Lanes
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Register

FUNCTIONS: Mapping[str, Callable[..., Lanes]] = {
    "exp": exponential.exp,
    "expm1": exponential.expm1,
    "log": exponential.log,
    "log1p": exponential.log1p,
    "log2": exponential.log2,
    "tanh": exponential.tanh,
    "sinh": exponential.sinh,
    "cosh": exponential.cosh,
    "erf": exponential.erf,
    "sin": trigonometric.sin,
    "cos": trigonometric.cos,
    "tan": trigonometric.tan,
    "asin": trigonometric.asin,
    "acos": trigonometric.acos,
    "atan": trigonometric.atan,
    "atan2": trigonometric.atan2,
    "power": powers.power,
}
"""The rows that have a formula here, by their names."""

ULP: Mapping[str, float] = {
    "exp": 1.1,
    "expm1": 2.0,
    "log": 1.0,
    "log1p": 1.5,
    "log2": 1.5,
    "tanh": 1.5,
    "sinh": 1.7,
    "cosh": 1.6,
    "erf": 1.2,
    "sin": 1.7,
    "cos": 1.7,
    "tan": 1.5,
    "asin": 1.4,
    "acos": 1.4,
    "atan": 1.8,
    "atan2": 2.0,
    "power": 1.0,
}
"""How far a result may be from the exact one, in units in the last place."""


def emit(name: str, code: Code, *arguments: Register) -> Register:
    """A row of `FUNCTIONS` on vectors of one floating-point type; the value has that type too.

    Raises KeyError for a row without a formula.
    """
    return FUNCTIONS[name](*(Lanes(code, argument) for argument in arguments)).register
