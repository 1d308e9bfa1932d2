"""From fragments to the tables of a run, and what of a run is settled already."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd

from bench.errors import BenchError
from bench.folder import fill_keys, kept, schema
from bench.folder.header import Header
from bench.folder.same_fills import machines_agree, other_pictures
from bench.folder.schema import CASES
from bench.folder.store import KEYS, Item, RunFolder, records
from bench.gate.tolerances import CEILING
from bench.machine import provenance
from bench.metrics.meter import MetricStatus
from bench.metrics.networks import FID_FLOAT
from bench.planning.images import content_hash
from bench.planning.plan import picture_files
from bench.run.fill_row import Kept
from bench.run.samples_table import sample_rows
from bench.run.sets_table import set_rows

Earlier = dict[str, dict[Item, Kept]]
_PLANNED = ("case_key", "case", "cluster", "prompt")


def metrics_table(metrics: Sequence[MetricStatus]) -> pd.DataFrame:
    """One row per metric asked for: what it is, and why it is absent."""
    fields = ("label", "unit", "direction", "scope", "region", "implementation", "version")
    return schema.METRICS.frame(
        {
            "metric": entry.metric.name,
            **{name: getattr(entry.metric, name) for name in fields},
            "weights": entry.metric.weights,
            "note": entry.metric.note,
            "status": entry.status,
            "reason": entry.reason,
            "definition": entry.metric.definition,
            "range": entry.metric.range,
            "reference": entry.metric.reference,
        }
        for entry in metrics
    )


def settled(
    store: RunFolder, fragments: pd.DataFrame, header: Header, *, retry_failed: bool
) -> tuple[pd.DataFrame, Earlier, dict[str, int]]:
    """See what earlier starts did; pictures that are damaged are set aside.

    Returns:
        The fills that need nothing more: columns ``method``, ``case``, ``sample``, ``status``; by
        method and item what stays of fills that still hold but must be measured again; and by
        method how many hold no more for their pictures.
    """
    plan = store.read_table("plan.parquet", (*_PLANNED, "photo_sha", "mask_sha", "truth"))
    rows = _current(fragments, plan, header)
    damages = kept.damaged(store, rows[rows["status"].eq("ok")], content_hash)
    damages = damages[damages.map(bool)]
    for name in {*damages.explode()} - {*picture_files(plan)}:  # those workers hold to the plan
        store.set_aside(name)
    lost = rows.loc[damages.index, "method"].value_counts().to_dict()
    rows = rows.drop(index=damages.index)
    good, enough = rows["status"].eq("ok"), rows["measured"].astype(bool)
    held = rows["output"].ne("")
    for network in header.features:
        there = rows["output_sha"].isin(store.has_features(network))
        enough &= there
        if network == FID_FLOAT:  # which the picture that was kept cannot tell
            held &= there
    # What was never tried, as for want of weights, may go well by now.
    final = rows["attempt"].astype(bool)
    if retry_failed:
        final &= rows["status"].eq("declined")
    done = rows.loc[enough.where(good, final), ["method", "case", "sample", "status"]]
    earlier: Earlier = {}
    for row in records(rows[good & ~enough & held]):
        if store.file(row["output"]).exists():
            earlier.setdefault(row["method"], {})[Item(row["case"], row["sample"])] = Kept.of(row)
    return done, earlier, lost


def tried(store: RunFolder, fragments: pd.DataFrame, header: Header, method: str) -> pd.DataFrame:
    """The fills of a method that have a row, whatever it says; columns ``case``, ``sample``."""
    own = fragments[fragments["method"] == method]
    return _current(own, store.read_table("plan.parquet", _PLANNED), header)[["case", "sample"]]


def of_others(fragments: pd.DataFrame, header: Header) -> dict[str, int]:
    """Number of fills that methods have only by what they were before, and that hold no more."""
    if fragments.empty:
        return {}
    good = fragments[fragments["status"] == "ok"]
    today = _by_todays(good, header)
    counts = good.groupby("method")["case_key"].nunique()[~today.groupby(good["method"]).any()]
    passing = {CEILING, *header.made_anew}  # one changes with the truths
    ours = header.fill_keys.keys() - passing
    return {str(name): int(n) for name, n in counts.items() if name in ours}


def finish(
    store: RunFolder,
    header: Header,
    *,
    state: str,
    fragments: pd.DataFrame | None = None,
    files: Mapping[str, Path] = MappingProxyType({}),
    device: str = "cpu",
    threads: int = 1,
) -> Header:
    """Compact the fragments, compute what looks at several fills, and close ``run.json``.

    Args:
        store: The run folder.
        header: The content of ``run.json``.
        state: How the run ended.
        fragments: What the fragments hold, if they were read after the last was written.
        files: Weight files of metric networks, where they were given.
        device: Where metric networks run.
        threads: How many compute the metrics of sets.

    Returns:
        The content of ``run.json``; its ``state`` is ``incomplete`` while fills are missing.

    Raises:
        BenchError: After all is written, if a method gave other pictures for what was the same by
            all that is known of it, on one machine, and does not call itself stochastic.
    """
    plan = store.read_table("plan.parquet", _PLANNED)
    if fragments is None:
        fragments = store.read_fragments(join=True)
    others = _other_pictures(fragments, header)
    rows = _current(fragments, plan, header)
    del fragments  # as large as what follows
    rows = _compact(rows, header, store.read_table("metrics.parquet"))
    missing = len(plan) * sum(header.fills_per_case.values()) - len(rows)
    if state == "complete" and missing:
        state = "incomplete"
    header = replace(
        header,
        state=state,
        missing=missing,
        finished=provenance.now(),
        counts=dict(Counter(rows["status"]).most_common()),
        without_result=_without_result(rows),
        non_deterministic=[_in_words(row) for row in records(others)],
    )
    store.write_table("cases.parquet", rows.drop(columns="case"))
    described = _with_availability(store.read_table("methods.parquet"), rows)
    store.write_table("methods.parquet", described)
    # Numbers of a part would pass for those of the whole.
    whole = rows if state == "complete" else rows.iloc[:0]
    store.write_table("sets.parquet", set_rows(store, whole, threads=threads))
    spread = sample_rows(store, whole, header.fills_per_case, files, device)
    store.write_table("samples.parquet", spread)
    header.write(store)
    deterministic = described.loc[~described["stochastic"].astype(bool), "method"]
    wrong = others[others["method"].isin(deterministic)]
    if len(wrong) and machines_agree(header.starts):
        raise BenchError(other_pictures(records(wrong), str(store.path)))
    return header


def _compact(rows: pd.DataFrame, header: Header, metrics: pd.DataFrame) -> pd.DataFrame:
    """One row per method, case and sample, in the order of the methods and the plan."""
    shown = list(metrics.loc[metrics["scope"] == "case", "metric"])
    rank = {name: place for place, name in enumerate(header.fill_keys)}
    rows = rows.assign(rank=rows["method"].map(rank)).sort_values(["rank", "case", "sample"])
    ours = [name for name in rows if name in CASES.names or name in shown]
    table = CASES.typed(rows[ours], shown)
    table.insert(0, "case", rows["case"])
    return table.reset_index(drop=True)


def _current(fragments: pd.DataFrame, plan: pd.DataFrame, header: Header) -> pd.DataFrame:
    """The best row of each fill: of today's code and plan, measured as asked, ok, the latest.

    Rows belong to a case by its content, not by its number, so that rows of another plan or of
    a merged run can never be taken for those of this one.
    """
    if fragments.empty:
        return pd.DataFrame(columns=["case", *CASES.names, "measured"])
    asked = set(header.measurements[header.measure_key])
    enough = {key for key, had in header.measurements.items() if asked <= set(had)}
    planned = plan.set_index("case_key")
    keys = fragments["case_key"]
    prompts = keys.map(planned["prompt"]) if "prompt" in planned else pd.Series("", keys.index)
    expected = fill_keys.of_cases(fragments["method"].map(header.fill_keys), prompts.fillna(""))
    # Of all columns there is one copy more, at the end.
    rows = fragments[["method", "sample", "written"]].assign(
        case=keys.map(planned["case"]),
        measured=fragments["measure_key"].isin(enough),
        good=fragments["status"] == "ok",
    )[
        keys.isin(planned.index)
        & (fragments["fill_key"] == expected)
        & (fragments["sample"] < fragments["method"].map(header.fills_per_case))
    ]
    rows = rows.sort_values(["measured", "good", "written"], kind="stable")
    rows = rows.drop_duplicates(["method", "case", "sample"], keep="last")
    found: pd.DataFrame = fragments.loc[rows.index].assign(
        case=rows["case"].astype(int),
        measured=rows["measured"],
        # What is independent is no part of a fill: it may be asked otherwise of kept ones.
        cluster=keys.map(planned["cluster"])[rows.index],
    )
    return found


def _by_todays(fragments: pd.DataFrame, header: Header) -> pd.Series:
    """Whether rows are by a method as it is today, whatever their prompts."""
    keys = fill_keys.of_method(fragments["method"].map(header.fill_keys))
    return fill_keys.of_method(fragments["fill_key"]) == keys


def _without_result(rows: pd.DataFrame) -> list[str]:
    """Methods that completed no case."""
    good = rows["status"].eq("ok").groupby(rows["method"], sort=False).any()
    return [str(name) for name in good.index[~good]]


def _other_pictures(fragments: pd.DataFrame, header: Header) -> pd.DataFrame:
    """Fills made twice by what is the same today with different pictures: first and last made."""
    keys = [*KEYS, "case_key", "fill_key"]
    if fragments.empty:
        return pd.DataFrame(columns=[*keys, "first", "last"])
    good = _by_todays(fragments, header) & (fragments["status"] == "ok")
    rows = fragments.loc[good, [*keys, "output_sha", "written"]]
    rows = rows[rows.duplicated(["method", "sample", "case_key"], keep=False)]
    shas = rows.sort_values("written").groupby(keys, sort=False)["output_sha"]
    made = shas.agg(["nunique", "first", "last"])
    return made[made["nunique"] > 1].reset_index()


def _in_words(row: Mapping[str, Any]) -> str:
    method, photo, tier, draw, sample = (row[key] for key in KEYS)
    return f"{method} on {photo}, {tier}, draw {draw}, sample {sample}"


def _with_availability(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Mark the methods that could not be loaded, with the reason."""
    table = table.set_index("method")
    for method, own in rows.groupby("method"):
        if (own["status"] == "unavailable").all():
            table.loc[method, ["status", "reason"]] = ["unavailable", own["reason"].iloc[0]]
        else:
            table.loc[method, ["status", "reason"]] = ["ok", ""]
    return table.reset_index()
