"""The transposes of a convolution term by term, for arrays with NaN or infinite entries.

The products of matrices in `wengert.compiler.llvm.convolutions` also multiply by zeros where there is no
window, which changes no sum unless the other factor is no finite number.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from wengert.compiler.llvm.convolutions import Convolution
from wengert.compiler.llvm.text import Code
from wengert.compiler.llvm.values import Index, Register, spelled
from wengert.compiler.llvm.windows import fill, vectors


@contextmanager
def where_finite(code: Code, array: Register, entries: int, element: str) -> Iterator[Register]:
    """The block is carried out where all entries are finite; it is given the opposite truth value."""
    total = code.alloca(code.vector(element))
    code.do(f"store {code.constant(0, element)}, {total}, align 64")
    zero = code.constant(0, element)
    for start, width in vectors(code, entries):
        found = code.load(code.at(array, start, element), element, width)
        before = code.emit(f"load {zero.type}, {total}, align 64", zero.type)
        code.do(f"store {code.multiply_add(found, zero, before)}, {total}, align 64")
    sums = code.emit(f"load {zero.type}, {total}, align 64", zero.type)
    strange = code.compare("uno", sums, sums)
    some = code.call(f"llvm.vector.reduce.or.v{code.lanes}i1", "i1", strange)
    with code.when(code.emit(f"xor {some}, true", "i1")):
        yield some


@dataclass
class _Term:
    """A window's entry while it is looped over: the places of its factors, and whether it is of the image."""

    kernel: Index
    result: Index
    image: Register
    inside: Register


def emit_exact_conv_transpose2d(
    code: Code, c: Convolution, a: Register, weight: Register, image: Register, element: str,
    first_unit: Index, last_unit: Index,
) -> None:  # fmt: skip
    """Every result times every kernel, added where its window lies inside the image."""
    with code.loop(first_unit, last_unit) as unit:
        group = code.remainder(unit, c.groups)
        target = code.at(image, code.multiply(unit, c.inner * c.image), element)
        results = code.at(a, code.multiply(unit, c.outer * c.result), element)
        kernels = code.at(weight, code.multiply(group, c.outer * c.inner * c.area), element)
        fill(code, target, c.inner * c.image, 0, element)
        with _terms(code, c) as term, code.when(term.inside):
            result = code.load_scalar(code.at(results, term.result, element), element)
            kernel = code.load_scalar(code.at(kernels, term.kernel, element), element)
            _add_product(code, code.at(target, term.image, element), result, kernel, element)


def emit_exact_conv2d_weight(
    code: Code, c: Convolution, x: Register, a: Register, weight: Register, element: str,
    first_unit: Register, last_unit: Index,
) -> None:  # fmt: skip
    """Every window times every result, the padding's entries being 0. Whoever has the first piece of an only
    group does it all."""
    if c.groups > 1:
        with code.loop(first_unit, last_unit) as group:
            _group_weight(code, c, x, a, weight, element, group)
        return
    with code.when(code.emit(f"icmp eq {first_unit}, 0", "i1")):
        _group_weight(code, c, x, a, weight, element, 0)


def _group_weight(
    code: Code, c: Convolution, x: Register, a: Register, weight: Register, element: str, group: Index
) -> None:
    kernels = code.at(weight, code.multiply(group, c.outer * c.inner * c.area), element)
    fill(code, kernels, c.outer * c.inner * c.area, 0, element)
    zero = Register("0.0", element)
    with code.loop(0, c.images) as n:
        number = code.add(code.multiply(n, c.groups), group)
        images = code.at(x, code.multiply(number, c.inner * c.image), element)
        results = code.at(a, code.multiply(number, c.outer * c.result), element)
        with _terms(code, c) as term:
            place = code.emit(f"select {term.inside}, {term.image}, i64 0", "i64")
            found = code.load_scalar(code.at(images, place, element), element)
            entry = code.emit(f"select {term.inside}, {found}, {zero}", element)
            result = code.load_scalar(code.at(results, term.result, element), element)
            _add_product(code, code.at(kernels, term.kernel, element), entry, result, element)


@contextmanager
def _terms(code: Code, c: Convolution) -> Iterator[_Term]:
    """Loops over all results of a group, and all entries of their windows."""
    p = c.placement
    (rows, columns), (height, width) = p.counts, p.kernel
    with (
        code.loop(0, c.outer) as o,
        code.loop(0, c.inner) as i,
        code.loop(0, height) as down,
        code.loop(0, width) as right,
        code.loop(0, rows) as row,
        code.loop(0, columns) as column,
    ):
        y, x = (
            code.subtract(code.add(code.multiply(place, step), code.multiply(k, gap)), before)
            for place, step, k, gap, before in zip(
                (row, column), p.stride, (down, right), p.dilation, p.before, strict=True
            )
        )
        fits = [
            code.emit(f"icmp ult i64 {spelled(at)}, {extent}", "i1")
            for at, extent in zip((y, x), p.extents, strict=True)
        ]
        inside = code.emit(f"and {fits[0]}, {fits[1].name}", "i1")
        kernel = code.add(code.multiply(code.add(code.multiply(o, c.inner), i), c.area), right)
        channel = code.multiply(i, c.image)
        place = code.add(channel, code.add(code.multiply(y, p.extents[1]), x))
        result = code.add(code.multiply(o, c.result), code.add(code.multiply(row, columns), column))
        yield _Term(
            code.add(kernel, code.multiply(down, width)),
            result,
            Register(spelled(place), "i64"),
            inside,
        )


def _add_product(code: Code, place: Register, a: Register, b: Register, element: str) -> None:
    product = code.emit(f"fmul {a}, {b.name}", element)
    before = code.load_scalar(place, element)
    code.store_scalar(code.emit(f"fadd {before}, {product.name}", element), place)
