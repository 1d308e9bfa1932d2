"""The page on latency: how long methods take, how sure that is, and what it was measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import pandas as pd

from bench.errors import InputError
from bench.folder import latency_facts
from bench.folder.latency_facts import AnchorPlace, LatencyFacts
from bench.folder.schema import LATENCY_SAMPLES
from bench.folder.store import RunFolder, records
from bench.statistics import MARKS
from bench.text import numbers
from reports import figures
from reports.figures import Line, Samples
from reports.plots import exhibits
from reports.plots.exhibits import Exhibit, Numbers
from reports.results import tables
from reports.results.latency_rows import Part, part
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Label
from reports.site.site import Site

_ANCHOR = "anchor-v1"
_BINS = 6
_MOVES = 1.25  # times its shortest, from which on a method's time is said to depend on the hole


@dataclass(frozen=True)
class Timed:
    """What was measured, for the page.

    Attributes:
        table: Rows of ``latency.parquet``.
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


def write(site: Site, rankings: Sequence[Ranking]) -> None:
    """Write ``latency.html``, if latency was measured."""
    timed = _read(site)
    if timed is None:
        return
    calls = timed.table[timed.table["region"].isin(["e2e", "infer"])]
    places = list(calls[["side", "tier"]].drop_duplicates().itertuples(index=False, name=None))
    labels = {str(name): _label(site, timed, str(name)) for name in calls["method"].unique()}
    first = places[0]
    shown = [
        _distribution(site, timed, labels, *first),
        _scaling(site, timed, labels, first[1]),
        _by_hole(site, timed, labels, first[0]),
    ]
    context = {
        "facts": timed.facts,
        "device": _device(timed.facts.anchor_identity),
        "sentence": _sentence(timed, labels, *first),
        "parts": list(_parts(site, timed, labels, places, rankings)),
        "exhibits": [each for each in shown if each is not None],
        "throughput": _throughput(timed, labels),
        "settings": list(timed.facts.settings.items()),
        "ceilings": _ceilings(timed.facts.ceilings),
        "waiting": [labels[name].title for name in _waiting(timed, calls)],
    }
    site.page("latency.html", "latency.html", "Latency", context)


def _waiting(timed: Timed, calls: pd.DataFrame) -> list[str]:
    """Methods that CPU time does not see, so that their ratios are of wall time."""
    apart = calls[(calls["basis"] == "wall") & (timed.facts.basis == "cpu")]
    return list(apart["method"].unique())


def _read(site: Site) -> Timed | None:
    if site.run.latency.empty:
        return None
    store = RunFolder(site.run.folder)
    try:
        facts = latency_facts.read(store)
    except InputError:  # joined runs have their tables only
        return None
    try:
        samples = store.read_table("latency-samples.parquet")
    except InputError:
        samples = LATENCY_SAMPLES.frame([])
    return Timed(site.run.latency, samples, facts)


def _label(site: Site, timed: Timed, method: str) -> Label:
    """Of a method, which need not be one of the run."""
    if method in site.run.methods.index:
        return tables.label(site.run, method)
    row = timed.table[timed.table["method"] == method].iloc[0]
    known = bool(row["title"])
    return tables.labelled(
        method, str(row["title"]) if known else method, str(row["family"]) if known else "other"
    )


def _parts(
    site: Site,
    timed: Timed,
    labels: dict[str, Label],
    places: Sequence[tuple[int, str]],
    rankings: Sequence[Ranking],
) -> Iterator[Part]:
    quality = {ranking.tier: ranking for ranking in rankings}
    for side, tier in places:
        yield part(site.run, timed.table, timed.facts, labels, side, tier, quality.get(tier))


def _sentence(timed: Timed, labels: dict[str, Label], side: int, tier: str) -> str:
    """The fastest and the slowest from picture to picture, as far as anchors can be trusted."""
    rows = _calls(timed, "e2e", side, tier).sort_values("mean_ms")
    rows = rows[~rows["family"].isin(MARKS)]
    noisy = [test for test in timed.facts.self_tests if not test.trusted]
    if rows.empty:
        return "No method could be timed."
    fast, slow = records(rows)[0], records(rows)[-1]
    words = (
        f"At {timed.sizes[side]}, {numbers.holes(tier)}: {labels[fast['method']].title} is the "
        f"fastest with {numbers.milliseconds(fast['mean_ms'])} ms a picture on average, "
        f"{labels[slow['method']].title} the slowest with "
        f"{numbers.milliseconds(slow['mean_ms'])} ms."
    )
    if noisy:
        words += (
            " The machine was too noisy for comparisons: a fixed workload differed from itself by "
            "more than 5 %."
        )
    return words


def _device(anchor: AnchorPlace) -> str:
    where = anchor.accelerator or anchor.processor
    return f"{where}, {numbers.counted(anchor.threads, 'thread')} a process"


def _distribution(
    site: Site, timed: Timed, labels: dict[str, Label], side: int, tier: str
) -> Exhibit | None:
    """Every call that was timed, fastest method first."""
    rows = _calls(timed, "e2e", side, tier).sort_values("mean_ms")
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
        Numbers("medians and 90th percentiles", ("Calls", "p50, ms", "p90, ms"), values),
    )  # fmt: skip


def _scaling(site: Site, timed: Timed, labels: dict[str, Label], tier: str) -> Exhibit | None:
    """Time against size; None for one size."""
    rows = timed.table[(timed.table["region"] == "e2e") & (timed.table["tier"] == tier)]
    sides = sorted({int(side) for side in rows["side"]})
    if len(sides) < 2:
        return None
    heads = [timed.sizes[side] for side in sides]
    curves, gone, values = [], [], []
    for method, own in rows.groupby("method", sort=False):
        label = labels[str(method)]
        times = {int(r["side"]): float(r["mean_ms"]) for r in records(own) if r["n"] > 0}
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
        f"Means from picture to picture, {numbers.holes(tier)}, on logarithmic axes. Dashed: time "
        "that grows with the number of pixels. A cross at the upper edge: not to be had at that "
        "size.",
        Numbers("mean milliseconds by size", heads, values),
    )  # fmt: skip


def _time(rows: pd.DataFrame, side: int) -> Cell:
    row = records(rows[rows["side"] == side])[0]
    if row["n"] > 0:
        return Cell(numbers.milliseconds(row["mean_ms"]))
    return Cell(numbers.NOTHING, remark=str(row["status"]))


def _by_hole(site: Site, timed: Timed, labels: dict[str, Label], side: int) -> Exhibit | None:
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


def _throughput(timed: Timed, labels: dict[str, Label]) -> Numbers | None:
    """Pictures a second by batch; None if it was not measured."""
    rows = timed.table[timed.table["region"] == "throughput"]
    if rows.empty:
        return None
    batches = sorted({int(batch) for batch in rows["batch"]})
    values = []
    for method, own in rows.groupby("method", sort=False):
        speeds = {int(r["batch"]): float(r["images_per_second"]) for r in records(own)}
        best = max(speeds, key=lambda batch: speeds[batch])
        values.append(
            (
                labels[str(method)],
                [
                    Cell(_speed(speeds[batch]), best=batch == best)
                    if batch in speeds
                    else Cell(numbers.NOTHING)
                    for batch in batches
                ],
            )
        )
    return Numbers(
        "Pictures a second through the network, by pictures at once; the most of each method in "
        "bold. Growing batches end when one gains less than 5 %, or memory runs out",
        [str(batch) for batch in batches],
        values,
    )


def _speed(value: float) -> str:
    return f"{float(f'{value:.3g}'):,g}"


def _ceilings(found: Mapping[str, float]) -> list[tuple[str, str]]:
    words = {
        "copy": ("copying in memory", "GB/s", 1e9),
        "fp32": ("matrix product, float32", "TFLOP/s", 1e12),
        "tf32": ("matrix product, TF32", "TFLOP/s", 1e12),
        "bf16": ("matrix product, bfloat16", "TFLOP/s", 1e12),
    }
    return [
        (words[name][0], f"{value / words[name][2]:,.3g} {words[name][1]}")
        for name, value in found.items()
        if name in words
    ]


def _calls(timed: Timed, region: str, side: int, tier: str) -> pd.DataFrame:
    table = timed.table
    here = (table["side"] == side) & (table["tier"] == tier) & (table["region"] == region)
    return table[here & (table["n"] > 0)]
