"""Plots as files of the report, each with what belongs to it: caption, alternative, numbers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from bench.folder.read import Run
from bench.statistics import Interval
from bench.text import numbers
from reports import figures
from reports.figures import Chart, Point
from reports.results import cautions, sentences, table_notes
from reports.results.gaps import Gap
from reports.results.ranking import Ranking, Scores
from reports.results.tables import Cell, Column, Label
from reports.site.site import Site


@dataclass(frozen=True)
class Plot:
    """A plot in a file, for light and dark pages; its path in the report, its size in pixels."""

    path: str
    width: int
    height: int
    alt: str


@dataclass(frozen=True)
class Numbers:
    """The numbers of a plot as a table: a caption, heads of columns, a row per method."""

    caption: str
    head: Sequence[str]
    rows: Sequence[tuple[Label, Sequence[Cell]]]


@dataclass(frozen=True)
class Exhibit:
    """A plot, what it shows, and its numbers where no other table of the page has them."""

    title: str
    plot: Plot | Chart
    caption: str
    numbers: Numbers | None = None


def means(site: Site, ranking: Ranking, head: Column, conclusion: str) -> Exhibit:
    """Means of the headline metric with their intervals, floors and ceiling included."""
    scores = [s for s in [*ranking.ranked, *ranking.marks] if head.metric in s.values]
    points = [point(site.run, s, s.values[head.metric], s in ranking.ranked) for s in scores]
    axis = f"{head.name}, {head.better}"
    alt = f"{conclusion} Means with 95 % intervals; the table of all metrics has the numbers."
    return Exhibit(
        "Means",
        _rows(site, ranking, "means", points, alt, figures.point_range(points, axis)),
        "Mean and 95 % interval; dotted line at the best; hollow: reference points (not ranked).",
    )


def differences(site: Site, ranking: Ranking, head: Column) -> Exhibit | None:
    """Each competing method minus the best, or the reference; None with nothing to subtract."""
    gaps: list[tuple[Scores, Gap]] = [(s, s.gap) for s in ranking.ranked if s.gap is not None]
    if ranking.base is None or not gaps:
        return None
    points = [point(site.run, s, gap.interval, gap.significant) for s, gap in gaps]
    best = sentences.title(site.run, ranking.base.method)
    worse = "left" if ranking.higher_is_better else "right"
    axis = f"{head.name} minus that of the {'reference' if ranking.reference else 'best'}"
    margin = sentences.margin(ranking, head.unit)
    band = (
        f" Band: the margin of {margin}, within which a difference is of no practical weight."
        if margin
        else ""
    )
    return Exhibit(
        "Differences from the reference" if ranking.reference else "Differences from the best",
        _rows(
            site, ranking, "differences", points, sentences.differences(site.run, ranking),
            figures.paired_differences(points, ranking.margin, axis),
        ),
        f"Paired difference from {best}, with the interval that holds for all "
        f"{table_notes.compared(ranking)} at 95 %; {worse} is worse. Filled: significant: it "
        f"leaves out 0.{band}{cautions.equivalence(ranking)}",
    )  # fmt: skip


def point(run: Run, scores: Scores, interval: Interval, filled: bool) -> Point:
    """A method as a mark of a plot."""
    family = str(run.methods.loc[scores.method, "family"])
    return Point(sentences.title(run, scores.method), family, interval, filled)


def _rows(
    site: Site, ranking: Ranking, kind: str, points: Sequence[Point], alt: str, svg: bytes
) -> Plot:
    name = f"{numbers.slug(ranking.tier)}-{kind}"
    return written(site, name, figures.size(len(points)), alt, svg)


def written(site: Site, name: str, size: tuple[int, int], alt: str, svg: bytes) -> Plot:
    """Write a plot.

    Args:
        site: The report.
        name: Of the file, fit for a path.
        size: Width and height, in points.
        alt: What a reader who does not see it is told.
        svg: As the functions of `reports.figures` give it.
    """
    path = f"plots/{name}.svg"
    (site.folder / "plots").mkdir(exist_ok=True)
    (site.folder / path).write_bytes(svg)
    return Plot(path, *size, alt)
