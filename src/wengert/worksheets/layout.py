"""Where the boxes of a layered graph stand and how its edges run: columns from left to right.

Boxes stand as far right as their readers allow, so that a weight stands beside the layer that uses it. The
order within the columns is the work of ``fast-sugiyama`` (Sugiyama, Tagawa & Toda 1981; Brandes & Köpf 2001).
It gives an edge a place of its own in every column that it passes, so that no edge runs through a box.
Thousands of such places make a drawing huge, so that the longest edges of large graphs run in lanes above the
columns, one lane for all that leave one box.
"""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from dataclasses import dataclass
from itertools import accumulate, pairwise

HEIGHT = 46.0
"""The height of every box."""

PASSING_PLACES = 1_500  # in a graph that needs more places for passing edges, the longest edges run in lanes
LONGEST_PASSING = 12  # in columns; for such a graph
BOX_TO_BOX = 64.0  # from centre to centre in a column
BOX_TO_EDGE = 36.0
EDGE_TO_EDGE = 12.0
PARALLEL = 4.0
LANE = 8.0
GAP = 40.0
STEEPNESS = 0.12  # how much wider a gap is for each pixel that an edge climbs in it
WIDEST_GAP = 130.0
ARROW = 12.0

Point = tuple[float, float]
Edge = tuple[int, int]


@dataclass(frozen=True)
class Route:
    """The corners of an edge; every second stretch is a curve, unless the route is ``angular``."""

    points: tuple[Point, ...]
    angular: bool


@dataclass(frozen=True)
class Layout:
    """The centre of every box and the route of every edge, all between (0, 0) and (width, height)."""

    centres: tuple[Point, ...]
    routes: tuple[Route, ...]
    width: float
    height: float


def arrange(widths: list[float], edges: list[Edge], approach: float = ARROW) -> Layout:
    """Places boxes ``0 … len(widths) - 1``, in which every edge leads from a lower to a higher number, and
    runs straight for the length ``approach`` before it arrives.

    Raises `ImportError` where ``fast-sugiyama`` is not installed.
    """
    column = _columns(len(widths), edges)
    short, long = _split(sorted(set(edges)), column)
    heights, passing = _heights(column, short)
    return _Routing(widths, edges, column, heights, passing, set(long), approach).layout()


def _columns(count: int, edges: list[Edge]) -> list[int]:
    """The column of every box, counted from the left: as far right as its readers allow."""
    readers: defaultdict[int, list[int]] = defaultdict(list)
    for source, target in edges:
        readers[source].append(target)
    column = [0] * count
    for box in reversed(range(count)):
        column[box] = min((column[reader] for reader in readers[box]), default=1) - 1
    leftmost = min(column, default=0)
    column = [place - leftmost for place in column]
    joined = {box for edge in edges for box in edge}
    alone = [box for box in range(count) if box not in joined]
    columns = max(1 - leftmost, round(len(alone) ** 0.5))
    for number, box in enumerate(alone):
        column[box] = number % columns
    return column


def _split(edges: list[Edge], column: list[int]) -> tuple[list[Edge], list[Edge]]:
    """The edges that pass through the columns, and the longest, for which there is no room there."""
    by_length = sorted(edges, key=lambda edge: column[edge[1]] - column[edge[0]])
    passed = [column[target] - column[source] - 1 for source, target in by_length]
    if sum(passed) <= PASSING_PLACES:
        return by_length, []
    places = list(accumulate(passed))
    cut = min(bisect_right(places, PASSING_PLACES), bisect_right(passed, LONGEST_PASSING))
    return by_length[:cut], by_length[cut:]


def _heights(column: list[int], edges: list[Edge]) -> tuple[dict[int, float], dict[Edge, list[float]]]:
    """The height of every box, and of every edge in each column that it passes."""
    heights: dict[int, float] = {}
    passing: dict[Edge, list[float]] = {edge: [] for edge in edges}
    bottom = 0.0
    for positions, routes in _ordered(edges, len(column)):
        places = _spread(positions, len(column))
        top, lowest = min(places.values()), max(places.values())
        for place, height in places.items():
            places[place] = height - top + bottom
        heights.update((place, height) for place, height in places.items() if place < len(column))
        for edge, route in routes.items():
            passing[edge] = [places[place] for place in route]
        bottom += lowest - top + BOX_TO_BOX
    stacked: defaultdict[int, int] = defaultdict(int)
    for box, place in enumerate(column):
        if box not in heights:
            heights[box] = bottom + stacked[place] * BOX_TO_BOX
            stacked[place] += 1
    return heights, passing


def _ordered(edges: list[Edge], beyond: int) -> list[tuple[dict[int, Point], dict[Edge, list[int]]]]:
    """Each connected part: (height, column) of its places, and the places through which its edges pass.

    Boxes keep their numbers; places of passing edges are numbered from ``beyond``.
    """
    if not edges:
        return []
    try:
        from fast_sugiyama import from_edges
    except ImportError as error:
        raise ImportError(
            "drawing a graph as SVG needs the package fast-sugiyama: pip install 'wengert[draw]' "
            "(to_dot and to_mermaid need nothing)"
        ) from error
    boxes = sorted({box for edge in edges for box in edge})
    number = {box: index for index, box in enumerate(boxes)}
    # Reversed, because the library then ranks as _columns does: by the longest way to the end.
    parts = from_edges(
        [(number[target], number[source]) for source, target in edges],
        vertex_spacing=BOX_TO_BOX,
        dummy_size=EDGE_TO_EDGE,
        dummy_vertices=True,
        ranking_type="up",
        minimum_length=1,
    )

    def place(vertex: int | str) -> int:
        return boxes[int(vertex)] if int(vertex) < len(boxes) else beyond + int(vertex)

    ordered = []
    for vertices, _, _, pieces in parts:
        positions = {place(vertex): (float(x), float(y)) for vertex, (x, y) in vertices}
        onward = {place(tail): place(head) for tail, head in pieces or () if place(tail) >= beyond}
        routes: dict[Edge, list[int]] = {}
        for tail, head in pieces or ():
            target, step, route = place(tail), place(head), list[int]()
            if target >= beyond:
                continue
            while step >= beyond:
                route.append(step)
                step = onward[step]
            routes[step, target] = route[::-1]
        ordered.append((positions, routes))
    return ordered


def _spread(positions: dict[int, Point], boxes: int) -> dict[int, float]:
    """The heights, with neighbours in a column moved apart where the library left too little between them."""
    columns: defaultdict[float, list[tuple[float, int]]] = defaultdict(list)
    for place, (height, column) in positions.items():
        columns[round(column)].append((height, place))
    heights = {place: height for place, (height, _) in positions.items()}
    for column_places in columns.values():
        column_places.sort()
        for (_, above), (_, below) in pairwise(column_places):
            passing = (above >= boxes) + (below >= boxes)
            least = (BOX_TO_BOX, BOX_TO_EDGE, EDGE_TO_EDGE)[passing]
            heights[below] = max(heights[below], heights[above] + least)
    return heights


class _Routing:
    """The coordinates of boxes and edges once their columns and heights are known."""

    def __init__(
        self,
        widths: list[float],
        edges: list[Edge],
        column: list[int],
        heights: dict[int, float],
        passing: dict[Edge, list[float]],
        long: set[Edge],
        approach: float,
    ) -> None:
        self.approach = approach
        self.widths, self.edges, self.column, self.heights, self.passing = (
            widths,
            edges,
            column,
            heights,
            passing,
        )
        self.long = [number for number, edge in enumerate(edges) if edge in long]
        self.lane = self._lanes()
        self.leaving, self.leaving_count = self._tracks(
            [(edges[n][0], column[edges[n][0]]) for n in self.long]
        )
        self.arriving, self.arriving_count = self._tracks([(n, column[edges[n][1]] - 1) for n in self.long])
        self.ports = self._ports()
        self.aside = self._aside()
        self.left, self.right = self._column_edges()

    def layout(self) -> Layout:
        top = (max(self.lane.values(), default=-1) + 1) * LANE + (LANE if self.lane else 0)
        down = top + HEIGHT / 2
        centres = tuple(
            ((self.left[place] + self.right[place]) / 2, self.heights[box] + down)
            for box, place in enumerate(self.column)
        )
        long = set(self.long)
        routes = tuple(
            self._in_lane(number, centres) if number in long else self._through_columns(number, centres, down)
            for number in range(len(self.edges))
        )
        lowest = max((height for route in self.passing.values() for height in route), default=0.0)
        height = max(max(self.heights.values(), default=0.0) + HEIGHT / 2, lowest) + down
        return Layout(centres, routes, max(self.right, default=0.0), height)

    def _lanes(self) -> dict[int, int]:
        """The lane of every box that long edges leave; lanes whose stretches do not meet are shared."""
        ends: dict[int, int] = {}
        for number in self.long:
            source, target = self.edges[number]
            ends[source] = max(ends.get(source, 0), self.column[target])
        lanes: list[int] = []
        lane: dict[int, int] = {}
        for source in sorted(ends, key=lambda box: self.column[box]):
            free = next((n for n, end in enumerate(lanes) if end < self.column[source]), len(lanes))
            lanes[free : free + 1] = [ends[source]]
            lane[source] = free
        return lane

    @staticmethod
    def _tracks(users: list[Edge]) -> tuple[dict[int, int], defaultdict[int, int]]:
        """A vertical track for each user in the gap that it uses, and how many tracks each gap has."""
        count: defaultdict[int, int] = defaultdict(int)
        track: dict[int, int] = {}
        for user, gap in users:
            if user not in track:
                track[user] = count[gap]
                count[gap] += 1
        return track, count

    def _ports(self) -> list[float]:
        """How far from the middle of its target an edge arrives: in the order in which the edges come in."""
        incoming: defaultdict[int, list[tuple[float, int]]] = defaultdict(list)
        long = set(self.long)
        for number, (source, target) in enumerate(self.edges):
            passed = self.passing.get((source, target))
            comes_from = passed[-1] if passed else self.heights[source]
            incoming[target].append((float("-inf") if number in long else comes_from, number))
        ports = [0.0] * len(self.edges)
        for arrivals in incoming.values():
            step = min(12.0, (HEIGHT - 12) / max(1, len(arrivals) - 1))
            for place, (_, number) in enumerate(sorted(arrivals)):
                ports[number] = (place - (len(arrivals) - 1) / 2) * step
        return ports

    def _aside(self) -> list[float]:
        """How far edges between the same two boxes keep to the side of their common way."""
        parallel: defaultdict[Edge, list[int]] = defaultdict(list)
        for number, edge in enumerate(self.edges):
            parallel[edge].append(number)
        aside = [0.0] * len(self.edges)
        for numbers in parallel.values():
            step = min(PARALLEL, EDGE_TO_EDGE / len(numbers))
            for place, number in enumerate(numbers):
                aside[number] = (place - (len(numbers) - 1) / 2) * step
        return aside

    def _column_edges(self) -> tuple[list[float], list[float]]:
        """The left and right end of every column; the gaps between them hold the tracks and the curves."""
        count = max(self.column, default=-1) + 1
        breadth = [0.0] * count
        for box, place in enumerate(self.column):
            breadth[place] = max(breadth[place], self.widths[box])
        climb = [0.0] * count
        long = set(self.long)
        for number, (source, target) in enumerate(self.edges):
            if number in long:
                continue
            stops = [
                self.heights[source],
                *self.passing[source, target],
                self.heights[target] + self.ports[number],
            ]
            for place, (one, other) in enumerate(pairwise(stops), self.column[source]):
                climb[place] = max(climb[place], abs(one - other))
        left, right = [], []
        x = 0.0
        for place in range(count):
            left.append(x)
            right.append(x + breadth[place])
            tracks = self.leaving_count[place] + self.arriving_count[place]
            x = right[-1] + tracks * LANE + min(WIDEST_GAP, GAP + STEEPNESS * climb[place]) + self.approach
        return left, right

    def _curve_space(self, gap: int) -> tuple[float, float]:
        """From where to where the curves of a gap run: between the tracks on its two sides."""
        start = self.right[gap] + self.leaving_count[gap] * LANE
        return start, self.left[gap + 1] - self.approach - self.arriving_count[gap] * LANE

    def _through_columns(self, number: int, centres: tuple[Point, ...], down: float) -> Route:
        source, target = edge = self.edges[number]
        points = [(centres[source][0], centres[source][1])]
        for gap, height in enumerate(self.passing[edge], self.column[source]):
            start, end = self._curve_space(gap)
            points += [(start, points[-1][1]), (end, height + down + self.aside[number])]
        start, end = self._curve_space(self.column[target] - 1)
        port = centres[target][1] + self.ports[number]
        points += [(start, points[-1][1]), (end, port), (centres[target][0] - self.widths[target] / 2, port)]
        return Route(tuple(points), angular=False)

    def _in_lane(self, number: int, centres: tuple[Point, ...]) -> Route:
        source, target = self.edges[number]
        lane = LANE / 2 + self.lane[source] * LANE
        up = self.right[self.column[source]] + (self.leaving[source] + 1) * LANE
        gap = self.column[target] - 1
        down = self._curve_space(gap)[1] + self.arriving[number] * LANE
        port = centres[target][1] + self.ports[number]
        end = centres[target][0] - self.widths[target] / 2
        corners = (
            centres[source],
            (up, centres[source][1]),
            (up, lane),
            (down, lane),
            (down, port),
            (end, port),
        )
        return Route(corners, angular=True)
