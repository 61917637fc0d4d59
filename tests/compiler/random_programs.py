"""Random programs over the whole rule table. A program is made by evaluating it: a step that NumPy refuses is
thrown away, and so are most steps whose values grow out of bounds."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable

import numpy as np
from program_outcomes import outcome
from random_layers import Layers
from step_programs import WAYS, RandomProgram, float_places, without_unused


class Maker(Layers):
    """Makes one program. A seed of the generator names a program."""

    def grow(self) -> None:
        """One more step, or none where the draw does not fit."""
        kinds: list[tuple[Callable[[], object], int]] = [
            (self.unary, 16),
            (self.binary, 22),
            (self.ternary, 6),
            (self.reduction, 14),
            (self.arrangement, 20),
            (self.indexing, 8),
            (self.joint, 5),
            (self.product, 9),
            (self.activation, 6),
            (self.along_axis, 6),
            (self.loss, 4),
            (self.image, 2),
            (self.factorisation, 2),
            (self.sample, 8),
        ]
        chances = np.array([c for _, c in kinds], float)
        kinds[int(self.random.choice(len(kinds), p=chances / chances.sum()))][0]()

    def program(self) -> RandomProgram:
        """A program of about so many steps."""
        self.input(self.shape())
        tries = 0
        while len(self.steps) < self.size and tries < 6 * self.size:
            self.grow()
            tries += 1
        used = {a for step in self.steps for a in step.args if type(a) is str}
        ends = [step.name for step in self.steps if step.name not in used]
        if not ends or self.chance(0.2):
            ends.append(self.one_of(list(self.values)))
        if self.chance(0.1):
            ends.append(ends[0])
        found = RandomProgram(self.inputs, tuple(self.steps), tuple(ends))
        found = without_unused(found)
        return dataclasses.replace(found, way=self._way(found))

    def _way(self, program: RandomProgram) -> str:
        way = str(self.one_of(("value", "value", "value", "gradient", "gradient", "gradient", *WAYS)))
        if any(step.row == "std" for step in program.steps):
            return "value"  # the slope of a deviation of entries alike is one rest of rounding over another
        if way != "value" and not float_places(program):
            return "value"
        probe = dataclasses.replace(program, way=way)
        try:
            outcome(probe, lambda f: f)
        except Exception:  # whatever eager evaluation refuses has nothing to be compared with
            return "value"
        return way


def random_program(seed: int, size: int = 6, large: bool = False) -> RandomProgram:
    """The program of a seed."""
    generator = np.random.default_rng(seed)
    return Maker(generator, int(generator.integers(1, 2 * size)), large).program()
