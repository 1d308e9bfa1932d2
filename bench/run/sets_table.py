"""Metrics of sets of fills, one row per method, tier and metric."""

from __future__ import annotations

import math
import time
from collections import defaultdict
from collections.abc import Hashable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import lru_cache, partial

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from bench.compare.sets import estimate_at_once
from bench.folder.schema import SETS
from bench.folder.store import RunFolder, records
from bench.gate.tolerances import CEILING
from bench.machine.read_ahead import ahead
from bench.metrics import METRICS
from bench.metrics.record import FeatureMetric, PatchMetric, SetValue
from bench.metrics.sliced import Case, Patches, Photos
from bench.planning.case import Cases, PlannedCase
from bench.planning.pictures import hole_of, photo_file, photo_of
from bench.statistics.groups import GROUPS, Estimate, group_of

_Group = tuple[Hashable, ...]  # method and tier
# Outputs by case; those of one tier and of the same cases together.
_Fills = dict[tuple[Hashable, tuple[int, ...]], dict[_Group, dict[int, str]]]
# With its jackknife, the cases that it is of, and the seconds it took.
_Value = tuple[SetValue, Estimate | None, Sequence[str], float]
_Found = dict[_Group, _Value]


def set_rows(store: RunFolder, cases: pd.DataFrame, *, threads: int = 1) -> pd.DataFrame:
    """Compute every set metric that the run asked for.

    Fills are compared with the photos of the same cases, or what else is their truth; features
    of these come from the ceiling. Only sample 0 is used, so that stochastic methods have no more
    pictures than others.

    Args:
        store: The run folder.
        cases: The compacted cases, with their number in the column ``case``.
        threads: How many compute at once.

    Returns:
        A row per method, tier and metric; columns as in ``docs/run-folder.md``.
    """
    asked = store.read_table("metrics.parquet").query("status == 'ok' and scope == 'set'")
    usable = cases[(cases["status"] == "ok") & (cases["sample"] == 0)]
    plan = Cases(store.read_table("plan.parquet"))
    metrics = [METRICS[name] for name in asked["metric"]]
    of_features = _of_features(
        [metric for metric in metrics if isinstance(metric, FeatureMetric)], store, usable, plan
    )
    rows = []
    for name, metric in zip(asked["metric"], metrics, strict=True):
        if isinstance(metric, PatchMetric):
            found = _of_pictures(metric, store, usable, plan, threads)
        else:
            found = of_features[metric.name]
        for (method, tier), _ in usable.groupby(["method", "tier"], sort=False):
            value, estimate, keys, seconds = found[method, tier]
            low, high = estimate.interval() if estimate else (math.nan, math.nan)
            rows.append(
                {
                    "method": method, "tier": tier, "metric": name, "value": value.value,
                    "low": low, "high": high, "n": value.n, "note": value.note,
                    "jackknife": estimate.text(keys) if estimate else "", "seconds": seconds,
                }
            )  # fmt: skip
    return SETS.frame(rows)


def _of_features(
    metrics: Sequence[FeatureMetric],
    store: RunFolder,
    usable: pd.DataFrame,
    plan: Sequence[PlannedCase],
) -> dict[str, _Found]:
    """Compare features of fills with those of the photos of the same cases, for each metric.

    Features of one method are held at a time, as of all there may be 10 GB, and read once for all
    metrics of their network.
    """
    found: dict[str, _Found] = {metric.name: {} for metric in metrics}
    for network in dict.fromkeys(metric.network for metric in metrics):
        for _, of_method in usable.groupby("method", sort=False):
            rows = of_method.sort_values("case")
            cases = [plan[case] for case in rows["case"].astype(int)]
            shas = {case.truth_sha for case in cases} | {*rows["output_sha"]}
            features = store.read_features(network, shas)
            pairs = pd.Series(list(zip(rows["output_sha"], cases, strict=True)), rows.index)
            for key, own in rows.groupby(["method", "tier"], sort=False):
                for metric in metrics:
                    if metric.network == network:
                        found[metric.name][key] = _compared(metric, features, pairs[own.index])
    return found


def _compared(
    metric: FeatureMetric,
    features: Mapping[str, np.ndarray],
    pairs: Iterable[tuple[str, PlannedCase]],
) -> _Value:
    """Compare fills, by the hashes of their content, with the photos of their cases."""
    start = time.perf_counter()
    present = [
        (output, case)
        for output, case in pairs
        if output in features and case.truth_sha in features
    ]
    value = SetValue(math.nan, 0, "no features of fills and photos")
    estimate = None
    if present:
        fills = np.stack([features[output] for output, _ in present])
        photos = np.stack([features[case.truth_sha] for _, case in present])
        value = metric.function(fills, photos)
        estimate = estimate_at_once(metric, fills, photos, [c.cluster for _, c in present])
    return value, estimate, [case.case_key for _, case in present], time.perf_counter() - start


def _of_pictures(
    metric: PatchMetric,
    store: RunFolder,
    usable: pd.DataFrame,
    plan: Sequence[PlannedCase],
    threads: int,
) -> _Found:
    """Compare the fills that are still there with their photos."""
    # Methods that filled the same cases follow each other, so that the work on the photos is done
    # once for all of them and need not be kept for long.
    groups: _Fills = defaultdict(dict)
    for key, own in usable.groupby(["method", "tier"], sort=False):
        # In an order that favours no name.
        rows = sorted(records(own[own["output"] != ""]), key=lambda row: row["case_key"])
        outputs = {int(row["case"]): row["output"] for row in rows}
        groups[key[1], tuple(outputs)][key] = outputs
    found: _Found = {}
    # BLAS's own threads would only wait for each other, and keep the one that reads waiting.
    with ThreadPoolExecutor(threads) as pool, threadpool_limits(1, "blas"):
        for key, photos, patches in ahead(_Pictures(store, plan).of(groups)):
            start = time.perf_counter()
            value = metric.function(photos, patches, pool.map)
            estimate = None
            if photos.groups is not None and value.changes:
                without, sizes = value.value + np.array(value.changes), np.bincount(photos.groups)
                estimate = Estimate(value.value, without, sizes, value.n)
            found[key] = value, estimate, photos.names, time.perf_counter() - start
    return found


class _Pictures:
    """Reads what a metric needs of photos, holes and fills."""

    def __init__(self, store: RunFolder, plan: Sequence[PlannedCase]) -> None:
        self._store = store
        self._plan = plan
        # The cases of a tier come in no order of photos.
        self._photo = lru_cache(16)(partial(photo_of, store=store))

    def of(self, groups: _Fills) -> Iterator[tuple[_Group, Photos, Patches]]:
        """What is to be compared, one method and tier after the other."""
        for (_, cases), fills in groups.items():
            photos = self._photos(cases)
            # The ceiling first: what is computed for it is the photos' side, and takes as long as
            # reading another method's fills.
            for key in sorted(fills, key=lambda key: key[0] != CEILING):
                yield key, *self._cut(photos, fills[key])

    def _photos(self, cases: Iterable[int]) -> Photos:
        own = [self._plan[number] for number in cases]
        cluster = {case.case_key: case.cluster for case in own}

        def grouped(names: Sequence[str]) -> np.ndarray | None:
            clusters = [cluster[name] for name in names]
            return group_of(clusters) if len({*clusters}) >= GROUPS else None

        photo = {case.case_key: case.photo for case in own}
        return Photos(map(self._case, own), photo, grouped)

    def _cut(self, photos: Photos, outputs: Mapping[int, str]) -> tuple[Photos, Patches]:
        """The fills of these photos' cases; those lost since are left out, and their photos."""
        if photos.refusal:
            return photos, []
        if all(self._of_photo(case, name) for case, name in outputs.items()):
            return photos, photos.patches
        try:
            return photos, photos.cut(map(self._store.read_picture, outputs.values()))
        except OSError:
            left = {case: name for case, name in outputs.items() if self._readable(name)}
            return self._cut(self._photos(left), left)

    def _of_photo(self, case: int, output: str) -> bool:
        """Whether a fill is the truth itself, as the ceiling's."""
        return output == photo_file(self._plan[case].truth_sha)

    def _case(self, case: PlannedCase) -> Case:
        hole = hole_of(case.mask_sha, self._store)
        return case.case_key, self._photo(case.truth_sha), hole

    def _readable(self, output: str) -> bool:
        try:
            self._store.read_picture(output)
        except OSError:
            return False
        return True
