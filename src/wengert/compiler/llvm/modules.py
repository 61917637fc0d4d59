"""The functions of a program as modules: the texts that LLVM compiles."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.compiler.llvm.machine import available_threads
from wengert.compiler.llvm.text import Code

LINES_PER_MODULE = 1000
"""Modules are compiled side by side: as many as there are threads, of at least about so many lines each."""


def module_texts(kernels: Sequence[Code], drivers: Sequence[Code], vector_bits: int) -> list[str]:
    """Functions as one module or several, of about as many lines each; the last holds the drivers, which call
    the kernels."""
    lines = sum(map(_lines, (*kernels, *drivers)))
    count = min(available_threads(), 1 + lines // LINES_PER_MODULE)
    parts: list[list[Code]] = [[] for _ in range(count)]
    parts[-1] += drivers
    sizes = [sum(map(_lines, part)) for part in parts]
    for code in sorted(kernels, key=_lines, reverse=True):
        smallest = sizes.index(min(sizes))
        parts[smallest].append(code)
        sizes[smallest] += _lines(code)
    elsewhere = [code.declaration() for part in parts[:-1] for code in part]
    texts = [_module_text(part, [], vector_bits) for part in parts[:-1]]
    return [*texts, _module_text(parts[-1], elsewhere, vector_bits)]


def _lines(code: Code) -> int:
    return len(code.body)


def _module_text(functions: Sequence[Code], elsewhere: Sequence[str], vector_bits: int) -> str:
    """A module: what its functions call from outside, the functions, and how they are compiled."""
    declarations = sorted(set().union(elsewhere, *(code.declarations for code in functions)))
    attributes = (
        f'attributes #0 = {{ nounwind "min-legal-vector-width"="{vector_bits}" '
        f'"prefer-vector-width"="{vector_bits}" }}'
    )
    return "\n".join(
        [
            *declarations,
            *(code.text() for code in functions),
            attributes,
            "!0 = distinct !{!0, !1}",
            '!1 = !{!"llvm.loop.unroll.disable"}',
        ]
    )
