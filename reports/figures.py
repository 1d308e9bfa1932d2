"""Plots as SVG with the same bytes for the same numbers, for light and for dark pages."""

from __future__ import annotations

import io
import math
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke

from bench.statistics import Interval
from reports.numbers import printable

_SETTINGS: Any = {
    "svg.hashsalt": "inpaint-bench",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    # Names of methods are the user's: a dollar sign in one is no formula.
    "text.parse_math": False,
}
_INK = {"light": "#1d2430", "dark": "#e7eaf0"}
_QUIET = {"light": "#5d6675", "dark": "#a4adbd"}
_GRID = {"light": "#d9dde4", "dark": "#39414f"}
_PAPER = {"light": "#fbfbfc", "dark": "#12151b"}
_BAND = {"light": "#dfe5ef", "dark": "#2c3546"}
# Okabe and Ito's colours, lightened on dark pages; a marker tells families apart without them.
_LOOKS = {
    "diffusion-based": ("o", "#0072B2", "#56B4E9"),
    "patch-based": ("s", "#00805E", "#2CC79B"),
    "CNN": ("^", "#8A6D00", "#E6B800"),
    "GAN": ("D", "#C24E00", "#FF8A3D"),
    "transformer": ("v", "#A8478A", "#E39BC6"),
    "Fourier": ("P", "#5B4BC4", "#A99BFF"),
}
_OTHER = ("o", "#5d6675", "#a4adbd")


@dataclass(frozen=True)
class Point:
    """One row of a plot: a label, its family, a mean and whether its marker is filled."""

    label: str
    family: str
    interval: Interval
    filled: bool


@dataclass(frozen=True)
class Line:
    """One line of a plot: a label, its family, and its points."""

    label: str
    family: str
    points: Sequence[tuple[float, float]]


MAP_SIZE = (300, 350)
"""Width and height of a map, in points."""
SCATTER_SIZE = (470, 320)
"""Width and height of a plot of one figure against another, in points."""
DECADES = 6
"""Powers of ten from the brightest to the darkest colour of a map."""
RINGS = ("-", "--", ":")
LINES_SIZE = (620, 330)
"""Width and height of a plot of lines, in points."""
_STROKES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1, 1, 1)))


def size(count: int) -> tuple[int, int]:
    """Width and height of a plot with so many rows, in points."""
    return 410, 46 + 22 * max(1, count)


def point_range(points: Sequence[Point], axis_label: str, scheme: str) -> bytes:
    """Draw means with their 95 % intervals, one method a row, best on top.

    Args:
        points: Rows from top to bottom; those without a finite mean are left out.
        axis_label: Metric, unit and direction.
        scheme: ``light`` or ``dark``.

    Returns:
        An SVG document with transparent background.
    """
    shown = [p for p in points if math.isfinite(p.interval.mean)]

    def draw(axes: Axes) -> None:
        if shown:
            axes.axvline(shown[0].interval.mean, color=_QUIET[scheme], linestyle=":", linewidth=1)

    return _rows(shown, axis_label, scheme, draw)


def paired_differences(
    points: Sequence[Point], margin: float, axis_label: str, scheme: str
) -> bytes:
    """Draw differences from the best method, with a line at zero and the margin as a band.

    Args:
        points: Rows from top to bottom; those without a finite mean are left out.
        margin: Half the width of the band; none is drawn for NaN.
        axis_label: What is subtracted from what.
        scheme: ``light`` or ``dark``.

    Returns:
        An SVG document with transparent background.
    """

    def draw(axes: Axes) -> None:
        if math.isfinite(margin):
            axes.axvspan(-margin, margin, color=_BAND[scheme], linewidth=0, zorder=0)
        axes.axvline(0, color=_INK[scheme], linewidth=1, zorder=1)

    return _rows([p for p in points if math.isfinite(p.interval.mean)], axis_label, scheme, draw)


def lines(curves: Sequence[Line], axes_labels: tuple[str, str], scheme: str) -> bytes:
    """Draw lines with their names beside them; those of a family differ by their stroke.

    Args:
        curves: In the order of the legend.
        axes_labels: Of the horizontal and the vertical axis.
        scheme: ``light`` or ``dark``.

    Returns:
        An SVG document with transparent background.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(LINES_SIZE[0] / 72, LINES_SIZE[1] / 72), layout="constrained")
        axes = figure.add_subplot()
        drawn: dict[str, int] = {}
        for line in curves:
            marker, light, dark = _LOOKS.get(line.family, _OTHER)
            place = drawn[line.family] = drawn.get(line.family, -1) + 1
            axes.plot(
                [x for x, _ in line.points], [y for _, y in line.points], marker=marker,
                markersize=3.5, color=light if scheme == "light" else dark, linewidth=1.6,
                linestyle=_STROKES[place % len(_STROKES)], label=printable(line.label),
            )  # fmt: skip
        _plain(axes, axes_labels, scheme)
        figure.legend(loc="outside right upper", frameon=False, labelcolor=_INK[scheme])
        return _svg(figure)


def scatter(
    points: Sequence[tuple[float, Point]], axes_labels: tuple[str, str], scheme: str
) -> bytes:
    """Draw one figure of each method against another, names at the right.

    Args:
        points: Horizontal place, and the row with the vertical one.
        axes_labels: Of the horizontal and the vertical axis.
        scheme: ``light`` or ``dark``.

    Returns:
        An SVG document with transparent background.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(SCATTER_SIZE[0] / 72, SCATTER_SIZE[1] / 72), layout="constrained")
        axes = figure.add_subplot()
        for x, point in points:
            marker, light, dark = _LOOKS.get(point.family, _OTHER)
            colour = light if scheme == "light" else dark
            low, high = point.interval.low, point.interval.high
            if math.isfinite(high - low):
                axes.plot([x, x], [low, high], color=colour, linewidth=1.6, zorder=2)
            inside = colour if point.filled else _PAPER[scheme]
            axes.plot([x], [point.interval.mean], marker=marker, markersize=7, color=colour,
                      markerfacecolor=inside, zorder=3)  # fmt: skip
        axes.margins(0.08)
        _name(axes, points, scheme)
        _plain(axes, axes_labels, scheme)
        return _svg(figure)


def _name(axes: Axes, points: Sequence[tuple[float, Point]], scheme: str) -> None:
    """Write names beside the axes, as near to the height of their points as there is room."""
    low, high = axes.get_ylim()
    apart = 0.06  # of the height
    arrow = {"arrowstyle": "-", "color": _GRID[scheme], "linewidth": 0.8}
    ordered = sorted(points, key=lambda each: each[1].interval.mean)
    places = [(point.interval.mean - low) / (high - low) for _, point in ordered]
    for i in range(1, len(places)):
        places[i] = max(places[i], places[i - 1] + apart)
    for i in reversed(range(len(places))):
        places[i] = min(places[i], 1 - (len(places) - 1 - i) * apart)
    for (x, point), place in zip(ordered, places, strict=True):
        axes.annotate(
            printable(point.label), (x, point.interval.mean), (1.03, place),
            textcoords="axes fraction", va="center", color=_INK[scheme], zorder=1,
            annotation_clip=False, arrowprops=arrow,
        )  # fmt: skip


def energy_map(
    energy: np.ndarray, box: tuple[int, int, int, int], radii: Sequence[float], scheme: str
) -> bytes:
    """Draw a field of non-negative numbers by their logarithm, with circles around its hole.

    Args:
        energy: ``(h, w)``; the largest is the brightest colour, a millionth of it and less the
            darkest.
        box: Of the hole: first row, the one after the last, and the same of columns.
        radii: Of the circles, drawn as `RINGS`, in pixels.
        scheme: ``light`` or ``dark``.

    Returns:
        An SVG document with transparent background.
    """
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(MAP_SIZE[0] / 72, MAP_SIZE[1] / 72), layout="constrained")
        axes = figure.add_subplot()
        levels = np.log10(np.maximum(energy / energy.max(), 10.0**-DECADES))
        image = axes.imshow(levels, cmap="viridis", vmin=-DECADES, vmax=0, interpolation="none")
        top, bottom, left, right = box
        middle = (left + right) // 2, (top + bottom) // 2
        axes.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False,
                                 edgecolor="white", linewidth=0.8))  # fmt: skip
        for radius, stroke in zip(radii, RINGS, strict=True):
            around = [withStroke(linewidth=3, foreground="black")]
            axes.add_patch(Circle(middle, radius, fill=False, edgecolor="white", linewidth=1.4,
                                  linestyle=stroke, path_effects=around))  # fmt: skip
        axes.set_axis_off()
        bar = figure.colorbar(image, orientation="horizontal", fraction=0.05, pad=0.02)
        bar.set_ticks(range(-DECADES, 1, 2), labels=["10⁻⁶", "10⁻⁴", "10⁻²", "1"])
        bar.set_label("energy, the largest is 1", color=_QUIET[scheme])
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=_QUIET[scheme], length=0)
        return _svg(figure)


def _rows(
    shown: Sequence[Point], axis_label: str, scheme: str, draw: Callable[[Axes], None]
) -> bytes:
    with matplotlib.rc_context(_SETTINGS):
        width, height = size(len(shown))
        figure = Figure(figsize=(width / 72, height / 72), layout="constrained")
        axes = figure.add_subplot()
        draw(axes)
        for row, point in enumerate(shown):
            _draw(axes, row, point, scheme)
        _dress(axes, shown, axis_label, scheme)
        return _svg(figure)


def _draw(axes: Axes, row: int, point: Point, scheme: str) -> None:
    marker, light, dark = _LOOKS.get(point.family, _OTHER)
    colour = light if scheme == "light" else dark
    interval = point.interval
    if interval.half_width == interval.half_width:
        axes.plot([interval.low, interval.high], [row, row], color=colour, linewidth=2.2,
                  solid_capstyle="round", zorder=2)  # fmt: skip
    axes.plot([interval.mean], [row], marker=marker, markersize=7, color=colour, zorder=3,
              markerfacecolor=colour if point.filled else _PAPER[scheme])  # fmt: skip


def _dress(axes: Axes, shown: Sequence[Point], axis_label: str, scheme: str) -> None:
    axes.set_yticks(range(len(shown)), [printable(p.label) for p in shown])
    axes.set_ylim(max(len(shown), 1) - 0.4, -0.6)
    axes.set_xlabel(printable(axis_label), color=_QUIET[scheme])
    axes.patch.set_visible(False)
    axes.grid(axis="x", color=_GRID[scheme], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="x", colors=_QUIET[scheme], length=0)
    axes.tick_params(axis="y", colors=_INK[scheme], length=0, pad=8)
    axes.margins(x=0.04)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _plain(axes: Axes, axes_labels: tuple[str, str], scheme: str) -> None:
    axes.set_xlabel(printable(axes_labels[0]), color=_QUIET[scheme])
    axes.set_ylabel(printable(axes_labels[1]), color=_QUIET[scheme])
    axes.patch.set_visible(False)
    axes.grid(color=_GRID[scheme], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=_QUIET[scheme], length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def _svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The browser has fonts for names that the layout's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(
            stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    return stream.getvalue()
