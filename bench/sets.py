"""Metrics of sets of fills, one row per method, tier and metric."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from bench import plan as planning
from bench.metrics import METRICS
from bench.metrics.distribution import SetValue
from bench.metrics.sliced import Case
from bench.store import RunFolder, records


def set_rows(store: RunFolder, cases: pd.DataFrame) -> pd.DataFrame:
    """Compute every set metric that the run asked for.

    Fills are compared with the photos of the same cases; features of the photos come from the
    ceiling's fills. Only sample 0 is used, so that stochastic methods have no more
    pictures than others.

    Args:
        store: The run folder.
        cases: The compacted cases, with their number in the column ``case``.

    Returns:
        Columns ``method``, ``tier``, ``metric``, ``value``, ``low``, ``high``, ``n``, ``note``,
        ``seconds``.
    """
    asked = store.read_table("metrics.parquet").query("status == 'ok' and scope == 'set'")
    usable = cases[(cases["status"] == "ok") & (cases["sample"] == 0)]
    plan = records(store.read_table("plan.parquet"))
    rows = []
    for name in asked["metric"]:
        metric = METRICS[name]
        features = store.read_features(metric.network) if metric.network else {}
        for (method, tier), own in usable.groupby(["method", "tier"], sort=False):
            start = time.perf_counter()
            if metric.network:
                value = _of_features(metric.function, features, own, plan)
            else:
                value = metric.function(_pictures(store, own, plan))
            rows.append(
                {
                    "method": method,
                    "tier": tier,
                    "metric": name,
                    "value": value.value,
                    "low": math.nan,
                    "high": math.nan,
                    "n": value.n,
                    "note": value.note,
                    "seconds": time.perf_counter() - start,
                }
            )
    columns = ["method", "tier", "metric", "value", "low", "high", "n", "note", "seconds"]
    return pd.DataFrame(rows, columns=columns)


def _of_features(
    function: Any,
    features: Mapping[str, np.ndarray],
    own: pd.DataFrame,
    plan: Sequence[Mapping[str, Any]],
) -> SetValue:
    """Compare features of fills with those of the photos of the same cases."""
    pairs = [
        (row["output_sha"], plan[int(row["case"])]["photo_sha"])
        for row in own.sort_values("case").to_dict("records")
    ]
    present = [pair for pair in pairs if all(sha in features for sha in pair)]
    if not present:
        return SetValue(math.nan, 0, "no features of fills and photos")
    fills, photos = (
        np.stack([features[sha] for sha in side]) for side in zip(*present, strict=True)
    )
    return function(fills, photos)


def _pictures(
    store: RunFolder, own: pd.DataFrame, plan: Sequence[Mapping[str, Any]]
) -> Iterator[Case]:
    """Read the fills that are still there, in an order that favours no name."""
    for row in sorted(records(own[own["output"] != ""]), key=lambda row: row["case_key"]):
        facts = plan[int(row["case"])]
        try:
            fill = store.read_picture(row["output"])
        except OSError:
            continue
        photo = planning.photo_of(facts["photo_sha"], store)
        yield row["case_key"], fill, photo, planning.hole_of(facts, store)
