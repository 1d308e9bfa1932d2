"""Fields of numbers as a picture."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Circle, Rectangle
from matplotlib.patheffects import withStroke

from reports.figures import style

MAP_SIZE = (300, 350)
"""Width and height of a map, in points."""
DECADES = 6
"""Powers of ten from the brightest to the darkest colour of a map."""
_RINGS = ("-", "--", ":")


def energy_map(energy: np.ndarray, box: tuple[int, int, int, int], radii: Sequence[float]) -> bytes:
    """Draw a field of non-negative numbers by their logarithm, with circles around its hole.

    Args:
        energy: ``(h, w)``; the largest is the brightest colour, a millionth of it and less the
            darkest.
        box: Of the hole: first row, the one after the last, and the same of columns.
        radii: Of the circles, drawn solid, dashed and dotted, in pixels.

    Returns:
        An SVG document.
    """

    def fill(figure: Figure) -> None:
        axes = figure.add_subplot()
        levels = np.log10(np.maximum(energy / energy.max(), 10.0**-DECADES))
        image = axes.imshow(levels, cmap="viridis", vmin=-DECADES, vmax=0, interpolation="none")
        top, bottom, left, right = box
        middle = (left + right) // 2, (top + bottom) // 2
        axes.add_patch(Rectangle((left - 0.5, top - 0.5), right - left, bottom - top, fill=False,
                                 edgecolor="white", linewidth=0.8))  # fmt: skip
        for radius, stroke in zip(radii, _RINGS, strict=True):
            around = [withStroke(linewidth=3, foreground="black")]
            axes.add_patch(Circle(middle, radius, fill=False, edgecolor="white", linewidth=1.4,
                                  linestyle=stroke, path_effects=around))  # fmt: skip
        axes.set_axis_off()
        bar = figure.colorbar(image, orientation="horizontal", fraction=0.05, pad=0.02)
        bar.set_ticks(range(-DECADES, 1, 2), labels=["10⁻⁶", "10⁻⁴", "10⁻²", "1"])
        bar.set_label("energy, the largest is 1", color=style.QUIET)
        bar.outline.set_visible(False)
        bar.ax.tick_params(colors=style.QUIET, length=0)

    return style.drawn(MAP_SIZE, fill)
