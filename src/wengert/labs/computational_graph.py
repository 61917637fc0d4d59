"""Rows M5, M6 and M7: a function of three variables as a graph, in forward and in reverse mode."""

from __future__ import annotations

import math
from collections.abc import Iterator

import wengert
from wengert.labs.claims import at_most, equals
from wengert.labs.lab import Context, Formula, Item, Lab, Listing, Table
from wengert.labs.worksheet_items import full_listing, graph_picture, step_table
from wengert.worksheets.worksheet import Worksheet

FUNCTION = "(x1*x2*sin(x3) + exp(x1*x2))/x3"
OTHER_PARSE = "1/x3 * (x1*(x2*sin(x3)) + exp(x1*x2))"
NAMES = ("x1", "x2", "x3")
AT = (1.0, 1.5, 2.0)


def closed_form(x1: float, x2: float, x3: float) -> float:
    """∂f/∂x₂, differentiated with pencil and paper."""
    return (x1 * math.sin(x3) + x1 * math.exp(x1 * x2)) / x3


def edges(sheet: Worksheet) -> int:
    """How many arrows the graph has."""
    return sum(len(row.args) for row in sheet.rows)


def run(context: Context) -> Iterator[Item]:
    forward = wengert.explain(FUNCTION, *AT, mode="forward", wrt="x2")
    reverse = wengert.explain(FUNCTION, *AT)
    other = wengert.explain(OTHER_PARSE, *AT, names=NAMES)

    yield "The function, and the point at which it is differentiated:"
    yield Formula("f(x₁, x₂, x₃) = (x₁x₂ sin x₃ + exp(x₁x₂)) / x₃, at (1, 1.5, 2)")
    yield (
        "Each elementary operation becomes a numbered line. The inputs are v₋₂ = x₁, v₋₁ = x₂ and v₀ = x₃; "
        "the product x₁x₂ occurs twice in the formula, and is computed once."
    )
    yield graph_picture("graph", "The computational graph", reverse)
    yield Listing("The graph for Graphviz (DOT)", reverse.to_dot().rstrip())
    yield Listing("The graph for a Markdown page (Mermaid)", reverse.to_mermaid().rstrip())
    dot, mermaid = reverse.to_dot().count(" -> "), reverse.to_mermaid().count(" --> ")
    svg = reverse.to_svg().count('class="edge"')
    yield equals(
        "arrows in the SVG, the DOT and the Mermaid drawing", (svg, dot, mermaid), (edges(reverse),) * 3
    )

    yield (
        "Forward mode follows the derivative with respect to x₂ through the lines: v̇₋₁ = 1, the other two "
        "inputs have v̇ = 0, and each line takes the tangents of its arguments."
    )
    yield step_table("Forward mode: vᵢ and v̇ᵢ = ∂vᵢ/∂x₂", forward)
    value, by_tangents = forward.value, forward.gradient["x2"]
    yield equals("forward mode: f to four decimals", f"{value:.4f}", "2.9228")
    yield equals("forward mode: ∂f/∂x₂ to four decimals", f"{by_tangents:.4f}", "2.6955")

    yield (
        "Reverse mode computes the values first, and then walks back from v̄₆ = 1: each line hands its "
        "adjoint to its arguments, and a value that is read twice adds up what it gets. One walk gives all "
        "three partial derivatives."
    )
    yield step_table("Reverse mode: vᵢ and v̄ᵢ = ∂f/∂vᵢ", reverse)
    by_adjoints = reverse.gradient["x2"]
    yield equals("reverse mode: ∂f/∂x₂ to four decimals", f"{by_adjoints:.4f}", "2.6955")
    yield at_most("∂f/∂x₂: the two modes are apart by", abs(by_tangents - by_adjoints), 1e-14)

    formula = wengert.derive(FUNCTION, wrt="x2")["x2"].text
    yield "The same rules, applied to symbols in place of numbers, give the derivative as a formula:"
    yield Formula(f"∂f/∂x₂ = {formula}")
    yield at_most(
        "∂f/∂x₂: reverse mode and the derivative by pencil are apart by",
        abs(by_adjoints - closed_form(*AT)),
        1e-14,
    )

    yield (
        "A graph is not unique. Dividing first, and multiplying x₂ with sin x₃ before x₁, gives another list "
        f"of {sum(bool(row.args) for row in other.rows)} lines; the derivatives stay."
    )
    yield graph_picture("other-graph", f"The graph of the same function, parsed as {OTHER_PARSE}", other)
    pairs = {name: (reverse.gradient[name], other.gradient[name]) for name in NAMES}
    rows = [(f"∂f/∂{name}", *(f"{number:.4f}" for number in pair)) for name, pair in pairs.items()]
    yield Table("The gradient from both graphs", ("", "first graph", "other graph"), rows)
    apart = max(abs(first - second) for first, second in pairs.values())
    yield at_most("all three derivatives: the two graphs are apart by", apart, 1e-14)
    yield full_listing("The other graph's worksheet", other)

    yield (
        f"So f = {value:.4f} and ∂f/∂x₂ = {by_adjoints:.4f} at (1, 1.5, 2). Forward mode needed one walk for "
        f"this one derivative; reverse mode found ∂f/∂x₁ = {reverse.gradient['x1']:.4f} and "
        f"∂f/∂x₃ = {reverse.gradient['x3']:.4f} in the same walk, which is why networks with many parameters "
        f"and one loss are differentiated backwards. The two modes are {abs(by_tangents - by_adjoints):.1g} "
        "apart, and the way the formula is parsed makes no difference beyond rounding."
    )


LAB = Lab(
    name="computational-graph",
    rows=("M5", "M6", "M7"),
    title="A computational graph, forwards and backwards",
    question=(
        "What is the graph of (x₁x₂ sin x₃ + exp(x₁x₂))/x₃, and what are the values, tangents and adjoints "
        "of all its nodes at (1, 1.5, 2)?"
    ),
    quick="nothing is left out, since the whole run takes a moment",
    run=run,
)
