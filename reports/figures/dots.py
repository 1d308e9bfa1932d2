"""A dot a case: two methods against each other, and both against the hole."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from reports.figures.shapes import Chart, Scale, Shape, axes, dots, line, path, scale_of, shape

SIZE = (480, 470)
_LEFT, _TOP, _RIGHT, _BOTTOM = 58, 46, 472, 424


@dataclass(frozen=True)
class Dot:
    """A case: where it is, what it is called; with an address it is a link."""

    x: float
    y: float
    name: str = ""
    href: str = ""


@dataclass(frozen=True)
class Layer:
    """The cases of one method; others, without an address, behind; and a line of means."""

    name: str
    dots: Sequence[Dot]
    others: Sequence[Dot]
    means: Sequence[tuple[float, float]]


def scales(values: Sequence[float], shares: Sequence[float], *, log: bool) -> list[Scale]:
    """Axes of both plots: values across, values upwards, shares across."""
    return [
        scale_of(values, _LEFT, _RIGHT), scale_of(values, _BOTTOM, _TOP),
        scale_of(shares, _LEFT, _RIGHT, log=log),
    ]  # fmt: skip


def versus(
    cases: tuple[Sequence[Dot], Sequence[Dot]],
    x: Scale,
    y: Scale,
    names: tuple[str, str],
    sides: tuple[str, str],
    alt: str,
) -> Chart:
    """Draw two methods against each other; on the diagonal both are level.

    Args:
        cases: Those with an address, and the others.
        x: Horizontal.
        y: Vertical, of the same values.
        names: Of the axes.
        sides: What is said of the dots above the diagonal, and of those below it.
        alt: What a reader who does not see it is told.
    """
    drawn = [
        *axes(x, y, names), line("level", (x.start, x.end), (y.start, y.end)),
        shape("text", "side above", text=sides[0], x=_LEFT + 2, y=_TOP - 26),
        shape("text", "side below", text=sides[1], x=_RIGHT, y=_TOP - 8, text_anchor="end"),
        _group("pair", cases, (x, y)),
    ]  # fmt: skip
    return Chart(*SIZE, alt, drawn, "dots versus", holds=True)


def along(layers: Sequence[Layer], x: Scale, y: Scale, names: tuple[str, str], alt: str) -> Chart:
    """Draw the values of two methods against something, with their means as lines.

    Args:
        layers: Of both.
        x: Horizontal.
        y: Vertical.
        names: Of the axes.
        alt: What a reader who does not see it is told.
    """
    drawn = [*axes(x, y, names)]
    for kind, layer, row in zip("ab", layers, (_TOP - 28, _TOP - 10), strict=True):
        drawn.append(_group(kind, (layer.dots, layer.others), (x, y)))
        means = path((x(a), y(b)) for a, b in layer.means) if layer.means else ""
        drawn.append(shape("path", f"means {kind}", d=means))
        drawn.append(shape("circle", f"key {kind}", cx=_LEFT + 6, cy=row - 4, r=5))
        drawn.append(shape("text", f"row {kind}", text=layer.name, x=_LEFT + 18, y=row))
    return Chart(*SIZE, alt, drawn, "dots along", holds=True)


def _group(
    kind: str, cases: tuple[Sequence[Dot], Sequence[Dot]], scales: tuple[Scale, Scale]
) -> Shape:
    linked, others = cases
    behind = dots((scales[0](d.x), scales[1](d.y)) for d in others if math.isfinite(d.x + d.y))
    faint = shape("path", "faint", d=behind)
    return shape("g", f"cases {kind}", faint, *_links(linked, scales))


def _links(cases: Sequence[Dot], scales: tuple[Scale, Scale]) -> Iterator[Shape]:
    """Each is there even without a value, so that the script finds it by its place."""
    for dot in cases:
        known = math.isfinite(dot.x + dot.y)
        x, y = (scales[0](dot.x), scales[1](dot.y)) if known else (0.0, 0.0)
        title = shape("title", text=dot.name)
        # The list of cases below has the same links for the keyboard.
        yield shape(
            "a", "", title, shape("circle", "", r=4.5, cx=x, cy=y), href=dot.href, tabindex="-1",
            display="inline" if known else "none",
        )  # fmt: skip
