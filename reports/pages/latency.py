"""The page on latency: how long methods take, how sure that is, and what it was measured on."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from bench.errors import InputError
from bench.folder import latency_facts
from bench.folder.schema import LATENCY_SAMPLES
from bench.folder.store import RunFolder, records
from bench.statistics import MARKS
from bench.text import numbers
from reports.plots import latency as plots
from reports.plots.exhibits import Numbers
from reports.plots.latency import Timed, timed_calls, with_medians
from reports.results import budget, tables
from reports.results.latency_rows import Part, part
from reports.results.ranking import Ranking
from reports.results.tables import Cell, Label
from reports.site.site import Site


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
        plots.distribution(site, timed, labels, *first),
        plots.scaling(site, timed, labels, first[1]),
        plots.by_hole(site, timed, labels, first[0]),
    ]
    context = {
        "facts": timed.facts,
        "device": timed.facts.anchor_identity.words,
        "sentence": _sentence(timed, labels, *first),
        "rates": plots.rates(timed, labels, *first),
        "noisy": [test for test in timed.facts.self_tests if not test.trusted],
        "budget": site.budget and budget.words(site.budget),
        "how": budget.how(site.run),
        "places": [(timed.sizes[side], tier) for side, tier in places],
        "matrix": budget.matrix(site.run, labels, places, site.budget) if site.budget else [],
        "parts": list(_parts(site, timed, labels, places, rankings)),
        "exhibits": [each for each in shown if each is not None],
        "throughput": _throughput(timed, labels),
        "settings": list(timed.facts.settings.items()),
        "ceilings": _ceilings(timed.facts.ceilings),
        "apart": [labels[n].title for n in latency_facts.apart(timed.table, timed.facts)],
    }
    site.page("latency.html", "latency.html", "Latency", context)


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
    return Timed(with_medians(site.run.latency, samples), samples, facts)


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
    for place in places:
        ranking = quality.get(place[1])
        yield part(site.run, timed.table, timed.facts, labels, *place, ranking, site.budget)


def _sentence(timed: Timed, labels: dict[str, Label], side: int, tier: str) -> str:
    """The fastest and the slowest from picture to picture."""
    rows = timed_calls(timed, "e2e", side, tier)
    rows = rows[~rows["family"].isin(MARKS)]
    if rows.empty:
        return "No method could be timed."
    fast, slow = (
        (
            labels[row["method"]].title,
            numbers.time(row["p50_ms"]),
            numbers.rate(1e3 / row["p50_ms"]),
        )
        for row in (records(rows)[0], records(rows)[-1])
    )
    start = f"At {timed.sizes[side]}, {numbers.holes(tier)}: {fast[0]} is the fastest"
    return (
        f"{start} with {fast[1]} a picture by the median call ({fast[2]} a second), {slow[0]} the "
        f"slowest with {slow[1]} ({slow[2]} a second)."
    )


def _throughput(timed: Timed, labels: dict[str, Label]) -> Numbers | None:
    """Pictures a second by batch; None if it was not measured."""
    rows = timed.table[timed.table["region"] == "throughput"]
    if rows.empty:
        return None
    batches = sorted({int(batch) for batch in rows["batch"]})
    values = []
    for method, own in rows.groupby("method", sort=False):
        known = {int(r["batch"]): r for r in records(own)}
        speeds = {batch: float(r["images_per_second"]) for batch, r in known.items()}
        best = max(speeds, key=lambda batch: (speeds[batch] > 0, speeds[batch]))
        values.append(
            (
                labels[str(method)],
                [
                    Cell(numbers.rate(speeds[batch]), best=batch == best)
                    if speeds.get(batch, 0) > 0
                    else Cell(numbers.NOTHING, remark=str(known.get(batch, {}).get("status", "")))
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
