"""The plots of latency: pictures a second, all calls, time against size, time against the hole."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from bench.folder import latency_facts
from bench.folder.latency_facts import LatencyFacts
from bench.folder.store import records
from bench.statistics import MARKS
from bench.text import numbers
from reports import figures
from reports.figures import Bar, Chart, Line, Samples
from reports.plots import exhibits
from reports.plots.exhibits import Exhibit, Numbers
from reports.results.tables import Cell, Label
from reports.site.site import Site

_ANCHOR = "anchor-v1"
_BINS = 6
_MOVES = 1.25  # times its shortest, from which on a method's time is said to depend on the hole


@dataclass(frozen=True)
class Timed:
    """What was measured, for the page.

    Attributes:
        table: Rows of ``latency.parquet``; its medians are of however few calls.
        samples: Rows of ``latency-samples.parquet``; empty if they are not in the folder.
        facts: Content of ``latency.json``.
    """

    table: pd.DataFrame
    samples: pd.DataFrame
    facts: LatencyFacts

    @cached_property
    def sizes(self) -> dict[int, str]:
        """Sizes in words, by side."""
        return latency_facts.sizes(self.table)


def rates(timed: Timed, labels: dict[str, Label], side: int, tier: str) -> Chart | None:
    """Pictures a second, one at a time, fastest method first; None where nothing was timed."""
    rows = records(timed_calls(timed, "e2e", side, tier))
    if not rows:
        return None
    drawn = [
        Bar(
            labels[row["method"]].title, row["family"],
            1e3 / row["p50_ms"], 1e3 / row["p50_high_ms"], 1e3 / row["p50_low_ms"],
            f"{numbers.rate(1e3 / row['p50_ms'])} /s, {numbers.time(row['p50_ms'])}",
            row["family"] not in MARKS,
        )
        for row in rows
    ]  # fmt: skip
    said = numbers.joined(f"{bar.label} {bar.words}" for bar in drawn[:3])
    alt = f"Pictures a second, fastest first: {said}. The table has all."
    return figures.bars(drawn, "pictures a second, one at a time, by the median call", alt)


def distribution(
    site: Site, timed: Timed, labels: dict[str, Label], side: int, tier: str
) -> Exhibit | None:
    """Every call that was timed, fastest method first."""
    rows = timed_calls(timed, "e2e", side, tier)
    here = (timed.samples["side"] == side) & (timed.samples["tier"] == tier)
    samples = timed.samples[here]
    drawn, values = [], []
    for row in records(rows):
        own = 1e3 * samples.loc[samples["method"] == row["method"], "e2e_wall"].to_numpy(float)
        if not len(own):
            continue
        label = labels[row["method"]]
        drawn.append(Samples(label.title, label.family, own, (row["p50_ms"], row["p90_ms"])))
        middle = [Cell(numbers.milliseconds(row[name])) for name in ("p50_ms", "p90_ms")]
        values.append((label, [Cell(str(len(own))), *middle]))
    if not drawn:
        return None
    fastest = numbers.joined(row.label for row in drawn[:3])
    return Exhibit(
        f"All calls, {timed.sizes[side]}, {numbers.holes(tier)}",
        exhibits.written(
            site, "latency-samples", figures.samples_size(len(drawn)),
            f"Milliseconds from picture to picture, a dot a call, fastest first: {fastest}.",
            figures.samples(drawn, "milliseconds from picture to picture"),
        ),
        "A dot a call; the box holds the middle half; ticks at the median and at p90, where there "
        f"were enough calls. At most {figures.MOST_SAMPLES} calls of a method are drawn.",
        Numbers("medians, 90th percentiles", ("Calls", "Median, ms", "p90, ms"), values),
    )  # fmt: skip


def scaling(site: Site, timed: Timed, labels: dict[str, Label], tier: str) -> Exhibit | None:
    """Time against size; None for one size."""
    rows = timed.table[(timed.table["region"] == "e2e") & (timed.table["tier"] == tier)]
    sides = sorted({int(side) for side in rows["side"]})
    if len(sides) < 2:
        return None
    heads = [timed.sizes[side] for side in sides]
    curves, gone, values = [], [], []
    for method, own in rows.groupby("method", sort=False):
        label = labels[str(method)]
        times = {int(r["side"]): float(r["p50_ms"]) for r in records(own) if r["p50_ms"] > 0}
        if times:
            curves.append(Line(label.title, label.family, sorted(times.items())))
            gone += [(label.title, label.family, side) for side in sides if side not in times]
        values.append((label, [_time(own, side) for side in sides]))
    if not curves:
        return None
    return Exhibit(
        "Time and size",
        exhibits.written(
            site, "latency-sizes", figures.TIMES_SIZE,
            f"Milliseconds from picture to picture at {numbers.joined(heads)}, "
            f"{numbers.holes(tier)}.",
            figures.against(
                curves,
                ("side of a square photo of as many pixels", "milliseconds"),
                doublings=True,
                gone=gone,
            ),
        ),
        f"Medians from picture to picture, {numbers.holes(tier)}, on logarithmic axes. Dashed: "
        "time that grows with the number of pixels. A cross at the upper edge: not to be had at "
        "that size.",
        Numbers("median milliseconds by size", heads, values),
    )  # fmt: skip


def _time(rows: pd.DataFrame, side: int) -> Cell:
    row = records(rows[rows["side"] == side])[0]
    if row["n"] > 0:
        return Cell(numbers.milliseconds(row["p50_ms"]))
    return Cell(numbers.NOTHING, remark=str(row["status"]))


def by_hole(site: Site, timed: Timed, labels: dict[str, Label], side: int) -> Exhibit | None:
    """Time against the share of the hole, of the methods for which it matters."""
    here = timed.samples[timed.samples["side"] == side]
    if here["tier"].nunique() < 2:
        return None
    samples = _over_anchor(here)
    edges = samples["hole_share"].quantile([i / _BINS for i in range(1, _BINS)]).to_numpy()
    samples = samples.assign(bin=edges.searchsorted(samples["hole_share"]))
    places = 100 * samples.groupby("bin")["hole_share"].mean()
    curves, values = [], []
    for method, own in samples.groupby("method", sort=False):
        times = own.groupby("bin")["ratio"].median()
        if str(method) not in labels or times.max() <= _MOVES * times.min():
            continue
        label = labels[str(method)]
        shared = places.reindex(times.index)
        points = [(float(x), float(time)) for x, time in zip(shared, times, strict=True)]
        curves.append(Line(label.title, label.family, points))
        known = times.reindex(places.index)
        values.append((label, [Cell(numbers.number(float(time), 2)) for time in known]))
    if not curves:
        return None
    shares = [f"{share:.0f} %" for share in places]
    named = numbers.joined(curve.label for curve in curves)
    return Exhibit(
        f"Time and hole, {timed.sizes[side]}",
        exhibits.written(
            site, "latency-holes", figures.TIMES_SIZE,
            f"Time from picture to picture against the share of the hole, of {named}.",
            figures.against(curves, ("share of the hole, %", "times the anchor")),
        ),
        f"Times from picture to picture over the anchor's of the same round, medians in {_BINS} "
        "bins of equal numbers of calls. Shown are the methods whose time changes by more than "
        f"{100 * (_MOVES - 1):.0f} % from bin to bin.",
        Numbers("median times the anchor by mean share of the hole", shares, values),
    )  # fmt: skip


def _over_anchor(samples: pd.DataFrame) -> pd.DataFrame:
    """Calls of methods with their time over the anchor's, so that the machine's drifts drop out."""
    place = ["tier", "round"]
    anchor = samples[samples["method"] == _ANCHOR].groupby(place)["infer_wall"].mean()
    calls = samples.dropna(subset=["e2e_wall", "hole_share"])
    calls = calls.join(anchor.rename("anchor"), on=place)
    return calls.assign(ratio=calls["e2e_wall"] / calls["anchor"]).dropna(subset=["ratio"])


def timed_calls(timed: Timed, region: str, side: int, tier: str) -> pd.DataFrame:
    """The rows of a region, size and tier with a median, fastest first."""
    table = timed.table
    here = (table["side"] == side) & (table["tier"] == tier) & (table["region"] == region)
    return table[here & (table["p50_ms"] > 0)].sort_values("p50_ms", kind="stable")


def with_medians(table: pd.DataFrame, samples: pd.DataFrame) -> pd.DataFrame:
    """The table with the median of calls where they are too few for it to be bounded.

    ``latency.parquet`` has none below 11 calls; one statistic can be shown of all methods only if
    those have theirs, which then has no interval.
    """
    place = ["method", "side", "tier"]
    for region in ("e2e", "infer"):
        found = (1e3 * samples.groupby(place, observed=True)[f"{region}_wall"].median()).rename(
            "own"
        )
        own = table[place].merge(found.reset_index(), how="left", on=place)["own"]
        lacking = (table["region"] == region) & (table["batch"] == 1) & table["p50_ms"].isna()
        table = table.assign(p50_ms=table["p50_ms"].mask(lacking, own.to_numpy()))
    return table
