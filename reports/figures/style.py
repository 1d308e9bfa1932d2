"""What all plots share: type, colours and markers of families, light and dark, and the SVG.

Plots have a transparent background; the same numbers give the same bytes.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.figure import Figure

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
INK = {"light": "#1d2430", "dark": "#e7eaf0"}
QUIET = {"light": "#5d6675", "dark": "#a4adbd"}
GRID = {"light": "#d9dde4", "dark": "#39414f"}
PAPER = {"light": "#fbfbfc", "dark": "#12151b"}
BAND = {"light": "#dfe5ef", "dark": "#2c3546"}
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
_STROKES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1, 1, 1)))
DPI = 72
"""One pixel is one point, so that places found on a canvas hold in the SVG."""


def look(family: str, scheme: str) -> tuple[str, str]:
    """Marker and colour of a family."""
    marker, light, dark = _LOOKS.get(family, _OTHER)
    return marker, light if scheme == "light" else dark


def strokes(families: list[str]) -> list[Any]:
    """A stroke for each line: those of a family share a colour and differ by their stroke."""
    return [
        _STROKES[families[:place].count(family) % len(_STROKES)]
        for place, family in enumerate(families)
    ]


def drawn(size: tuple[int, int], draw: Callable[[Figure], None]) -> bytes:
    """An SVG document of what ``draw`` puts on a figure of that width and height, in points."""
    with matplotlib.rc_context(_SETTINGS):
        figure = Figure(figsize=(size[0] / 72, size[1] / 72), dpi=DPI, layout="constrained")
        draw(figure)
        return _svg(figure)


def plain(axes: Axes, axes_labels: tuple[str, str], scheme: str) -> None:
    """Labels and a grid, no frame."""
    axes.set_xlabel(printable(axes_labels[0]), color=QUIET[scheme])
    axes.set_ylabel(printable(axes_labels[1]), color=QUIET[scheme])
    axes.patch.set_visible(False)
    axes.grid(color=GRID[scheme], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=QUIET[scheme], length=0)
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
