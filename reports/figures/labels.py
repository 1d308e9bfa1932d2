"""Names beside points, without overlap."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg

from bench.text.numbers import printable
from reports.figures import style

_RINGS = (7, 15, 25, 37)  # distances from the point, in points
_SIDES = ((1, 0), (-1, 0), (0, 1), (0, -1), (1, 1), (1, -1), (-1, 1), (-1, -1))
_MARKER = 5.0


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


def put(axes: Axes, names: Sequence[str], places: Sequence[tuple[float, float]]) -> None:
    """Write each name beside its point, where it covers no other name and no point.

    Each takes the first free one of 8 sides, near or farther off; of several orders to do so, the
    one that keeps names nearest. A name that is not next to its point gets a line to it. Call it
    last: the limits and the layout must stay as they are.

    Args:
        axes: Where.
        names: Of the points.
        places: Of the points, in the units of the axes.
    """
    figure = axes.get_figure(root=True)
    assert figure is not None
    renderer = FigureCanvasAgg(figure).get_renderer()
    figure.draw_without_rendering()
    # A path effect would turn the names into outlines, which nobody can search or read aloud.
    behind = {"facecolor": style.PAPER, "alpha": 0.75, "linewidth": 0, "pad": 0.6}
    texts = [
        axes.annotate(
            printable(name), place, (0, 0), textcoords="offset points", fontsize=9,
            color=style.INK, zorder=4, annotation_clip=False, bbox=behind,
        )
        for name, place in zip(names, places, strict=True)
    ]  # fmt: skip
    sizes = [np.array(text.get_window_extent(renderer).size) for text in texts]
    centres = axes.transData.transform(places)
    frame = np.array(axes.get_window_extent(renderer).extents)
    for text, place, spot in zip(texts, places, _laid_out(centres, sizes, frame), strict=True):
        text.set_in_layout(False)
        text.set_position(spot.shift)
        if not spot.near:
            axes.annotate(
                "", place, spot.end, textcoords="offset points", zorder=1, annotation_clip=False,
                arrowprops={"arrowstyle": "-", "color": style.QUIET, "linewidth": 0.6},
            ).set_in_layout(False)  # fmt: skip


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
