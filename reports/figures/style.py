"""What all plots share: type, colours and markers of families, and the SVG.

Plots are drawn for light pages, on a transparent background, with colours for dark ones beside, of
which the browser takes those of the page; the same numbers give the same bytes.
"""

from __future__ import annotations

import io
import re
import warnings
from collections.abc import Callable, Sequence
from typing import Any

import matplotlib
from matplotlib.axes import Axes
from matplotlib.axis import Axis
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, NullLocator

from bench.text.numbers import printable

_SETTINGS: Any = {
    "svg.hashsalt": "inpaint-bench",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 9.5,
    # Names of methods are the user's: a dollar sign in one is no formula.
    "text.parse_math": False,
}
INK, QUIET, GRID = "#1d2430", "#5d6675", "#d9dde4"
PAPER, BAND = "#fbfbfc", "#dfe5ef"
# Okabe and Ito's colours; a marker tells families apart without them.
_LOOKS = {
    "diffusion-based": ("o", "#0072b2"),
    "patch-based": ("s", "#00805e"),
    "CNN": ("^", "#8a6d00"),
    "GAN": ("D", "#c24e00"),
    "transformer": ("v", "#a8478a"),
    "Fourier": ("P", "#5b4bc4"),
}
_OTHER = ("o", QUIET)
_ON_DARK = {
    INK: "#e7eaf0", QUIET: "#a4adbd", GRID: "#39414f", PAPER: "#12151b", BAND: "#2c3546",
    "#0072b2": "#56b4e9", "#00805e": "#2cc79b", "#8a6d00": "#e6b800", "#c24e00": "#ff8a3d",
    "#a8478a": "#e39bc6", "#5b4bc4": "#a99bff",
}  # fmt: skip
# The page's colour scheme is that of the pictures in it.
_DARK_RULES = "".join(
    f'[style*="{what}: {light}"] {{ {what}: {dark} !important }}'
    for light, dark in _ON_DARK.items()
    for what in ("fill", "stroke")
)
_STROKES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1, 1, 1)))
DPI = 72
"""One pixel is one point, so that places found on a canvas hold in the SVG."""


def look(family: str) -> tuple[str, str]:
    """Marker and colour of a family."""
    return _LOOKS.get(family, _OTHER)


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


def plain(axes: Axes, axes_labels: tuple[str, str]) -> None:
    """Labels and a grid, no frame."""
    axes.set_xlabel(printable(axes_labels[0]), color=QUIET)
    axes.set_ylabel(printable(axes_labels[1]), color=QUIET)
    axes.patch.set_visible(False)
    axes.grid(color=GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(which="both", colors=QUIET, length=0)
    for spine in axes.spines.values():
        spine.set_visible(False)


def ticks(axis: Axis, places: Sequence[float], form: str) -> None:
    """Numbers at these places and nowhere else, written as the format says."""
    axis.set_major_locator(FixedLocator(places))
    axis.set_major_formatter(FuncFormatter(lambda value, _: format(value, form)))
    axis.set_minor_locator(NullLocator())


def _svg(figure: Figure) -> bytes:
    stream = io.BytesIO()
    with warnings.catch_warnings():
        # The browser has fonts for names that the layout's own font lacks.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        figure.savefig(
            stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None}
        )
    # A hundredth of a pixel is more than a screen can show, and two thirds of the bytes less.
    svg = re.sub(rb'(?<= d=")[^"]+', _rounded, stream.getvalue())
    rules = f"@media screen and (prefers-color-scheme: dark) {{{_DARK_RULES}}}</style>"
    return svg.replace(b"</style>", rules.encode(), 1)


def _rounded(path: re.Match[bytes]) -> bytes:
    return re.sub(rb"(\.\d\d)\d+", rb"\1", path[0])
