"""Compare the methods of a run with each other, or the same methods in two runs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace

import pandas as pd

from bench import statistics
from bench.compare.asked import ALL, facts, tiers_of
from bench.errors import BenchError, InputError
from bench.folder import same_fills
from bench.folder.differences import environment_differences, protocol_differences
from bench.folder.header import UNKNOWN
from bench.folder.read import Run
from bench.statistics import CASE, MARKS, Comparison, Facts
from bench.statistics.comparison import PAIRS, finite_values, method_interval, rank_table, wide
from bench.statistics.coverage import reference_of, roles
from bench.statistics.floors import floor_note
from bench.statistics.notes import pair_notes


def compare_within(
    run: Run,
    metrics: Sequence[str] | None = None,
    tiers: Sequence[str] | None = None,
    reference: str | None = None,
) -> Comparison:
    """Compare the methods of a run with each other, tier by tier.

    Args:
        run: The run.
        metrics: Names; ``all`` for every measured one; the headline metric if omitted.
        tiers: Some of the run's tiers; all if omitted.
        reference: A method: each other one is compared with it, and with no other.

    Raises:
        BenchError: If a metric was not measured, or a tier or the reference does not occur.
    """
    chosen = facts(run, metrics)
    reference = reference_of(run.methods, reference)
    parts = []
    for tier in tiers_of([run], tiers):
        expected = int((run.plan["tier"] == tier).sum())
        for metric in chosen:
            if metric.scope == "set":
                from bench.compare import sets  # loads the metrics

                parts.append(sets.within(run, metric, tier, expected, reference))
            else:
                found = statistics.compare_methods(
                    run.cases, run.methods, metric, tier, expected=expected, reference=reference
                )
                if metric.name == run.headline.metric:
                    noted = floor_note(tier, metric.name, found.ranks, found.pairs)
                    found = replace(found, notes=(*found.notes, *noted))
                parts.append(found)
    only = [] if reference is None else [
        f"compared with {reference} only: ranges of ranks and letters would take all pairs"
    ]  # fmt: skip
    return statistics.joined(parts, [*_about(run), *_headline_note(run, metrics), *only])


def compare_between(
    a: Run,
    b: Run,
    metrics: Sequence[str] | None = None,
    tiers: Sequence[str] | None = None,
    *,
    anyway: bool = False,
) -> Comparison:
    """Compare each method of one run with the same method of another, case by case.

    Cases are matched by photo, tier and draw. Differences are B minus A: ``a`` of a pair is the
    method in B. The methods of a tier and metric are one family, floors another; the ceiling is
    the photo in both and is not tested.

    Args:
        a: The earlier run.
        b: The later run.
        metrics: Names; ``all`` for every one measured in both; of these the headline metric if
            omitted.
        tiers: Some of the tiers that both have; all of those if omitted.
        anyway: Compare runs of different protocols too, and say so in the notes.

    Raises:
        BenchError: If the protocols differ, a metric was not measured in both, or what is one
            method by all that is known of it gave different pictures.
        InputError: If the runs share no tier, no metric or no method.
    """
    there = {metric.name for metric in facts(b, [ALL])}
    both = _of_both(a, b, there)
    chosen = facts(a if metrics else both, metrics)
    if ALL in (metrics or [both.headline.metric or ALL]):
        chosen = [metric for metric in chosen if metric.name in there]
        if not chosen:
            raise InputError(f"{a.folder} and {b.folder} have no metric in common")
    lacking = [metric.name for metric in chosen if metric.name not in there]
    if lacking:
        raise BenchError(f"{', '.join(lacking)}: measured in {a.folder} but not in "
                         f"{b.folder}; give --metrics that both have")  # fmt: skip
    differs = protocol_differences(a, b, [metric.name for metric in chosen])
    if differs and not anyway:
        raise BenchError(
            f"{a.folder} (A) and {b.folder} (B) follow different protocols: "
            f"{'; '.join(differs)}. Their numbers do not belong in one table; run one of them "
            "again with the other's options, or give --anyway"
        )
    odd = same_fills.check([a, b], anyway=anyway)
    shared = [name for name in a.methods["method"] if name in set(b.methods["method"])]
    if not shared:
        raise InputError(f"{a.folder} and {b.folder} have no method in common")
    parts = []
    for tier in tiers_of([a, b], tiers):
        for metric in chosen:
            if metric.scope == "set":
                from bench.compare import sets_of_two_runs  # loads the metrics

                parts.append(sets_of_two_runs.between(a, b, metric, tier, shared))
            else:
                parts.append(_cases_between(a, b, metric, tier, shared))
    notes = [*_between_notes(a, b, differs, shared), *odd, *_headline_note(both, metrics)]
    every = metrics is not None and ALL in metrics
    return statistics.joined(parts, [*notes, *_of_one_only(a, b, every, tiers is None)])


def worsened(comparison: Comparison) -> list[str]:
    """Say which methods are significantly worse in the later of two runs, a line each.

    Args:
        comparison: Of `compare_between`, whose pairs are B, then A.

    Raises:
        InputError: If it has no pair, so that nothing could be worse.
    """
    if not comparison.pairs["n"].sum():
        raise InputError("expected cases that a method completed in both runs, found none")
    pairs = comparison.pairs[comparison.pairs["verdict"] == "b better"]
    return [
        f"worse: {row['a'].removesuffix(' (B)')}, {row['tier']}, {row['metric']}: "
        f"{row['difference']:+.4g} [{row['low']:.4g}, {row['high']:.4g}]"
        for row in pairs.to_dict("records")
    ]


def _about(run: Run) -> list[str]:
    notes = [f"{run.folder}: {run.header.fingerprint}"]
    if not run.complete:
        notes.append(f"{run.folder} is {run.state}: the numbers are of the cases done so far")
    samples = int(run.cases["sample"].max()) + 1 if len(run.cases) else 1
    if samples > 1:
        notes.append(f"{run.folder}: sample 0 of {samples}; the spread between draws is not "
                     "in the interval")  # fmt: skip
    return [*notes, *(f"{run.folder}: {name}: {why}" for name, why in run.flagged.items())]


def _headline_note(run: Run, metrics: Sequence[str] | None) -> list[str]:
    if metrics is not None:
        return []
    if not run.headline.metric and run.header.truth == UNKNOWN:
        return [
            f"{run.headline.reason}; what needs no truth ranks here, and says nothing of what is "
            "inside the holes"
        ]
    if not run.headline.metric:
        return [f"{run.headline.reason}; below is what was measured, each by itself"]
    return [f"ranked by {run.headline.metric}: {run.headline.reason}"]


def _of_both(a: Run, b: Run, there: Collection[str]) -> Run:
    """The first run, with the metrics absent that the other does not have."""
    lacks = ~a.metrics["metric"].isin(there) & (a.metrics["status"] == "ok")
    status = a.metrics["status"].mask(lacks, "absent")
    reason = a.metrics["reason"].mask(lacks, f"not measured in {b.folder}")
    return replace(a, metrics=a.metrics.assign(status=status, reason=reason))


def _between_notes(a: Run, b: Run, differs: Sequence[str], shared: Sequence[str]) -> list[str]:
    notes = [*(f"A = {text}" for text in _about(a)), *(f"B = {text}" for text in _about(b))]
    notes.append("differences are B minus A")
    ceilings = [name for name, role in roles(a.methods).items() if role == "ceiling"]
    if ceilings:
        notes.append(f"not tested, the photo itself in both runs: {', '.join(ceilings)}")
    if differs:
        notes.append(f"DIFFERENT PROTOCOLS, compared anyway: {'; '.join(differs)}")
    keys_a, keys_b = a.header.fill_keys, b.header.fill_keys
    changed = [name for name in shared if keys_a.get(name) != keys_b.get(name)]
    notes.append(f"code or settings differ: {', '.join(changed) or 'of no method'}")
    for run, name in ((a, "A"), (b, "B")):
        only = [m for m in run.methods["method"] if m not in shared]
        if only:
            notes.append(f"only in {name}, not compared: {', '.join(only)}")
    return notes + environment_differences(a.header, b.header)


def _of_one_only(a: Run, b: Run, every_metric: bool, every_tier: bool) -> list[str]:
    """What was to be compared as far as both runs have it, and only one has."""
    measured = [[metric.name for metric in facts(run, [ALL])] for run in (a, b)]
    kinds = [
        ("metrics", measured, every_metric), ("tiers", [a.tiers, b.tiers], every_tier)
    ]  # fmt: skip
    notes = []
    for kind, sides, asked in kinds:
        for name, own, other in (("A", *sides), ("B", *reversed(sides))):
            only = [each for each in own if each not in other]
            if asked and only:
                notes.append(f"{kind} only in {name}, not compared: {', '.join(only)}")
    return notes


def _cases_between(a: Run, b: Run, facts: Facts, tier: str, shared: Sequence[str]) -> Comparison:
    """One metric of single cases, each method with itself on the cases it completed in both."""
    both, names = [], {}
    for run, side, other in ((a, "A", b), (b, "B", a)):
        key = ["method", *CASE]
        there = statistics.completed(other.cases)[key]
        rows = statistics.completed(run.cases).merge(there, on=key)
        rows = rows[(rows["tier"] == tier) & rows["method"].isin(shared)]
        names[side] = {name: f"{name} ({side})" for name in shared}
        both.append(rows.assign(method=rows["method"].map(names[side])))
    rows, notes = finite_values(pd.concat(both, ignore_index=True), facts, tier)
    rows = _valued_in_both(rows, facts.name)
    values, clusters = wide(rows, facts.name)
    present = [name for name in shared if names["A"][name] in values]
    role = roles(a.methods)
    pairs = statistics.compare_pairs(
        values, clusters,
        [(names["B"][n], names["A"][n]) for n in present if role[n] != "ceiling"],
        metric=facts.name, higher=facts.higher,
        marks=[side[name] for side in names.values() for name in present if role[name] in MARKS],
    )  # fmt: skip
    order = [names[side][name] for name in present for side in ("A", "B")]
    intervals = {label: method_interval(rows, label, facts.name) for label in order}
    for name in shared:
        n = 0 if name not in present else int(values[names["A"][name]].notna().sum())
        planned = int((a.plan["tier"] == tier).sum())
        if n < planned:
            notes.append(f"{tier}: {name} on {n} of the {planned} cases of A")
    return Comparison(
        ranks=rank_table(tier, facts, order, dict.fromkeys(order, "compared"), intervals, pairs),
        pairs=pairs.assign(tier=tier, metric=facts.name)[PAIRS],
        notes=(*notes, *pair_notes(tier, facts.name, pairs)),
    )


def _valued_in_both(rows: pd.DataFrame, metric: str) -> pd.DataFrame:
    """Rows of the cases of which a method has a value in both runs."""
    rows = rows.dropna(subset=[metric])
    own = rows["method"].str.removesuffix(" (A)").str.removesuffix(" (B)")
    return rows[rows.groupby([own, *CASE])[metric].transform("size") == 2]
