"""`check`: is a claimed derivative right, and if not, what is the likely slip?"""

from __future__ import annotations

import math
import random
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from wengert.expressions import Expression
from wengert.ops.kinds import shape
from wengert.worksheets.checks.claim_reading import claims_of, point_of
from wengert.worksheets.checks.claimed_slips import derivative_slips
from wengert.worksheets.checks.lines import plain
from wengert.worksheets.checks.slips import Slip, likely
from wengert.worksheets.checks.written_numbers import WrittenNumber
from wengert.worksheets.explain import explain
from wengert.worksheets.number_choice import choose, evaluated
from wengert.worksheets.values import format_value, printable
from wengert.worksheets.worksheet import Worksheet

POINTS = 8
"""A formula is compared at the point and at so many random ones near it."""

NEAR = (0.01, 0.05)
"""How far the random points lie from the point, for its size."""

PRECISION = 1e-7
"""How far a formula in floats may be from the derivative, for its size."""

Rule = Callable[..., Any]


@dataclass(frozen=True)
class ClaimVerdict:
    """The verdict on one claimed derivative.

    ``status`` is ``"right"``, ``"wrong"``, or ``"right here only"`` for a formula that agrees at the point
    but not near it. ``claimed`` is the claim as it was given, ``value`` what it gives at the point, and
    ``right`` the derivative there.
    """

    name: str
    claimed: str
    value: Any
    right: Any
    status: str
    slip: Slip | None = None
    remark: str = ""
    of_formula: bool = False

    def __bool__(self) -> bool:
        return self.status == "right"

    def __str__(self) -> str:
        derivative, right = f"∂f/∂{self.name}", self._number(self.right)
        if self.status == "right":
            equation = f"{self.claimed} is {derivative}" if self.of_formula else f"{derivative} = {right}"
            text = f"Right: {equation}{self.remark}"
        elif self.status == "right here only":
            text = f"Wrong: {derivative} is not {self.claimed}, though both give {right} at this point"
        elif self.of_formula:
            text = f"Wrong: {derivative} is {right} here, but {self.claimed} gives {self._number(self.value)}"
        elif shape(self.right) or shape(self.value):
            text = f"Wrong: {derivative} is {right}\n  not {self._number(self.value)}"
        else:
            text = f"Wrong: {derivative} is {right} here, not {self.claimed}"
        return f"{text}\n  {self.slip}" if self.slip else text

    def _number(self, value: Any) -> str:
        return format_value(value, max(4, _decimals(self.claimed))).replace("\n", "\n    ")


@dataclass(frozen=True)
class Verdict:
    """The verdict on all claims: true where each of them is right."""

    function: str
    at: Mapping[str, Any]
    claims: Mapping[str, ClaimVerdict]

    def __bool__(self) -> bool:
        return all(self.claims.values())

    def __getitem__(self, name: str) -> ClaimVerdict:
        return self.claims[name]

    def __str__(self) -> str:
        numbers = (f"{name} = {_short(value)}" for name, value in self.at.items())
        text = "\n".join([f"f = {self.function} at {', '.join(numbers)}", *map(str, self.claims.values())])
        return "\n".join(map(printable, text.split("\n")))


def check(f: Callable[..., Any] | str, at: Any = (), claimed: Any = None) -> Verdict:
    """Is a claimed derivative of f right? If not: what is it, and which slip is behind the claim?

    f is a function of numbers and arrays, or an expression as text. ``at`` says where: a dict from input to
    value, a sequence of the values in order, or a single one. ``claimed`` maps inputs to claimed derivatives;
    of a function with a single input the claim alone is enough. A claim is

    - a number, as a float or as text. It is right where it agrees to the digits that it was given with.
    - an array in the shape of the input.
    - a formula as text in the names of the inputs, such as ``"cos(x)*y"``. It is parsed, never executed.
    - a Python function of the inputs.

    A formula and a function are compared at the point and at several random points near it, so that one which
    is right only at the point is told apart.

    Raises ValueError for a claim about a name that is no input, and `ExpressionError` for text that is no
    expression.

    >>> f = "(x1*x2*sin(x3) + exp(x1*x2))/x3"
    >>> verdict = check(f, at={"x1": 1, "x2": 1.5, "x3": 2}, claimed={"x2": 2.6955, "x3": 1.7735})
    >>> bool(verdict), bool(verdict["x2"]), verdict["x3"].slip.kind
    (False, True, 'sign')
    >>> print(check("sin(x^2)", at=0.6, claimed="cos(x^2)"))
    f = sin(x^2) at x = 0.6
    Wrong: ∂f/∂x is 1.1231 here, but cos(x^2) gives 0.9359
      likely slip, dropped factor: the factor 2·x is left out
    """
    names, values = point_of(f, at)
    sheet = explain(f, *values, names=names)
    claims = claims_of(claimed, names)
    at_point = {name: plain(sheet[name].value) for name in names}
    points = [at_point, *_near(at_point)] if any(map(_needs_points, claims.values())) else [at_point]
    sheets = [sheet, *(explain(f, *point.values(), names=names) for point in points[1:])]
    return Verdict(
        sheet.expression,
        at_point,
        {name: _judged(name, claim, sheets, points) for name, claim in claims.items()},
    )


# -- points near the point ----------------------------------------------------------------------------------


def _needs_points(claim: Any) -> bool:
    return not isinstance(claim, WrittenNumber)


def _near(point: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Random points near a point, the same ones in every run."""
    draw = random.Random(0)

    def moved(value: Any) -> Any:
        if isinstance(value, bool) or getattr(getattr(value, "dtype", None), "kind", "f") not in "fc":
            return value
        if shape(value):
            import numpy as np

            entries = [moved(float(entry)) for entry in np.ravel(value)]
            return np.array(entries, dtype=value.dtype).reshape(value.shape)
        step = draw.choice((-1, 1)) * draw.uniform(*NEAR)
        return float(value) + step * (abs(float(value)) or 1.0)

    return [{name: moved(value) for name, value in point.items()} for _ in range(POINTS)]


# -- judging -------------------------------------------------------------------------------------------------


def _judged(
    name: str, claim: Any, sheets: Sequence[Worksheet], points: Sequence[Mapping[str, Any]]
) -> ClaimVerdict:
    right = plain(sheets[0].gradient[name])
    if isinstance(claim, WrittenNumber):
        return _of_number(name, claim, right, sheets[0])
    rule = _rule(claim)
    shown = claim.text if isinstance(claim, Expression) else getattr(claim, "__name__", "").strip("<>")
    shown = "the function" if shown in ("", "lambda") else shown
    values = [_evaluated(rule, point) for point in points]
    truths = [plain(sheet.gradient[name]) for sheet in sheets]
    agree = [_close(value, truth) for value, truth in zip(values, truths, strict=True) if _is_finite(truth)]
    if not _is_finite(right):
        agree = [False, *agree]
    if all(agree):
        remark = f", here {format_value(right)}" if not shape(right) else ""
        return ClaimVerdict(name, shown, values[0], right, "right", None, remark, True)
    slip = _slip_of_formula(name, values, sheets)
    if agree[0] and slip.kind == "unknown":
        slip = Slip("unknown", f"they differ at {agree.count(False)} of {len(agree) - 1} points near it")
    status = "right here only" if agree[0] else "wrong"
    return ClaimVerdict(name, shown, values[0], right, status, slip, "", True)


def _of_number(name: str, claim: WrittenNumber, right: Any, sheet: Worksheet) -> ClaimVerdict:
    status, slip, remark = "right", None, ""
    if claim.agrees(right):
        decimals = _decimals(claim.text)
        remark = f", to the {decimals} decimals given" if decimals and not shape(right) else ""
    elif _is_rounded_to_whole(claim, right):
        remark = f", to the whole number {claim.text} that was given"
    else:
        status = "wrong"
        found = list(derivative_slips(sheet, name))
        slip, _ = likely(claim, right, [found])
    return ClaimVerdict(name, claim.text, claim.value, right, status, slip, remark)


def _is_rounded_to_whole(claim: WrittenNumber, right: Any) -> bool:
    """Whether a whole number has the leading digits of the derivative: 3 of 2.6955, but not 1 of 0.6433."""
    if not claim.whole or not claim.value or shape(right) or not math.isfinite(right):
        return False
    digits = len(str(abs(int(claim.value))))
    return bool(float(f"{float(right):.{digits - 1}e}") == claim.value)


def _rule(claim: Any) -> Rule:
    if not isinstance(claim, Expression):
        return lambda point: claim(*point.values())
    constant = choose("float").system.constant
    return lambda point: evaluated(claim, dict(point), constant)


def _evaluated(rule: Rule, point: Mapping[str, Any]) -> Any:
    """What a claimed formula gives; NaN where it has no value."""
    try:
        value = rule(point)
    except ArithmeticError:
        return math.nan
    return plain(value.detach().numpy() if hasattr(value, "detach") else value)


def _slip_of_formula(name: str, values: Sequence[Any], sheets: Sequence[Worksheet]) -> Slip:
    """The slip whose result agrees with the formula at every point."""
    found = [list(derivative_slips(sheet, name)) for sheet in sheets]
    for same in zip(*found, strict=False):
        pairs = zip(same, values, strict=True)
        if all(_close(value, candidate.value) or not _is_finite(value) for candidate, value in pairs):
            slip: Slip = same[0].slip
            return slip
    return Slip("unknown", "no usual slip gives this formula")


def _close(value: Any, truth: Any) -> bool:
    if shape(value) != shape(truth):
        return False
    import numpy as np

    size = float(np.max(np.abs(truth))) if np.size(truth) else 0.0
    return bool(np.all(np.abs(np.asarray(value) - truth) <= PRECISION * (size + 1e-12)))


def _is_finite(value: Any) -> bool:
    import numpy as np

    return bool(np.all(np.isfinite(value)))


def _decimals(text: str) -> int:
    found = re.fullmatch(r"[-+−]?[0-9]*[.,]([0-9]+)", text.strip())
    return len(found[1]) if found and len(found[1]) <= 12 else 0


def _short(value: Any) -> str:
    if shape(value):
        return f"an array of shape {shape(value)}"
    return f"{value:.10g}" if isinstance(value, float) else str(value)
