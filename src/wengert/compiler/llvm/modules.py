"""The functions of a program as modules: the texts that LLVM compiles."""

from __future__ import annotations

from collections.abc import Sequence

from wengert.compiler.llvm.text import Code

LINES_PER_MODULE = 1500
"""A program's functions are parted into modules of about so many lines, which are compiled side by side."""
MOST_MODULES = 4


def module_texts(kernels: Sequence[Code], drivers: Sequence[Code], vector_bits: int) -> list[str]:
    """Functions as one module or several; the last holds the drivers, which call the kernels."""
    total = sum(len(code.body) for code in kernels)
    count = min(MOST_MODULES, 1 + total // LINES_PER_MODULE)
    parts: list[list[Code]] = [[] for _ in range(count)]
    for code in sorted(kernels, key=lambda code: -len(code.body)):
        min(parts, key=lambda part: sum(len(other.body) for other in part)).append(code)
    elsewhere = [code.declaration() for part in parts[:-1] for code in part]
    texts = [_module_text(part, [], vector_bits) for part in parts[:-1]]
    return [*texts, _module_text([*parts[-1], *drivers], elsewhere, vector_bits)]


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
