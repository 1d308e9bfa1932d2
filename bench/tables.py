"""From fragments to the tables of a run, and what of a run is settled already."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from bench import provenance
from bench.metrics import METRICS
from bench.metrics.meter import MetricStatus
from bench.sets import set_rows
from bench.store import KEYS, Item, RunFolder, records
from methods.base import Inpainter

_TIMES = ["seconds", "cpu_seconds", "measure_seconds", "peak_bytes"]
_REQUIRED = ["cluster", "hole_share", "hole_width"]
_LAST = ["status", "reason", "output", "output_sha", "fill_key", "measure_key", "worker"]
Earlier = dict[str, dict[Item, Mapping[str, Any]]]


def metrics_table(metrics: Sequence[MetricStatus]) -> pd.DataFrame:
    """One row per metric asked for: what it is, and why it is absent."""
    fields = ("label", "unit", "direction", "scope", "region", "implementation", "version")
    return pd.DataFrame(
        {
            "metric": entry.metric.name,
            **{name: getattr(entry.metric, name) for name in fields},
            "weights": entry.metric.weights,
            "note": entry.metric.note,
            "status": entry.status,
            "reason": entry.reason,
        }
        for entry in metrics
    )


def methods_table(chosen: Sequence[Inpainter]) -> pd.DataFrame:
    """One row per method: what its card says."""
    fields = (
        "title", "family", "summary", "paper", "url", "implementation", "licence", "stochastic",
        "limits", "verified",
    )  # fmt: skip
    return pd.DataFrame(
        {
            "method": method.name,
            **{name: getattr(method.card, name) for name in fields},
            "timed": method.timed,
            "size": str(method.card.size),
            "identity": method.identity,
            "status": "ok",
            "reason": "",
        }
        for method in chosen
    )


def settled(
    store: RunFolder, header: Mapping[str, Any], *, retry_failed: bool
) -> tuple[set[tuple[str, Item]], Earlier]:
    """See what earlier starts did.

    Returns:
        The fills that need nothing more, as (method, item); and by method and item the rows
        whose fill still holds but that must be measured again.
    """
    done: set[tuple[str, Item]] = set()
    earlier: Earlier = {}
    features = {
        (name, method): store.read_features(name, method).keys()
        for name in header["features"]
        for method in header["fill_keys"]
    }
    for row in records(_current(store, header)):
        method, item = row["method"], Item(int(row["case"]), int(row["sample"]))
        if row["status"] != "ok":
            if not (retry_failed and row["status"] != "declined"):
                done.add((method, item))
        elif row["measure_key"] == header["measure_key"] and all(
            item in features[name, method] for name in header["features"]
        ):
            done.add((method, item))
        elif row["output"] and store.file(row["output"]).exists():
            earlier.setdefault(method, {})[item] = row
    return done, earlier


def finish(store: RunFolder, header: dict[str, Any], *, state: str) -> dict[str, Any]:
    """Compact the fragments, compute the set metrics, and close ``run.json``.

    Returns:
        The content of ``run.json``; its ``state`` is ``incomplete`` while fills are missing.
    """
    rows = compact(store, header)
    cases = len(store.read_table("plan.parquet"))
    missing = cases * sum(header["fills_per_case"].values()) - len(rows)
    if state == "complete" and missing:
        state = "incomplete"
    header = {
        **header,
        "state": state,
        "missing": missing,
        "finished": provenance.now(),
        "counts": rows["status"].value_counts().to_dict(),
        "non_deterministic": _disagreements(store.read_fragments()),
    }
    store.write_table("cases.parquet", rows.drop(columns="case"))
    store.write_table(
        "methods.parquet", _with_availability(store.read_table("methods.parquet"), rows)
    )
    if state == "complete":
        store.write_table("sets.parquet", set_rows(store, rows))
    store.write_json("run.json", header)
    return header


def compact(store: RunFolder, header: Mapping[str, Any]) -> pd.DataFrame:
    """One row per method, case and sample, in the order of the methods and the plan."""
    rows = _current(store, header)
    metrics = [name for name, metric in METRICS.items() if metric.scope == "case"]
    shown = store.read_table("metrics.parquet")["metric"]
    columns = [*KEYS, *_REQUIRED, *(m for m in metrics if m in set(shown)), *_TIMES, *_LAST]
    rank = {name: place for place, name in enumerate(header["fill_keys"])}
    rows = rows.assign(rank=rows["method"].map(rank)).sort_values(["rank", "case", "sample"])
    table = rows.reindex(columns=["case", *columns]).reset_index(drop=True)
    numbers = [*(m for m in metrics if m in table), *_TIMES]
    table[numbers] = table[numbers].astype("float64")
    texts = ["reason", "output", "output_sha", "fill_key", "measure_key", "worker"]
    table[texts] = table[texts].fillna("")
    return table


def _current(store: RunFolder, header: Mapping[str, Any]) -> pd.DataFrame:
    """The best row of each fill: of today's code first, measured as asked, ok, then the latest."""
    rows = store.read_fragments()
    if rows.empty:
        return pd.DataFrame(columns=["case", *KEYS, *_LAST])
    rows = rows[rows["fill_key"] == rows["method"].map(header["fill_keys"])]
    ranked = rows.assign(
        measured=rows["measure_key"] == header["measure_key"], good=rows["status"] == "ok"
    ).sort_values(["measured", "good", "fragment"], kind="stable")
    return ranked.drop_duplicates(["method", "case", "sample"], keep="last")


def _disagreements(fragments: pd.DataFrame) -> list[str]:
    """Fills that were computed twice by the same code with different pictures."""
    good = fragments[fragments["status"] == "ok"] if len(fragments) else fragments
    if good.empty:
        return []
    keys = ["method", "case", "sample", "fill_key"]
    different = good.groupby(keys)["output_sha"].nunique().loc[lambda count: count > 1]
    return [f"{m} case {c} sample {s}" for m, c, s, _ in different.index]


def _with_availability(table: pd.DataFrame, rows: pd.DataFrame) -> pd.DataFrame:
    """Mark the methods that could not be loaded, with the reason."""
    table = table.set_index("method")
    for method, own in rows.groupby("method"):
        if (own["status"] == "unavailable").all():
            table.loc[method, ["status", "reason"]] = ["unavailable", own["reason"].iloc[0]]
        else:
            table.loc[method, ["status", "reason"]] = ["ok", ""]
    return table.reset_index()
