"""Counting and choosing inside a function: arithmetic of indices, loops, and what is done only sometimes."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from wengert.compiler.llvm.instructions import Instructions
from wengert.compiler.llvm.values import Index, Register, operand, spelled


class ControlFlow(Instructions):
    """A function with indices and loops."""

    # -- indices
    # ----------------------------------------------------------------------------------------------------

    def add(self, a: Index, b: Index) -> Index:
        """The sum of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return a + b
        if a == 0:
            return b
        if b == 0:
            return a
        return self.emit(f"add nsw i64 {spelled(a)}, {spelled(b)}", "i64")

    def multiply(self, a: Index, b: Index) -> Index:
        """The product of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return a * b
        for factor, other in ((a, b), (b, a)):
            if factor == 0:
                return 0
            if factor == 1:
                return other
        return self.emit(f"mul nsw i64 {spelled(a)}, {spelled(b)}", "i64")

    def divide(self, a: Index, b: int) -> Index:
        """How often b is contained in an index that is not negative."""
        if isinstance(a, int) or b == 1:
            return a // b if isinstance(a, int) else a
        return self.emit(f"udiv i64 {a.name}, {b}", "i64")

    def remainder(self, a: Index, b: int) -> Index:
        """What is left over."""
        if isinstance(a, int) or b == 1:
            return a % b if isinstance(a, int) else 0
        return self.emit(f"urem i64 {a.name}, {b}", "i64")

    def smaller(self, a: Index, b: Index) -> Index:
        """The smaller of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return min(a, b)
        return self.call("llvm.smin.i64", "i64", operand(a), operand(b))

    def larger(self, a: Index, b: Index) -> Index:
        """The larger of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return max(a, b)
        return self.call("llvm.smax.i64", "i64", operand(a), operand(b))

    def subtract(self, a: Index, b: Index) -> Index:
        """The difference of two indices."""
        if isinstance(a, int) and isinstance(b, int):
            return a - b
        if b == 0:
            return a
        return self.emit(f"sub nsw i64 {spelled(a)}, {spelled(b)}", "i64")

    def parted(self, joint: Index, extents: Sequence[int]) -> list[Index]:
        """The index along each axis, from the one that counts them all."""
        indices: list[Index] = []
        for extent in reversed(extents[1:]):
            indices.append(self.remainder(joint, extent))
            joint = self.divide(joint, extent)
        return [joint, *reversed(indices)]

    # -- loops
    # ----------------------------------------------------------------------------------------------------

    @contextmanager
    def loop(self, start: Index, stop: Index, step: int = 1) -> Iterator[Index]:
        """Repeat for start, start + step, … below stop; once only without a loop where that is known."""
        if isinstance(start, int) and isinstance(stop, int):
            if stop <= start:
                raise ValueError(f"a loop from {start} to {stop} is empty")
            if stop - start <= step:
                yield start
                return
        head, inside, after = self.labels("head", "body", "done")
        counter = self.alloca("i64", align=8)
        self.do(f"store i64 {spelled(start)}, ptr {counter.name}")
        self.do(f"br label %{head}")
        self.begin(head)
        index = self.emit(f"load i64, ptr {counter.name}", "i64")
        inside_bounds = self.emit(f"icmp slt i64 {index.name}, {spelled(stop)}", "i1")
        self.do(f"br i1 {inside_bounds.name}, label %{inside}, label %{after}")
        self.begin(inside)
        yield index
        following = self.emit(f"add nsw i64 {index.name}, {step}", "i64")
        self.do(f"store i64 {following.name}, ptr {counter.name}")
        self.do(f"br label %{head}, !llvm.loop !0")
        self.begin(after)

    @contextmanager
    def fold(
        self, start: Index, stop: Index, values: Sequence[Register], step: int = 1
    ) -> Iterator[tuple[Index, list[Register]]]:
        """Repeat for start, start + step, … below stop, once at least. The body replaces values in the list,
        and the next round finds them there; in the end the list holds the last ones."""
        if isinstance(start, int) and isinstance(stop, int) and stop - start <= step:
            yield start, list(values)
            return
        before, inside, last, after = self.labels("fold", "round", "next", "folded")
        self.do(f"br label %{before}")
        self.begin(before)
        self.do(f"br label %{inside}")
        self.begin(inside)
        top = len(self.body)
        index = Register(self.fresh(), "i64")
        carried = [Register(self.fresh(), value.type) for value in values]
        current = list(carried)
        yield index, current
        self.do(f"br label %{last}")
        self.begin(last)
        following = self.emit(f"add nsw i64 {index.name}, {step}", "i64")
        inside_bounds = self.emit(f"icmp slt i64 {following.name}, {spelled(stop)}", "i1")
        self.do(f"br i1 {inside_bounds.name}, label %{inside}, label %{after}, !llvm.loop !0")
        self.begin(after)
        self.body[top:top] = [
            f"  {name} = phi {type} [ {spelled(first)}, %{before} ], [ {again.name}, %{last} ]"
            for (name, type), first, again in zip(
                [index, *carried], [start, *values], [following, *current], strict=True
            )
        ]

    @contextmanager
    def when(self, condition: Register) -> Iterator[None]:
        """Only where a truth value holds."""
        inside, after = self.labels("then", "after")
        self.do(f"br i1 {condition.name}, label %{inside}, label %{after}")
        self.begin(inside)
        yield
        self.do(f"br label %{after}")
        self.begin(after)
