"""Names beside points, without overlap."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from reports.figures import shapes
from reports.figures.shapes import Shape, line, shape

_RINGS = (7, 15, 25, 37, 55, 80, 110)  # distances from the point, as in the drawing
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_MARKER = 5.0
_HEIGHT = 13.0


@dataclass(frozen=True)
class _Spot:
    """Where a text begins and where a line to it ends, relative to its point; its box; its cost.

    ``near`` means that it touches its point and needs no line.
    """

    shift: tuple[float, float]
    end: tuple[float, float]
    box: np.ndarray
    cost: float
    near: bool


def beside(
    names: Sequence[str], places: Sequence[tuple[float, float]], frame: tuple[float, ...]
) -> list[Shape]:
    """Write each name beside its point, where it covers no other name and no point.

    Each takes the first free one of 8 sides, near or farther off; of several orders to do so, the
    one that keeps names nearest. A name that is not next to its point gets a line to it.

    Args:
        names: Of the points.
        places: Of the points.
        frame: Left, upper, right and lower end of where names may be.
    """
    if not names:
        return []
    sizes = [np.array([shapes.width(name), _HEIGHT]) for name in names]
    spots = _laid_out(np.array(places, float), sizes, np.array(frame))
    found = []
    for name, (x, y), spot in zip(names, places, spots, strict=True):
        if not spot.near:
            found.append(line("leader", (x, x + spot.end[0]), (y, y + spot.end[1])))
        side = spot.shift[0] + spot.box[2] - spot.box[0]
        # The estimated width is too large for most type: a name keeps to its point's side of it.
        anchor, at = ("start", spot.shift[0]) if side > 0 else ("end", side)
        if spot.shift[0] < 0 < side:
            anchor, at = "middle", spot.shift[0] + (side - spot.shift[0]) / 2
        found.append(
            shape("text", "name", text=name, x=x + at, y=float(spot.box[3]) - 3, text_anchor=anchor)
        )
    return found


def _laid_out(centres: np.ndarray, sizes: Sequence[np.ndarray], frame: np.ndarray) -> list[_Spot]:
    x, y = centres.T
    orders = (np.argsort(x), np.argsort(-x), np.argsort(y), np.argsort(-y))
    found = [_in_order(order, centres, sizes, frame) for order in orders]
    return min(found, key=lambda spots: sum(spot.cost for spot in spots))


def _in_order(
    order: np.ndarray, centres: np.ndarray, sizes: Sequence[np.ndarray], frame: np.ndarray
) -> list[_Spot]:
    taken = np.concatenate([centres - _MARKER, centres + _MARKER], axis=1)
    spots: dict[int, _Spot] = {}
    for i in map(int, order):
        every = (
            _spot(ring, side, centres[i], sizes[i], taken, frame)
            for ring, side in itertools.product(_RINGS, _SIDES)
        )
        spots[i] = min(every, key=lambda spot: spot.cost)
        taken = np.vstack([taken, spots[i].box])
    return [spots[i] for i in range(len(centres))]


def _spot(
    ring: float,
    side: tuple[int, int],
    centre: np.ndarray,
    size: np.ndarray,
    taken: np.ndarray,
    frame: np.ndarray,
) -> _Spot:
    shift = [
        step * ring - (0 if step > 0 else extent if step < 0 else extent / 2)
        for step, extent in zip(side, size, strict=True)
    ]
    start = centre + shift
    box = np.concatenate([start, start + size])
    covered = _overlap(box, taken)
    outside = float(size.prod()) - _overlap(box, frame[None])
    x, y = np.clip(centre, box[:2], box[2:]) - centre
    cost = ring + 10 * (covered + outside)
    return _Spot((shift[0], shift[1]), (float(x), float(y)), box, cost, ring == _RINGS[0])


def _overlap(box: np.ndarray, others: np.ndarray) -> float:
    """Area that boxes ``(x0, y0, x1, y1)`` have in common with one of them, summed."""
    sides = np.minimum(box[2:], others[:, 2:]) - np.maximum(box[:2], others[:, :2])
    return float(np.clip(sides, 0, None).prod(axis=1).sum())
