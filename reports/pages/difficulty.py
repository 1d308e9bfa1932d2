"""Quality against how hard a case is: share and width of the hole, and where methods cross."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import pandas as pd

from bench import statistics
from bench.statistics import CASE, Bin, Crossing
from bench.statistics.significance import FEW
from bench.text import numbers
from reports import figures
from reports.figures import Line
from reports.plots import exhibits
from reports.plots.exhibits import Exhibit, Numbers
from reports.results import sentences, tables
from reports.results.kinds import RULE as KINDS_RULE
from reports.results.kinds import ByKind
from reports.results.ranking import Ranking
from reports.results.tables import Column
from reports.site.site import Site

_LEADS = " has the best mean; above"
_WIDE = 8  # times the least difficulty: from there on the axis is logarithmic
RULE = (
    "A crossing is named where one method is significantly better on the third of the cases with "
    "the smallest holes, and the other on the third with the largest: p of the paired difference "
    "(bootstrap-t over photos), adjusted for all pairs and both ends, below 0.05. Where they "
    "cross is read off the bins"
)


@dataclass(frozen=True)
class _Axis:
    """A measure of difficulty: column of the plan, factor, name, words, unit."""

    column: str
    factor: float
    name: str
    words: str
    unit: str

    @property
    def title(self) -> str:
        """Heading of a plot."""
        return f"Against the {self.name} of the hole"


_AXES = (
    _Axis("hole_share", 100, "share", "share of the picture missing", "%"),
    _Axis("hole_width", 1, "width", "width of the hole, largest unknown circle", "pixels"),
)


@dataclass(frozen=True)
class Curves:
    """A plot of quality against one measure, and what crosses along it.

    Attributes:
        exhibit: The plot.
        crossings: In words, each.
        axis: Name of the measure.
        lead: Who leads along it, with a place for that name.
        pairs: Number of pairs of methods that cross.
        means: By method, the places and means of the bins.
        none: What to say where there are none.
    """

    exhibit: Exhibit
    crossings: list[str]
    axis: str
    lead: str
    pairs: int
    means: dict[str, list[tuple[float, float]]]
    none: str = "No two methods are shown to change places as holes grow"


def of_tier(site: Site, ranking: Ranking, head: Column) -> list[Curves]:
    """Curves of one tier; none where it has too few cases."""
    if ranking.best is None:
        return []
    return _curves(site, ranking.values, ranking.photo_of, head, numbers.slug(ranking.tier))


def of_all(site: Site, rankings: Sequence[Ranking]) -> list[Curves]:
    """Curves over the cases of all tiers together, of the methods ranked in each of them."""
    if len(rankings) < 2 or any(ranking.best is None for ranking in rankings):
        return []
    everywhere = set.intersection(*({s.method for s in r.ranked} for r in rankings))
    names = [s.method for s in rankings[-1].ranked if s.method in everywhere]
    values = pd.concat([ranking.values[names] for ranking in rankings])
    photo_of = pd.concat([ranking.photo_of for ranking in rankings])
    head = tables.columns(site.run, rankings[-1], only=())[0]
    return _curves(site, values, photo_of, head, "all")


def _curves(
    site: Site, values: pd.DataFrame, photo_of: pd.Series, head: Column, name: str
) -> list[Curves]:
    if values.shape[1] == 0:
        return []
    plan = site.run.plan.set_index(CASE)
    found = []
    for axis in _AXES:
        difficulty = plan[axis.column].reindex(values.index) * axis.factor
        bins = statistics.binned(values, difficulty, photo_of)
        if bins:
            crossed = statistics.crossings(values, difficulty, photo_of, higher=head.higher)
            words = _in_words(site, crossed, axis)
            exhibit = _exhibit(site, bins, axis, head, f"{name}-{axis.column.replace('_', '-')}")
            lead = _lead(site, bins, crossed, axis, head)
            means = {
                str(method): [(each.centre, each.intervals[method].mean) for each in bins]
                for method in bins[0].intervals
            }
            found.append(Curves(exhibit, words, axis.name, lead, len(crossed), means))
            if photo_of.nunique() < FEW:
                found[-1] = replace(found[-1], none="Too few photos to show a crossing")
    return found


def _exhibit(site: Site, bins: Sequence[Bin], axis: _Axis, head: Column, name: str) -> Exhibit:
    methods = list(bins[0].intervals)
    labels = {method: tables.label(site.run, method) for method in methods}
    lines = [
        Line(
            labels[method].title, labels[method].family,
            [(each.centre, each.intervals[method].mean) for each in bins],
            [(each.intervals[method].low, each.intervals[method].high) for each in bins],
        )
        for method in methods
    ]  # fmt: skip
    log = bins[-1].centre > _WIDE * max(bins[0].centre, 1e-9)
    axes = (f"{axis.words}, {axis.unit}", f"{head.name}, {head.better}")
    n = sum(each.intervals[methods[0]].n for each in bins)
    plot = exhibits.written(
        site, name, figures.panels_size(len(lines)), _alt(site, bins, axis, head),
        figures.panels(lines, axes, log=log),
    )  # fmt: skip
    caption = (
        f"Means in {len(bins)} bins of about as many of the {n} cases each, at their median; "
        "bands: 95 % intervals, resampling photos; the other methods in grey. How two methods "
        "compare is told by their paired differences, which are less uncertain than the bands."
    )
    return Exhibit(axis.title, plot, caption, _numbers(site, bins, axis, head))


def _numbers(site: Site, bins: Sequence[Bin], axis: _Axis, head: Column) -> Numbers:
    def between(each: Bin) -> str:
        low, high = (numbers.number(value, 1) for value in (each.low, each.high))
        n = next(iter(each.intervals.values())).n
        return f"{low}{numbers.TO}{high} {axis.unit}, n = {n}"

    rows = [
        (
            tables.label(site.run, method),
            [tables.value_cell(each.intervals[method], head) for each in bins],
        )
        for method in bins[0].intervals
    ]
    return Numbers(f"{head.name} by {axis.words}", [between(each) for each in bins], rows)


def _alt(site: Site, bins: Sequence[Bin], axis: _Axis, head: Column) -> str:
    first, last = (sentences.title(site.run, _best(each, head)) for each in (bins[0], bins[-1]))
    same = first == last
    return (
        f"{head.label} against the {axis.words}: best mean of the first bin {first}, of the last "
        f"{'again ' if same else ''}{last}. The table has the numbers."
    )


def _in_words(site: Site, found: Sequence[Crossing], axis: _Axis) -> list[str]:
    """A sentence for each method that is overtaken, and where by whom."""
    groups: dict[tuple[str, float, float], list[Crossing]] = {}
    for each in sorted(found, key=lambda each: (each.easy, each.low, each.high, each.hard)):
        groups.setdefault((each.easy, each.low, each.high), []).append(each)
    words = []
    # Who is overtaken by most comes first.
    for (easy, low, high), members in sorted(groups.items(), key=lambda item: -len(item[1])):
        over = sentences.few([sentences.title(site.run, each.hard) for each in members])
        p = numbers.p_value(max(each.p for each in members))
        words.append(
            f"Below {_place(low, axis)} {sentences.title(site.run, easy)} wins; above "
            f"{_place(high, axis)} {over} ({p})."
        )
    return words


def _lead(
    site: Site, bins: Sequence[Bin], found: Sequence[Crossing], axis: _Axis, head: Column
) -> str:
    """Whether the lead changes hands along the axis, whose name goes to ``{}``."""
    leads = [_best(each, head) for each in bins]
    first, last = (sentences.title(site.run, leads[end]) for end in (0, -1))
    if set(leads) == {leads[0]}:
        return f"{first} has the best mean at every {{}}"
    turn = [each for each in found if (each.easy, each.hard) == (leads[0], leads[-1])]
    if turn:
        low, high = (_place(value, axis) for value in (turn[0].low, turn[0].high))
        p = numbers.p_value(turn[0].p)
        return f"below a {{}} of {low} {first}{_LEADS} {high} {last} ({p})"
    ends = f"{first} at both ends"
    if first != last:
        ends = f"{first} in small holes and of {last} in large ones"
    return f"by {{}}, the best mean is that of {ends}; that the lead changes hands is not shown"


def findings(curves: Sequence[Curves]) -> list[str]:
    """Who leads along share and width of the hole, and how many methods cross, as sentences."""
    alike: dict[str, list[str]] = {}
    for each in curves:
        alike.setdefault(each.lead, []).append(each.axis)
    said = [f"{lead.format(numbers.joined(axes))}." for lead, axes in alike.items()]
    most = max(curves, key=lambda each: each.pairs)
    changes = most.none
    if most.pairs:
        change = "changes" if most.pairs == 1 else "change"
        changes = (
            f"By {most.axis}, {numbers.counted(most.pairs, 'pair')} of methods {change} places"
        )
        if _LEADS not in most.lead:  # the lead is the best example
            example = numbers.lower_first(most.crossings[0].removesuffix("."))
            changes += f"{', such as' if most.pairs > 1 else ''}: {example}"
    said.append(f"{changes}.")
    return [numbers.capital(each) for each in said]


def _best(each: Bin, head: Column) -> str:
    sign = -1 if head.higher else 1
    return min(each.intervals, key=lambda method: sign * each.intervals[method].mean)


def _place(value: float, axis: _Axis) -> str:
    return f"{float(f'{value:.2g}'):g} {axis.unit}"  # two digits, never 1e+02


def write(site: Site, curves: Sequence[Curves], kinds: ByKind | None) -> None:
    """Write ``difficulty.html``, if there is anything to show."""
    if site.has_difficulty:
        context = {"curves": curves, "rule": RULE, "kinds": kinds, "kinds_rule": KINDS_RULE}
        site.page("difficulty.html", "difficulty.html", "Difficulty", context)
