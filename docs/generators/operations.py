"""The reference of operations, read off the rule table: a page for each of its files."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect
import math
import pkgutil
import re
import warnings
from collections.abc import Callable, Iterator
from fractions import Fraction
from types import ModuleType
from typing import Any

import numpy as np

import wengert
import wengert.ops
from generators.operation_plots import has_plot
from generators.rules import rules_of
from generators.samples import call, is_scalar, of_arrays, signature
from wengert import linalg, nn
from wengert.ops.kinds import Composite, Discrete, Elementwise, Select
from wengert.ops.op import TABLE, Op, UnsupportedOperation, rows

TITLES = {
    "arithmetic": "Arithmetic and comparisons",
    "exponential": "Exponentials and logarithms",
    "trigonometric": "Circular and hyperbolic functions",
    "nn": "Activations",
    "reduce": "Reductions",
    "shape": "Shapes",
    "indexing": "Indexing",
    "products": "Products",
    "linalg": "Linear algebra",
    "losses": "Losses",
    "normalization": "Normalisation",
    "windows": "Convolution",
    "pooling": "Pooling",
}
"""The subjects in the order of the reference; a file of the table without a title has its own name."""

KINDS = {
    "Elementwise": "elementwise",
    "Select": "select",
    "Linear": "linear",
    "GetItem": "linear",
    "Joint": "joint linear",
    "Bilinear": "bilinear",
    "Einsum": "linear in each argument",
    "SumOfProducts": "bilinear",
    "Composite": "composite",
    "Factorisation": "factorisation",
    "Discrete": "discrete",
    "Question": "discrete",
    "Component": "component",
}
WIDEST = 100
BESIDE = 24
"""So many signs of a formula have room beside the curve."""


def subjects() -> dict[str, list[Op]]:
    """The rows by the file of the table that they stand in, in the order of the reference; those
    that nobody calls come last."""
    found: dict[str, list[Op]] = {name: [] for name in TITLES}
    homes = {name: subject for subject, module in _modules() for name in _snippets(module)}
    for op in rows():
        subject = homes.get(op.name)
        if subject is not None:
            found.setdefault(subject, []).append(op)
    return {subject: sorted(ops, key=lambda op: not home_of(op)) for subject, ops in found.items() if ops}


def home_of(op: Op) -> str:
    """Where users call the row: ``wengert.``, ``wengert.nn.functional.``, or nowhere."""
    if op.public:
        return "wengert."
    if hasattr(nn.functional, op.name):
        return "wengert.nn.functional."
    return "wengert.linalg." if hasattr(linalg, op.name) else ""


def is_public(op: Op) -> bool:
    """Whether the row itself is what users find under its name in `wengert`."""
    return op.public and getattr(wengert, op.name, None) is op


def title(subject: str) -> str:
    """The heading of a subject's page."""
    return TITLES.get(subject, subject.capitalize())


def pages() -> Iterator[tuple[str, str]]:
    """The addresses of the pages and their Markdown: the overview, then one for each subject."""
    grouped = subjects()
    yield "operations/index.md", _overview(grouped)
    for subject, ops in grouped.items():
        yield f"operations/{subject}.md", page(subject, ops)


def _overview(grouped: dict[str, list[Op]]) -> str:
    count = sum(len(ops) for ops in grouped.values())
    lines = [
        "# Operations",
        "",
        f"The rule table has {count} rows. Each states one fact about its derivative, and everything on "
        "these pages is read off it while they are built: the forward and the reverse rule are what the "
        "row's own rule writes when it runs over named values, the examples are run, and the curves are "
        "drawn from the same functions. [The rule table](../ideas/rule-table.md) explains the kinds of row.",
        "",
        "In the rules $\\dot x$ is the tangent of $x$ and $\\bar x$ its adjoint; $\\odot$ multiplies entry "
        "by entry, and $[x > 0]$ is 1 where the condition holds, else 0.",
        "",
    ]
    for subject, ops in grouped.items():
        lines += [
            f"## [{title(subject)}]({subject}.md)",
            "",
            "| operation | value | kind | adjoints |",
            "|---|---|---|---|",
        ]
        lines += [f"| [`{op.name}`]({subject}.md#{anchor(op)}) | {_in_brief(op)} |" for op in ops]
        lines.append("")
    return "\n".join(["---", "hide: [toc]", "---", "", *lines]) + "\n"


def _in_brief(op: Op) -> str:
    """The value, the kind and the adjoints of a row as cells, where they are short."""
    rules = rules_of(op)
    value = rules.call.partition(" = ")[2]
    adjoints = ", ".join(f"${formula}$" for formula in rules.reverse)
    cells = (f"${value}$" if _is_short(value) else "", kind_of(op), adjoints if _is_short(adjoints) else "")
    return " | ".join(cell.replace("|", r"\vert{}") for cell in cells)


def _is_short(formula: str) -> bool:
    return 0 < len(formula) <= WIDEST and "texttt" not in formula


def kind_of(op: Op) -> str:
    """The word for the kind of row."""
    return KINDS.get(type(op).__name__, type(op).__name__.lower())


def anchor(op: Op) -> str:
    """The place of a row on its page: its public name, so that other pages find it."""
    return f"{'wengert' if is_public(op) else 'row'}.{op.name}"


def page(subject: str, ops: list[Op]) -> str:
    """The page of a subject."""
    module = dict(_modules())[subject]
    about = inspect.getdoc(module) or ""
    first, _, rest = about.partition("\n\n")
    source = f"The rows of `{module.__name__.replace('.', '/')}.py`."
    parts = [f"# {title(subject)}", f"{first} {source}", rest]
    snippets = _snippets(module)
    parts += [entry(op, snippets[op.name]) for op in ops]
    return "\n\n".join(part for part in parts if part) + "\n"


def entry(op: Op, snippet: str) -> str:
    """All about a row; ``snippet`` is its source."""
    rules = rules_of(op)
    home = home_of(op)
    parts = [f"## {op.name} {{ #{anchor(op)} }}"]
    if is_public(op) or op.name == "getitem":
        parts.append(f"```python\n{signature(op, home)}\n```")
    elif home:
        parts.append(f"Called through `{home}{op.name}`.")
    else:
        parts.append("A row that serves the rules of others.")
    says = (op.__doc__ or "").partition("\n")[0]
    if says and not says.startswith("The ") and not says.startswith("Defined "):
        parts.append(says)
    facts = _facts(op, rules)
    if has_plot(op):
        place = ".curve .beside" if _width(facts) <= BESIDE else ".curve"
        parts.append(f"![{op.name} and its derivative](plots/{op.name}.svg){{ {place} }}")
    parts.append(facts)
    example = _example(op, home)
    if example:
        parts.append(f"```pycon\n{example}\n```")
    row = snippet.rstrip()
    parts.append(
        '??? note "The row"\n\n    ```python\n'
        + "\n".join(f"    {line}" for line in row.splitlines())
        + "\n    ```"
    )
    return "\n\n".join(parts)


def _width(facts: str) -> int:
    """About how many signs the longest formula has."""
    formulas = re.findall(r"\$(.*)\$", facts)
    return max(len(re.sub(r"\\(?:left|right|operatorname|[a-z]+)|[{}^_\\ ]", "", f)) for f in formulas)


def _facts(op: Op, rules: Any) -> str:
    """What is known of a row, as a list of terms."""
    facts: list[tuple[str, str]] = []
    if rules.call:
        facts.append(("value", f"${rules.call}$"))
    if rules.definition and rules.definition != rules.call:
        facts.append(("equals", f"${rules.definition}$"))
    facts.append(("kind", kind_of(op)))
    if rules.forward:
        facts.append(("forward", f"${rules.forward}$"))
    if rules.reverse:
        facts.append(("reverse", ",  ".join(f"${formula}$" for formula in rules.reverse)))
    elif isinstance(op, Discrete):
        facts.append(("derivative", "none: the row is locally constant"))
    elif isinstance(op, Composite) and op.vjp_rule is None:
        facts.append(("derivative", "through the rows that it is written in"))
    else:
        facts.append(("derivative", "stated in the row"))
    closed = _closed_form(op)
    if closed:
        facts.append(("formula", f"${closed}$"))
    if rules.shapes:
        shapes = ", ".join(f"${name}$ {_extents(extents)}" for name, extents in rules.shapes)
        facts.append(("here", shapes))
    if op.domain:
        facts.append(("defined", f"where {_in_names(op, rules.shapes)}"))
    if op.kink:
        facts.append(("kink", op.kink))
    if op.aliases:
        facts.append(("alias", ", ".join(f"`{name}`" for name in op.aliases)))
    numbers = _number_systems(op)
    if numbers:
        facts.append(("numbers", numbers))
    return "\n".join(f"{word}\n:   {fact}\n" for word, fact in facts)


def _in_names(op: Op, shapes: tuple[tuple[str, tuple[int, ...]], ...]) -> str:
    """Where the row is defined, in the names that its rules are written in."""
    names = {name.lower(): name for name, _ in shapes}
    if len(shapes) == 1:
        names["a"] = shapes[0][0]
    domain = op.domain or ""
    return re.sub(
        r"\b[a-x]\b", lambda found: f"${names[found[0]]}$" if found[0] in names else found[0], domain
    )


def _extents(extents: tuple[int, ...]) -> str:
    return "×".join(map(str, extents)) if len(extents) > 1 else f"of {extents[0]} entries"


@functools.cache
def _closed_form(op: Op) -> str:
    """The derivative as sympy writes it, for smooth functions of one number."""
    if not (isinstance(op, Elementwise) and op.arity == 1 and not op.parameters and is_scalar(op.sample[0])):
        return ""
    formula = wengert.derive(f"{op.name}(x)")["x"]
    return f"f'(x) = {formula.latex}" if len(formula.text) <= 90 and "Piecewise" not in formula.text else ""


def _number_systems(op: Op) -> str:
    """The number systems that can do the row, by trying."""
    if not op.sample or not is_scalar(op.sample[0]) or isinstance(op, Discrete):
        return ""
    import mpmath
    import sympy

    systems: dict[str, Callable[[Any], Any]] = {
        "floats": float,
        "fractions": lambda a: Fraction(str(a)),
        "symbols": lambda a: sympy.Symbol("x", real=True),
        "intervals": lambda a: mpmath.iv.mpf(str(a)),
        "any number of digits": lambda a: mpmath.mpf(str(a)),
        "arrays": lambda a: np.array([float(a)]),
    }
    able = []
    for name, convert in systems.items():
        args = [a if isinstance(a, bool) else convert(a) for a in op.sample[0].args]
        try:
            op(*args)
        except (UnsupportedOperation, TypeError, NotImplementedError):
            continue
        able.append(name)
    return ", ".join(able)


def _example(op: Op, home: str) -> str:
    """A call on the sample with its result, run now, and the derivative where the row is of one number."""
    case = of_arrays(op)
    if case is None or not (home or op.name == "getitem"):
        return ""
    lines = _run(call(op, case, home))
    if has_plot(op) and isinstance(op, (Elementwise, Select)):
        lines += _run(f"wengert.grad({home}{op.name})({op.sample[0].args[0]!r})")
    return "\n".join([">>> import wengert", *lines]) if lines else ""


def _run(code: str) -> list[str]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            result = eval(code, {"wengert": wengert})  # written above, from the table
        except TypeError:
            return []  # the function of that name takes other arguments than the row
    if isinstance(result, float) and math.isfinite(result):
        code, result = f"round({code}, 6)", round(result, 6)
    return [f">>> {code}", *repr(result).splitlines()]


@functools.cache
def _modules() -> tuple[tuple[str, ModuleType], ...]:
    """The files of the rule table."""
    names = [found.name for found in pkgutil.iter_modules(wengert.ops.__path__) if found.name != "kinds"]
    return tuple((name, importlib.import_module(f"wengert.ops.{name}")) for name in names)


@functools.cache
def _snippets(module: ModuleType) -> dict[str, str]:
    """The source of every row that a file of the table states, by the row's name."""
    source = inspect.getsource(module)
    found: dict[str, str] = {}
    for statement in ast.parse(source).body:
        made = getattr(statement, "value", None)
        if not isinstance(statement, (ast.Assign, ast.AnnAssign)) or not isinstance(made, ast.Call):
            continue
        first = made.args[0] if made.args else None
        if isinstance(first, ast.Constant) and first.value in TABLE:
            found[str(first.value)] = ast.get_source_segment(source, statement) or ""
    return found
