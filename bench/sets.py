"""Metrics of sets of fills, one row per method, tier and metric."""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from bench import plan as planning
from bench.metrics import METRICS
from bench.metrics.distribution import SetValue
from bench.metrics.sliced import Case
from bench.store import Item, RunFolder, records
from methods.harness import CEILING

_Features = Mapping[Item, np.ndarray]


def set_rows(store: RunFolder, cases: pd.DataFrame) -> pd.DataFrame:
    """Compute every set metric that the run asked for.

    Fills are compared with the photos of the same cases; the features of the photos are those
    of the ceiling's fills. Only sample 0 is used, so that stochastic methods have no more
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
        features = _features(store, metric.network, usable["method"].unique())
        for (method, tier), own in usable.groupby(["method", "tier"], sort=False):
            start = time.perf_counter()
            value = (
                _of_features(metric.function, features, str(method), own)
                if metric.network
                else metric.function(_pictures(store, own, plan))
            )
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


def _features(store: RunFolder, network: str, names: Any) -> dict[str, _Features]:
    if not network:
        return {}
    return {name: store.read_features(network, name) for name in {*names, CEILING}}


def _of_features(
    function: Any, features: dict[str, _Features], method: str, own: pd.DataFrame
) -> SetValue:
    """Compare features of fills with those of the photos of the same cases."""
    items = [Item(int(case), 0) for case in own["case"]]
    present = [i for i in items if i in features[method] and i in features[CEILING]]
    if not present:
        return SetValue(math.nan, 0, "no features of fills and photos")
    return function(
        np.stack([features[method][item] for item in present]),
        np.stack([features[CEILING][item] for item in present]),
    )


def _pictures(store: RunFolder, own: pd.DataFrame, plan: list[dict[str, Any]]) -> Iterator[Case]:
    """Read the kept fills one after the other."""
    for row in records(own[own["output"] != ""]):
        facts = plan[int(row["case"])]
        name = f"{row['photo']}|{row['tier']}|{row['draw']}"
        photo = store.read_picture(planning.photo_file(facts["photo_sha"]))
        yield name, store.read_picture(row["output"]), photo, planning.hole_of(facts, store)
