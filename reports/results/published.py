"""What was published of a run's methods, beside what the run measured, where both are the same."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from bench.folder.read import Run
from bench.protocols.read import catalogue
from bench.protocols.record import NOT_REPRODUCIBLE, STATISTICAL, Published, Row
from bench.statistics import Interval
from bench.text import numbers
from reports.results.ranking import Ranking, Scores

REPRODUCED, DIFFERS, OPEN = "reproduced", "differs", "cannot be told"
SHARE, DECIBELS, WIDE = 0.02, 0.1, 5
TOLERANCE = (
    f"A figure counts as reproduced within {100 * SHARE:.0f} % of it ({DECIBELS} dB of decibels), "
    "or half of its last digit if that is more. Where photos or holes are others of the same kind "
    "(a statistical protocol), also where it is less than that outside of the 95 % interval over "
    f"photos here, unless half of that is more than {WIDE} tolerances, which would tell nothing."
)


@dataclass(frozen=True)
class Claim:
    """A published figure, beside that of a run.

    Attributes:
        row: What was published with it.
        metric: Name of the metric.
        label: That for readers.
        value: The figure.
        decimals: Digits after the point of all published figures of that metric.
        allowed: How far off a figure may be that counts as reproduced, in its unit.
        ours: What the run measured.
        why: Why the two are not to be held against each other; empty if they are.
        statistical: Whether photos or holes are others of the same kind.
    """

    row: Row
    metric: str
    label: str
    value: float
    decimals: int
    allowed: float
    ours: Interval
    why: str = ""
    statistical: bool = False

    @property
    def difference(self) -> Interval:
        """Ours minus the figure; its interval is that of ours."""
        low, high = self.ours.low - self.value, self.ours.high - self.value
        return Interval(self.ours.mean - self.value, low, high, self.ours.n, self.ours.clusters)

    @property
    def verdict(self) -> tuple[str, str]:
        """One of the three outcomes, and what it rests on."""
        if self.why:
            return OPEN, self.why
        allowed = f"{self.allowed:.3g}"
        off, half = self.difference, self.ours.half_width
        if abs(off.mean) <= self.allowed:
            return REPRODUCED, f"within {allowed}"
        if self.statistical and math.isnan(half):
            return OPEN, f"not within {allowed}, and there is no interval over photos"
        if self.statistical and off.low - self.allowed <= 0 <= off.high + self.allowed:
            if half > WIDE * self.allowed:
                return OPEN, f"the interval over photos is wide against the tolerance of {allowed}"
            return REPRODUCED, "within the interval over photos"
        return DIFFERS, f"by more than {allowed}"

    @property
    def published(self) -> str:
        """The figure as it was published."""
        return numbers.number(self.value, self.decimals)

    def facts(self) -> Iterator[tuple[str, str]]:
        """All that is to be known of it, each with its name."""
        yield "Published", f"{self.published} of {self.row.title}"
        if not self.why:
            off = self.difference
            # Two digits of the interval, and all that were published.
            decimals = max(numbers.decimals_for([off.half_width]), self.decimals)
            yield "Here", _shown(self.ours, numbers.number, decimals)
            yield "Difference", _shown(off, numbers.signed, decimals)
        yield "Verdict", ": ".join(self.verdict)
        copied = " (read in a copy of it)" if self.row.secondary else ""
        yield "Source", self.row.source + copied
        if self.row.note:
            yield "Mind", self.row.note


def line(claim: Claim) -> str:
    """All that `Claim.facts` says, on a line that begins with the outcome."""
    facts = dict(claim.facts())
    outcome, why = claim.verdict
    here = f", here {facts['Here']}, difference {facts['Difference']}" if "Here" in facts else ""
    return (f"{outcome}: {claim.label}, published {facts['Published']}{here}: {why}. "
            f"Source: {facts['Source']}")  # fmt: skip


def followed(run: Run) -> Published | None:
    """The published protocol that a run followed; None without one, or if it is none of today's."""
    name = str(run.header.protocol.get("published", ""))
    return catalogue().get(name) if name else None


def beside(run: Run, ranking: Ranking) -> Mapping[tuple[str, str], list[Claim]]:
    """Figures that hold in a tier, by method and metric, those read in a copy last."""
    found: dict[tuple[str, str], list[Claim]] = {}
    for scores, claim in sorted(_all(run, ranking), key=lambda each: each[1].row.secondary):
        if not claim.why:
            found.setdefault((scores.method, claim.metric), []).append(claim)
    return found


def left_out(run: Run, ranking: Ranking) -> list[str]:
    """Why figures of the methods of a tier are not shown, one sentence a reason, no point."""
    whose: dict[str, dict[str, None]] = {}
    for _, claim in _all(run, ranking):
        if claim.why:
            whose.setdefault(claim.why, {})[claim.row.title] = None
    return [
        f"Published figures of {numbers.joined(titles)} are not shown: {why}"
        for why, titles in whose.items()
    ]


def claims(run: Run, ranking: Ranking, of: Published, row: Row, method: str) -> list[Claim]:
    """A row's figures beside what a method reached.

    Args:
        run: The run.
        ranking: A tier of it.
        of: The protocol.
        row: What was published.
        method: Full name of the method that is held against it.
    """
    scores = next((each for each in ranking.all_scores if each.method == method), None)
    known = run.metrics.set_index("metric")
    nothing = Interval(math.nan, math.nan, math.nan, 0, 0)
    found = []
    for metric, value in row.figures.items():
        here = metric in known.index
        label = str(known.loc[metric, "label"]) if here else metric
        decibels = here and known.loc[metric, "unit"] == "dB"
        # A zero at the end of one figure is lost in reading, not that of all.
        decimals = max(_decimals(each.figures.get(metric, 0.0)) for each in (row, *of.rows))
        last = 0.5 * 10.0 ** -max(decimals, 1)
        allowed = max(DECIBELS if decibels else SHARE * abs(value), last)
        why = unlike(run, of) or _lacking(run, of, scores, metric, label)
        ours = scores.values.get(metric, nothing) if scores else nothing
        statistical = of.reproduces == STATISTICAL
        found.append(Claim(row, metric, label, value, decimals, allowed, ours, why, statistical))
    return found


def hopeless(of: Published) -> str:
    """Why no run can be held against a protocol's figures; empty if one can."""
    if of.reproduces == NOT_REPRODUCIBLE:
        return f"nobody can reproduce figures of {of.name}: {of.why.rstrip('.')}"
    return "" if of.expects else f"how many pictures were scored is not known of {of.name}"


def unlike(run: Run, of: Published) -> str:
    """Why a run's numbers are none of a protocol's; empty if they are."""
    if why := hopeless(of):
        return why
    if not run.complete:
        return "the run is not complete"
    if run.differences:
        return "the runs in this report differ"
    asked = {"size": of.size, "paste": of.score.paste, "quantise": of.score.quantise}
    for name, expected in asked.items():
        found = run.header.protocol.get(name, "unknown")
        if str(found or "native") != expected:  # no size is that of the photos
            return f"the run has {name} {found}, {of.name} has {expected}"
    if len(run.tiers) > 1:
        return f"the run has {len(run.tiers)} tiers, {of.name} has figures of all holes together"
    if len(run.plan) != of.expects:
        return f"the run has {len(run.plan):,} pictures, {of.name} has {of.expects:,}"
    return ""


def _all(run: Run, ranking: Ranking) -> Iterator[tuple[Scores, Claim]]:
    """Every figure that was published of the methods of a tier, with those of the run."""
    if of := followed(run):
        for scores in ranking.all_scores:
            for row in of.rows:
                if row.method == scores.method:
                    for claim in claims(run, ranking, of, row, scores.method):
                        yield scores, claim


def _lacking(run: Run, of: Published, scores: Scores | None, metric: str, label: str) -> str:
    """Why a figure of a run that follows the protocol has no counterpart; empty if it has one."""
    if scores is None:
        return "the method completed no picture"
    value = scores.values.get(metric)
    if value is None or math.isnan(value.mean):
        reasons = run.metrics.loc[run.metrics["metric"] == metric, "reason"].tolist()
        return ": ".join(filter(None, [f"its {label} was not measured", *reasons]))
    if value.n != of.expects:
        return f"its {label} is over {value.n:,} of {of.expects:,} pictures"
    if scores.capped.get(metric):
        return f"its {label} is infinite of some fills, which count as 100 dB"
    return ""


def _decimals(value: float) -> int:
    """Digits after the point that a figure was published with."""
    return len(f"{value:.6f}".rstrip("0").partition(".")[2])


def _shown(value: Interval, number: Callable[[float, int], str], decimals: int) -> str:
    """A mean and its interval, as far as there is one."""
    between = numbers.interval(value.low, value.high, decimals)
    return f"{number(value.mean, decimals)} {between}".strip()
