"""Plots as files of the report; those of a tier: means, and differences from the best."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from bench.statistics import Interval
from reports import figures, numbers, sentences
from reports.figures import Point
from reports.ranking import Gap, Ranking, Scores
from reports.run import Run
from reports.site import Site
from reports.tables import Column


@dataclass(frozen=True)
class Plot:
    """A plot for light and one for dark pages; paths relative to the report, size in pixels."""

    light: str
    dark: str
    width: int
    height: int
    alt: str


def means(site: Site, ranking: Ranking, head: Column, conclusion: str) -> Plot:
    """Means of the headline metric with their intervals, floors and ceiling included."""
    scores = [s for s in [*ranking.ranked, *ranking.marks] if head.metric in s.values]
    points = [_point(site.run, s, s.values[head.metric], s in ranking.ranked) for s in scores]
    axis = f"{head.name}, {head.better}"
    alt = f"{conclusion} Means with 95 % intervals; the table has the numbers."
    return _written(
        site, ranking, "means", points, alt, lambda s: figures.point_range(points, axis, s)
    )


def differences(site: Site, ranking: Ranking, head: Column) -> Plot | None:
    """Each competing method minus the best; None with nothing to subtract."""
    gaps: list[tuple[Scores, Gap]] = [(s, s.gap) for s in ranking.ranked if s.gap is not None]
    if ranking.best is None or not gaps:
        return None
    points = [_point(site.run, s, gap.interval, gap.significant) for s, gap in gaps]
    best = sentences.title(site.run, ranking.best.method)
    worse = "left" if ranking.higher_is_better else "right"
    axis = f"{head.name} minus that of {best}, {worse} is worse"
    return _written(
        site, ranking, "differences", points, sentences.differences(site.run, ranking),
        lambda s: figures.paired_differences(points, ranking.margin, axis, s),
    )  # fmt: skip


def _point(run: Run, scores: Scores, interval: Interval, filled: bool) -> Point:
    family = str(run.methods.loc[scores.method, "family"])
    return Point(sentences.title(run, scores.method), family, interval, filled)


def _written(
    site: Site,
    ranking: Ranking,
    kind: str,
    points: Sequence[Point],
    alt: str,
    draw: Callable[[str], bytes],
) -> Plot:
    name = f"{numbers.slug(ranking.tier)}-{kind}"
    return written(site, name, figures.size(len(points)), alt, draw)


def written(
    site: Site, name: str, size: tuple[int, int], alt: str, draw: Callable[[str], bytes]
) -> Plot:
    """Draw a plot for light and for dark pages.

    Args:
        site: The report.
        name: Beginning of the file names, fit for a path.
        size: Width and height, in points.
        alt: What a reader who does not see it is told.
        draw: Makes the SVG of a scheme, ``light`` or ``dark``.
    """
    paths = {}
    for scheme in ("light", "dark"):
        paths[scheme] = f"plots/{name}-{scheme}.svg"
        target = site.folder / paths[scheme]
        target.parent.mkdir(exist_ok=True)
        target.write_bytes(draw(scheme))
    return Plot(paths["light"], paths["dark"], *size, alt)
