"""Drawings that a page holds itself, as SVG: what `templates/charts.html` writes, as data.

Colours and type are the page's style, by class, so that one drawing serves light, dark and paper.
"""

from __future__ import annotations

import itertools
import math
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from matplotlib.ticker import MaxNLocator

from bench.text import numbers

MARKERS = {
    "patch-based": "M-4-4h8v8h-8z",
    "CNN": "M0-5l5 9h-10z",
    "GAN": "M0-6l6 6-6 6-6-6z",
    "transformer": "M0 5l5-9h-10z",
    "Fourier": "M-2-5h4v3h3v4h-3v3h-4v-3h-3v-4h3z",
}
_DISC = "M-4.5 0a4.5 4.5 0 1 0 9 0a4.5 4.5 0 1 0-9 0z"
_LETTER = 0.6  # mean width over the size of type; sans serifs of systems have 0.5 to 0.58
_SIZE = 12
_STEPS = [m * 10.0**e for e in range(-6, 9) for m in (1, 2, 5)]
_MOST_STEPS = 7


@dataclass(frozen=True)
class Shape:
    """An element of SVG: its name, attributes, text and children."""

    tag: str
    attributes: dict[str, str]
    text: str = ""
    children: tuple[Shape, ...] = ()


@dataclass(frozen=True)
class Chart:
    """A drawing.

    Attributes:
        width: Of what it is drawn on, in units that are about pixels.
        height: Likewise.
        alt: What a reader who does not see it is told.
        shapes: From back to front.
        kind: Class.
        holds: Whether it holds links, so that it is a group and no picture.
    """

    width: int
    height: int
    alt: str
    shapes: Sequence[Shape]
    kind: str = ""
    holds: bool = False


@dataclass(frozen=True)
class Scale:
    """Places of the values of an axis: ``low`` is drawn at ``start``, ``high`` at ``end``.

    That of an axis upside down is the larger one.
    """

    low: float
    high: float
    start: float
    end: float
    log: bool = False

    def __call__(self, value: float) -> float:
        """Where a value is drawn."""
        low, high, at = (math.log(v) if self.log else v for v in (self.low, self.high, value))
        return self.start + (at - low) / (high - low) * (self.end - self.start)

    def ticks(self, most: int = 6) -> list[tuple[float, str]]:
        """Round values within the axis, in words."""
        if self.log:
            found = [step for step in _STEPS if self.low <= step <= self.high]
            if len(found) > _MOST_STEPS:
                found = [step for step in found if f"{step:e}"[0] == "1"]
            return [(step, f"{step:,g}") for step in found]
        low, high = sorted((self.low, self.high))
        steps = MaxNLocator(most, steps=[1, 2, 2.5, 5, 10]).tick_values(low, high)
        apart = min(b - a for a, b in itertools.pairwise(steps))
        decimals = next(d for d in range(9) if math.isclose(round(apart, d), apart) or d == 8)
        room = 1e-9 * (high - low)
        return [
            (float(step), numbers.number(float(step), decimals))
            for step in steps
            if low - room <= step <= high + room
        ]


def scale_of(values: Iterable[float], start: float, end: float, *, log: bool = False) -> Scale:
    """An axis on which the finite ones of some values have a little room.

    Raises:
        ValueError: If none is finite.
    """
    known = [value for value in values if math.isfinite(value) and (value > 0 or not log)]
    low, high = min(known), max(known)
    if log:
        return Scale(low / 1.15, high * 1.15, start, end, log=True)
    room = 0.04 * (high - low) or 0.01 * (abs(high) or 1)
    return Scale(low - room, high + room, start, end)


def shape(
    tag: str, kind: str = "", *children: Shape, text: str = "", **attributes: float | str
) -> Shape:
    """An element of a class; ``text_anchor=`` is written ``text-anchor``, places to a tenth."""
    named = {"class": kind} if kind else {}
    for name, value in attributes.items():
        named[name.replace("_", "-")] = value if isinstance(value, str) else _tenth(value)
    return Shape(tag, named, text, children)


def _tenth(value: float) -> str:
    return f"{round(value, 1) or 0.0:g}"


def line(kind: str, x: tuple[float, float], y: tuple[float, float]) -> Shape:
    """A straight line."""
    return shape("path", kind, d=path([(x[0], y[0]), (x[1], y[1])]))


def path(points: Iterable[tuple[float, float]]) -> str:
    """A line through points, as the attribute ``d``."""
    return "M" + "L".join(f"{_tenth(x)} {_tenth(y)}" for x, y in points)


def dots(points: Iterable[tuple[float, float]]) -> str:
    """Dots in one element, whatever their number, as the attribute ``d``."""
    return "".join(f"M{_tenth(x)} {_tenth(y)}h0" for x, y in points)


def marker(family: str, x: float, y: float, *, filled: bool = True) -> Shape:
    """The mark of a family; its colour is that of the class around it."""
    at = f"translate({_tenth(x)} {_tenth(y)})"
    kind = "mark" if filled else "mark hollow"
    return shape("path", kind, d=MARKERS.get(family, _DISC), transform=at)


def coloured(family: str, *children: Shape) -> Shape:
    """A group in the colour of a family."""
    kind = "elsewhere" if family not in MARKERS and family != "diffusion-based" else family.lower()
    return shape("g", f"family-{kind}", *children)


def axes(x: Scale, y: Scale, names: tuple[str, str]) -> Iterator[Shape]:
    """Grid, numbers and names of a horizontal and a vertical axis.

    Args:
        x: Horizontal; rows of names stand at its start if the vertical one has no name.
        y: Vertical.
        names: Of both.
    """
    yield shape("g", "across", *_ticks(x, y, False))
    if names[1]:
        yield shape("g", "up", *_ticks(y, x, True))
    middle = (x.start + x.end) / 2, (y.start + y.end) / 2
    yield shape("text", "axis", text=names[0], x=middle[0], y=y.start + 36, text_anchor="middle")
    if names[1]:
        turned = f"translate(13 {_tenth(middle[1])}) rotate(-90)"
        yield shape("text", "axis", text=names[1], transform=turned, text_anchor="middle")


def _ticks(of: Scale, other: Scale, up: bool) -> Iterator[Shape]:
    for value, words in of.ticks():
        at = of(value)
        ends = (at, at), (other.start, other.end)
        yield line("grid", *(ends[::-1] if up else ends))
        place = (other.start - 6, at + 4) if up else (at, other.start + 16)
        anchor = "end" if up else "middle"
        yield shape("text", "", text=words, x=place[0], y=place[1], text_anchor=anchor)


def width(text: str) -> float:
    """How wide a text is at most, about, whatever the reader's type."""
    wide = sum(unicodedata.east_asian_width(letter) in "WF" for letter in text)
    return _SIZE * (_LETTER * (len(text) - wide) + wide)
