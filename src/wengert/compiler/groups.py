"""Groups of lines that share their loops, and what the rows of the table are to them."""

from __future__ import annotations

from dataclasses import dataclass, field

from wengert.compiler.accesses import is_view
from wengert.compiler.canonical import REDUCTIONS
from wengert.compiler.lines import Line, Shape, without_ones

Places = tuple[int | None, ...]

MOVES = frozenset(
    (
        *("concatenate", "scatter_add", "getitem", "positions"),
        *("take_along_axis", "put_along_axis", "argmax", "argmin", "cumsum"),
        *("conv2d", "conv_transpose2d", "conv2d_weight", "windows", "overlap_add"),
        *("max_pool2d", "pool_at_maxima", "unpool_at_maxima", "avg_pool2d"),
    )
)
"""The rows whose kernels stand alone."""
HEAVY = frozenset(
    (
        *("divide", "power", "sqrt", "exp", "expm1", "log", "log1p", "log2", "erf", "sin", "cos", "tan"),
        *("asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
    )
)


@dataclass(eq=False)
class Group:
    """Lines that share their loops. ``kind`` is ``loop``, ``product``, ``move`` or ``call``. ``rows`` and
    ``columns`` part the axes of the space: columns are the inner loops."""

    number: int
    kind: str
    space: Shape
    rows: frozenset[int]
    columns: frozenset[int]
    members: list[Line] = field(default_factory=list)
    places: dict[int, Places] = field(default_factory=dict)
    after: set[int] = field(default_factory=set)
    needs: set[int] = field(default_factory=set)

    @property
    def axes(self) -> frozenset[int]:
        """The axes that hold more than one entry."""
        return self.rows | self.columns

    @property
    def has_reductions(self) -> bool:
        """Whether some member adds up entries."""
        return any(line.name in REDUCTIONS for line in self.members)

    def varies(self, line: Line) -> frozenset[int]:
        """The axes of the space along which a placed line varies."""
        return frozenset(p for p in self.places[line.id] if p is not None)


def is_plain(view: Line) -> bool:
    """Whether a view only adds or removes axes of one entry, or repeats along them."""
    while is_view(view):
        x = view.args[0]
        if view.name == "reshape":
            if without_ones(view.shape) != without_ones(x.shape):
                return False
        elif view.name != "broadcast_to":
            return False
        view = x
    return True


def reduced_axes(line: Line) -> frozenset[int]:
    """The axes of more than one entry that a reduction takes away."""
    return frozenset(k for k in line.params["axis"] if line.args[0].shape[k] > 1)
