"""Hand-made tables with a planted slip, for the tests of verdicts.

Everything here is worked out apart from the library: random programs as lists of lines, their values and
derivatives by rules written out below, and tables in which one line is wrong in one of the usual ways. Later
lines follow from the wrong one, as they would on paper. Only the worksheet itself comes from the library.
"""

from __future__ import annotations

import math
import random
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

import wengert
from wengert.worksheets.worksheet import Worksheet

Array = np.ndarray[Any, Any]


@dataclass(frozen=True)
class Rule:
    """An operation: its value, its local derivatives, and the library's operation."""

    value: Callable[..., Any]
    partials: tuple[Callable[..., Any], ...]
    call: Callable[..., Any]


NUMBERS = {
    "add": Rule(lambda a, b: a + b, (lambda a, b: 1, lambda a, b: 1), lambda a, b: a + b),
    "subtract": Rule(lambda a, b: a - b, (lambda a, b: 1, lambda a, b: -1), lambda a, b: a - b),
    "multiply": Rule(lambda a, b: a * b, (lambda a, b: b, lambda a, b: a), lambda a, b: a * b),
    "divide": Rule(lambda a, b: a / b, (lambda a, b: 1 / b, lambda a, b: -a / b**2), lambda a, b: a / b),
    "sin": Rule(math.sin, (math.cos,), wengert.sin),
    "cos": Rule(math.cos, (lambda a: -math.sin(a),), wengert.cos),
    "exp": Rule(math.exp, (math.exp,), wengert.exp),
    "log": Rule(math.log, (lambda a: 1 / a,), wengert.log),
    "sqrt": Rule(math.sqrt, (lambda a: 0.5 / math.sqrt(a),), wengert.sqrt),
    "tanh": Rule(math.tanh, (lambda a: 1 - math.tanh(a) ** 2,), wengert.tanh),
    "square": Rule(lambda a: a * a, (lambda a: 2 * a,), wengert.square),
}
WEIGHTS = {"multiply": 5, "add": 3, "subtract": 3, "divide": 3, "sin": 2, "exp": 2, "square": 2}


@dataclass
class Program:
    """Lines: an operation and the numbers of the lines that it reads; inputs come first, as ``None``."""

    names: list[str]
    inputs: list[Any]
    lines: list[tuple[str, tuple[int, ...]]] = field(default_factory=list)

    def function(self) -> Callable[..., Any]:
        """The program as a function of the library's values."""

        def f(*inputs: Any) -> Any:
            values = list(inputs)
            for name, args in self.lines:
                values.append(CALLS[name](*(values[k] for k in args)))
            return values[-1]

        return f

    @property
    def size(self) -> int:
        return len(self.inputs) + len(self.lines)


# -- programs of numbers -------------------------------------------------------------------------------------


def program_of_numbers(rng: random.Random) -> Program:
    """A random function of two to four numbers, of which every line is used and no value is extreme."""
    while True:
        count = rng.randint(2, 4)
        names = rng.choice((["x1", "x2", "x3", "x4"], ["a", "b", "c", "d"], ["x", "y", "z", "w"]))[:count]
        program = Program(names, [round(rng.uniform(0.3, 2.5), rng.randint(1, 2)) for _ in range(count)])
        values = list(program.inputs)
        for _ in range(rng.randint(3, 8)):
            _append_line(rng, program, values)
        while (unused := _unused(program)) and len(unused) > 1:
            a, b = unused[:2]
            if not _try_line(program, values, rng.choice(("add", "multiply")), (a, b)):
                break
        if len(_unused(program)) == 1 and len(program.lines) >= 3 and len(program.lines) <= 14:
            return program


def _append_line(rng: random.Random, program: Program, values: list[Any]) -> None:
    for _ in range(20):
        name = rng.choices(list(NUMBERS), [WEIGHTS.get(n, 1) for n in NUMBERS])[0]
        arity = len(NUMBERS[name].partials)
        if arity > len(values):
            continue
        if _try_line(program, values, name, tuple(rng.sample(range(len(values)), arity))):
            return


def _try_line(program: Program, values: list[Any], name: str, args: tuple[int, ...]) -> bool:
    if (name, args) in program.lines or (name, args[::-1]) in program.lines:
        return False
    try:
        value = NUMBERS[name].value(*(values[k] for k in args))
    except (ValueError, ZeroDivisionError, OverflowError):
        return False
    if not 0.05 < abs(value) < 40:
        return False
    program.lines.append((name, args))
    values.append(value)
    return True


def _unused(program: Program) -> list[int]:
    used = {k for _, args in program.lines for k in args}
    return [k for k in range(program.size) if k not in used]


# -- programs of matrices ------------------------------------------------------------------------------------


def program_of_matrices(rng: random.Random) -> Program:
    """A network of two or three layers with half the sum of squares as its loss; some matrices are square."""
    depth = rng.randint(2, 3)
    sizes = (
        [rng.randint(2, 3)] * (depth + 1)
        if rng.random() < 0.6
        else [rng.randint(1, 3) for _ in range(depth + 1)]
    )
    columns = rng.choice((1, 2, sizes[0]))

    def matrix(rows: int, cols: int) -> Array:
        return np.array([[round(rng.uniform(-1.5, 1.5), 1) or 0.4 for _ in range(cols)] for _ in range(rows)])

    weights = [matrix(sizes[k + 1], sizes[k]) for k in range(depth)]
    inputs = [*weights, matrix(sizes[0], columns), matrix(sizes[-1], columns)]
    names = [*(f"W{k + 1}" for k in range(depth)), "X", "Y"]
    program = Program(names, inputs)
    at = depth
    for k in range(depth):
        program.lines.append(("matmul", (k, at)))
        at = program.size - 1
        if k < depth - 1:
            program.lines.append((rng.choice(("tanh", "sigmoid")), (at,)))
            at = program.size - 1
    program.lines.append(("subtract", (at, depth + 1)))
    program.lines.append(("square", (program.size - 1,)))
    program.lines.append(("sum", (program.size - 1,)))
    return program


def _sigmoid(a: Any) -> Any:
    return 1 / (1 + np.exp(-a))


ENTRYWISE = {
    "subtract": (lambda a, b: a - b, (lambda a, b: 1 + 0 * a, lambda a, b: -1 + 0 * a)),
    "square": (lambda a: a * a, (lambda a: 2 * a,)),
    "tanh": (np.tanh, (lambda a: 1 - np.tanh(a) ** 2,)),
    "sigmoid": (_sigmoid, (lambda a: _sigmoid(a) * (1 - _sigmoid(a)),)),
}
CALLS: dict[str, Callable[..., Any]] = {name: rule.call for name, rule in NUMBERS.items()}
CALLS |= {"matmul": lambda a, b: a @ b, "sigmoid": wengert.sigmoid, "sum": wengert.sum}


# -- a person who works it out -------------------------------------------------------------------------------


@dataclass(frozen=True)
class Planted:
    """The slip: its kind, its line and part (``primal`` or ``derivative``), and the details."""

    kind: str
    line: int
    part: str
    detail: Any = None


class Student:
    """Works out a table line by line, with one slip.

    ``digits`` are written; ``rounds`` says whether the next line is worked out from what is written, and
    ``carries`` whether it is worked out from the wrong number at all.
    """

    def __init__(
        self,
        program: Program,
        mode: str,
        digits: int,
        rounds: bool,
        carries: bool,
        slip: Planted | None,
        wrt: int = 0,
    ) -> None:
        self.program, self.mode, self.digits, self.wrt = program, mode, digits, wrt
        self.rounds, self.carries, self.slip = rounds, carries, slip
        self.first = len(program.inputs)
        self.values: list[Any] = list(program.inputs)
        self.derivatives: dict[int, Any] = {}
        self.written: dict[tuple[int, str], Any] = {}
        self.right_at_slip: Any = None

    def work(self) -> dict[tuple[int, str], Any]:
        """All numbers as they are written: by line and part."""
        for k, (name, args) in enumerate(self.program.lines, start=self.first):
            self.values.append(self._set(k, "primal", self._value(k, name, args)))
            if self.mode == "forward":
                if k == self.first:
                    self.derivatives = {j: float(j == self.wrt) for j in range(self.first)}
                self.derivatives[k] = self._set(k, "derivative", self._tangent(k, name, args))
        if self.mode == "reverse":
            last = self.program.size - 1
            self.derivatives[last] = 1.0
            self.written[last, "derivative"] = 1.0
            for k in reversed(range(last)):
                self.derivatives[k] = self._set(k, "derivative", self._adjoint(k))
        return self.written

    def _set(self, k: int, part: str, numbers: tuple[Any, Any]) -> Any:
        right, found = numbers
        wrong = self.slip is not None and (k, part) == (self.slip.line, self.slip.part)
        if wrong and self.slip is not None and self.slip.kind == "rounding":
            shown = _badly_rounded(right, self.digits, self.slip.detail)
        else:
            shown = _rounded(found, self.digits)
        if wrong:
            self.right_at_slip = right
        self.written[k, part] = shown
        if wrong and not self.carries:
            return right
        return (
            shown
            if self.rounds or (wrong and self.slip is not None and self.slip.kind == "rounding")
            else found
        )

    def _value(self, k: int, name: str, args: tuple[int, ...]) -> tuple[Any, Any]:
        given = [self.values[j] for j in args]
        right = _evaluate(name, given)
        slip = self.slip
        if slip is None or (slip.line, slip.part) != (k, "primal"):
            return right, right
        if slip.kind == "sign":
            return right, -right
        if slip.kind == "operation" and name in ("sin", "cos"):
            return right, NUMBERS[name].value(math.radians(given[0]))
        if slip.kind == "operation":
            return right, _evaluate(slip.detail, given)
        return right, right

    def _tangent(self, k: int, name: str, args: tuple[int, ...]) -> tuple[Any, Any]:
        given = [self.values[j] for j in args]
        terms = [
            (_partial(name, given, place), self.derivatives[j])
            for place, j in enumerate(args)
            if self._moves(j)
        ]
        return self._combined(k, terms, 0.0)

    def _moves(self, j: int) -> bool:
        if j < self.first:
            return j == self.wrt
        return any(self._moves(i) for i in self.program.lines[j - self.first][1])

    def _adjoint(self, k: int) -> tuple[Any, Any]:
        terms = []
        for n, (name, args) in enumerate(self.program.lines, start=self.first):
            for place, j in enumerate(args):
                if j == k:
                    given = [self.values[i] for i in args]
                    terms.append(self._term(k, n, name, given, place))
        return self._combined(k, terms, 0 * self.values[k])

    def _term(self, k: int, n: int, name: str, given: list[Any], place: int) -> tuple[Any, Any]:
        """A local derivative and an adjoint; of a product or a sum the whole term and 1."""
        adjoint = self.derivatives[n]
        if name == "matmul":
            a, b = given
            return (adjoint @ b.T if place == 0 else a.T @ adjoint), 1
        if name == "sum":
            return adjoint + 0 * given[0], 1
        return _partial(name, given, place), adjoint

    def _combined(self, k: int, terms: list[tuple[Any, Any]], zero: Any) -> tuple[Any, Any]:
        products = [p * a for p, a in terms]
        right = sum(products[1:], products[0]) if products else zero
        slip = self.slip
        if slip is None or (slip.line, slip.part) != (k, "derivative") or not products:
            return right, right
        needed = {"missing term": 2, "sign": 1 if slip.detail is None else 2}.get(slip.kind, 1)
        named = slip.detail[0] if slip.kind == "dropped factor" else slip.detail
        if len(products) < needed or (
            slip.kind in ("sign", "missing term", "dropped factor") and (named or 0) >= len(products)
        ):
            raise ValueError("this line has fewer terms")
        if slip.kind == "sign":
            return right, right - 2 * (right if slip.detail is None else products[slip.detail])
        if slip.kind == "missing term":
            return right, right - products[slip.detail]
        if slip.kind == "factor":
            return right, right * slip.detail
        if slip.kind == "dropped factor":
            which, keep = slip.detail
            if isinstance(terms[which][1], int):
                raise ValueError("a product of matrices or a sum is no product of two numbers")
            return right, right - products[which] + terms[which][keep] * (1 + 0 * products[which])
        if slip.kind == "transpose":
            return right, self._untransposed(k, right)
        return right, right

    def _untransposed(self, k: int, right: Any) -> Any:
        """The adjoint with the transpose forgotten where the shapes let it pass, else transposed itself."""
        for n, (name, args) in enumerate(self.program.lines, start=self.first):
            if name == "matmul" and k in args:
                a, b = (self.values[i] for i in args)
                found = self.derivatives[n]
                wrong = (found, b) if args[0] == k else (a, found)
                if wrong[0].shape[1] == wrong[1].shape[0] and (wrong[0] @ wrong[1]).shape == right.shape:
                    return wrong[0] @ wrong[1]
        if k >= self.first and right.T.shape != right.shape:
            raise ValueError("nobody could go on from an array of this shape")
        return right.T


def _evaluate(name: str, given: list[Any]) -> Any:
    if name == "matmul":
        return given[0] @ given[1]
    if name == "sum":
        return float(given[0].sum())
    if any(isinstance(x, np.ndarray) for x in given):
        return ENTRYWISE[name][0](*given)
    return NUMBERS[name].value(*given)


def _partial(name: str, given: list[Any], place: int) -> Any:
    if any(isinstance(x, np.ndarray) for x in given):
        return ENTRYWISE[name][1][place](*given)
    return NUMBERS[name].partials[place](*given)


def _rounded(value: Any, digits: int) -> Any:
    return (
        np.round(value, digits) + 0.0 if isinstance(value, np.ndarray) else round(float(value), digits) + 0.0
    )


def _badly_rounded(value: Any, digits: int, how: str) -> Any:
    unit = 10.0**-digits
    if how == "cut":
        return (
            _rounded(np.trunc(np.asarray(value) / unit) * unit, digits)
            if isinstance(value, np.ndarray)
            else (round(math.trunc(value / unit) * unit, digits))
        )
    if how == "early":
        return _rounded(_rounded(value, digits - 2), digits)
    return _rounded(value + unit * (1.2 if how == "up" else -1.2), digits)


# -- tables --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class WrongTable:
    """A worksheet, a table for it as a person hands it in, and the slip in it."""

    sheet: Worksheet
    table: Any
    slip: Planted | None
    row: int
    program: Program


def planted(rng: random.Random, with_slip: bool = True) -> WrongTable:
    """A random table. Without a slip, all its numbers are right, or rounded on the way."""
    while True:
        found = _attempt(rng, with_slip)
        if found is not None:
            return found


def _attempt(rng: random.Random, with_slip: bool) -> WrongTable | None:
    matrices = rng.random() < 0.25
    program = program_of_matrices(rng) if matrices else program_of_numbers(rng)
    mode = "reverse" if matrices or rng.random() < 0.6 else "forward"
    wrt = rng.randrange(len(program.inputs))
    digits = rng.choice((3, 4, 4, 4, 5))
    slip = _chosen(rng, program, mode, matrices) if with_slip else None
    style = {"digits": digits, "rounds": rng.random() < 0.6, "carries": rng.random() < 0.85}
    student = Student(program, mode, slip=slip, wrt=wrt, **style)  # type: ignore[arg-type]
    try:
        numbers = student.work()
    except (ValueError, ZeroDivisionError, OverflowError):
        return None
    if not all(np.all(np.abs(v) < 1e4) for v in numbers.values()):
        return None
    if slip is not None:
        exact = Student(program, mode, 15, rounds=False, carries=False, slip=None, wrt=wrt).work()
        if not _visible(student, slip, digits, exact[slip.line, slip.part]):
            return None
    sheet = wengert.explain(
        program.function(),
        *program.inputs,
        names=program.names,
        mode=mode,
        wrt=program.names[wrt] if mode == "forward" else None,
    )
    if len(sheet.rows) != program.size:
        return None
    first = len(program.inputs)
    for k, row in enumerate(sheet.rows):
        assert row.id == k - first + 1
    as_text = slip is not None and slip.kind == "rounding"  # a float does not keep the zeros at its end
    table = _handed_in(rng, program, numbers, mode, digits, as_text)
    return WrongTable(sheet, table, slip, 0 if slip is None else slip.line - first + 1, program)


def _visible(student: Student, slip: Planted, digits: int, truth: Any) -> bool:
    """Whether the slip changes what is written by more than rounding, and away from the truth."""
    found = student.written[slip.line, slip.part]
    unit = 10.0**-digits
    for right in (student.right_at_slip, truth):
        if np.shape(right) == np.shape(found):
            apart = float(np.max(np.abs(np.asarray(found) - np.asarray(right))))
            if apart <= (0.6 if slip.kind == "rounding" else 5) * unit:
                return False
    return student.right_at_slip is not None


def _chosen(rng: random.Random, program: Program, mode: str, matrices: bool) -> Planted:
    first = len(program.inputs)
    if matrices and rng.random() < 0.6:
        factors = [
            k for k in range(program.size) if any(n == "matmul" and k in args for n, args in program.lines)
        ]
        return Planted("transpose", rng.choice(factors), "derivative")
    if rng.random() < 0.2:
        line = rng.randrange(first, program.size)
        name, args = program.lines[line - first]
        kind = rng.choice(("sign", "operation", "rounding"))
        if kind == "operation" and (matrices or (len(args) == 1 and name not in ("sin", "cos"))):
            kind = "sign"
        other = rng.choice([n for n in ("add", "subtract", "multiply", "divide") if n != name])
        detail = {"operation": other, "rounding": rng.choice(("cut", "up", "down", "early"))}.get(kind)
        return Planted(kind, line, "primal", detail)
    lines = range(program.size - 1) if mode == "reverse" else range(first, program.size)
    line = rng.choice(lines)
    uses = _uses(program, mode, line)
    kind = rng.choice(("sign", "missing term", "missing term", "factor", "dropped factor", "rounding"))
    if kind == "missing term" and uses < 2:
        several = [k for k in lines if _uses(program, mode, k) > 1]
        line = rng.choice(several) if several else line
        uses = _uses(program, mode, line)
        kind = "missing term" if several else "dropped factor"
    detail: Any = None
    if kind == "missing term" or (kind == "sign" and uses > 1 and rng.random() < 0.3):
        detail = rng.randrange(uses)
    elif kind == "factor":
        detail = rng.choice((2, 0.5))
    elif kind == "dropped factor":
        detail = (rng.randrange(max(uses, 1)), rng.randrange(2))
    elif kind == "rounding":
        detail = rng.choice(("cut", "up", "down", "early"))
    return Planted(kind, line, "derivative", detail)


def _uses(program: Program, mode: str, line: int) -> int:
    """How many terms a line's derivative has at most."""
    if mode == "forward":
        return len(program.lines[line - len(program.inputs)][1])
    return sum(args.count(line) for _, args in program.lines)


SUBSCRIPTS = str.maketrans("-0123456789", "₋₀₁₂₃₄₅₆₇₈₉")
LABELS: tuple[Callable[[int], str], ...] = (
    lambda n: f"v{n}",
    lambda n: f"v_{n}",
    lambda n: "v" + str(n).translate(SUBSCRIPTS),
    lambda n: f"$v_{{{n}}}$",
)


def _itself(value: Any) -> Any:
    return value


def _handed_in(
    rng: random.Random,
    program: Program,
    numbers: dict[tuple[int, str], Any],
    mode: str,
    digits: int,
    as_text: bool,
) -> Any:
    """The table in one of the forms that people use."""
    first = len(program.inputs)
    label = rng.choice(LABELS)
    comma = rng.random() < 0.2

    def name(k: int) -> str:
        return program.names[k] if k < first and rng.random() < 0.5 else label(k - first + 1)

    def text(value: Any) -> str:
        if isinstance(value, np.ndarray):
            return (
                "[" + ", ".join("[" + ", ".join(f"{x:.{digits}f}" for x in row) + "]" for row in value) + "]"
            )
        shown = f"{value:.{digits}f}"
        return shown.replace(".", ",") if comma else shown

    keys = list(range(first, program.size)) if mode == "forward" else list(range(program.size))
    rows = [(name(k), numbers.get((k, "primal")), numbers.get((k, "derivative"))) for k in keys]
    cells = [[n, *("" if v is None else text(v) for v in values)] for n, *values in rows]
    heads = ["line", "value", "adjoint" if mode == "reverse" else "tangent"]
    form = rng.choice(("markdown", "csv", "dict", "lines"))
    if form == "markdown":
        body = [heads, ["---"] * 3, *cells]
        return "\n".join(f"| {' | '.join(row)} |" for row in body)
    if form == "csv":
        return "\n".join(";".join(row) for row in [heads, *cells])
    if form == "dict":
        part = "adjoint" if mode == "reverse" else "tangent"
        found = {n: {"value": v, part: d} for n, v, d in rows}
        shown = text if as_text else _itself
        return {n: {p: shown(v) for p, v in entry.items() if v is not None} for n, entry in found.items()}
    accent = "_bar" if mode == "reverse" else "_dot"
    plain = [(n.strip("$").replace("{", "").replace("}", ""), v, d) for n, v, d in cells]
    lines = [f"{n} = {v}" for n, v, _ in plain if v] + [f"{n}{accent} = {d}" for n, _, d in plain if d]
    return "\n".join(lines)
