"""Measuring how often metrics order pairs of fills rightly, and the table of it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import pandas as pd

import methods
from bench.errors import BenchError, InputError
from bench.metrics import METRICS
from bench.metrics.meter import Measured, Meter, MetricStatus, resolve_metrics, weight_files
from bench.metrics.pair import Original, Pair
from bench.orders.pairs import METHODS, ORDERS, fills
from bench.planning.images import Photo
from bench.planning.pairing import Inputs, read_photos
from bench.planning.protocol import Protocol
from masks import tiers
from methods import harness

LEAST = 0.8
"""Mean share of right orders below which a metric is no headline."""


def chosen(asked: Iterable[str], *, offline: bool = False) -> list[MetricStatus]:
    """The metrics asked for, measurable or not, fetching weights if need be.

    Args:
        asked: Names of metrics of single fills, one's own as ``LABEL=module:function``, or ``all``
            for all built-in ones.
        offline: Never fetch.

    Raises:
        BenchError: If a name is unknown, or of a metric of sets.
    """
    every = [name for name, metric in METRICS.items() if metric.scope == "case"]
    names = [each for name in asked for each in (every if name == "all" else [name])]
    found = resolve_metrics(names, offline=offline)
    of_sets = [each.metric.name for each in found if each.metric.scope == "set"]
    if of_sets:
        raise BenchError(
            f"--metrics: expected metrics of single fills, found {', '.join(of_sets)}, which "
            "measure sets of them and can order no pair"
        )
    return found


def measurable(asked: Sequence[MetricStatus]) -> list[MetricStatus]:
    """Those that can be measured here.

    Raises:
        BenchError: If none can, with the reasons.
    """
    found = [each for each in asked if each.status == "ok"]
    if not found:
        reasons = "; ".join(f"{each.metric.name}: {each.reason}" for each in asked)
        raise BenchError(f"--metrics: none of them can be measured here ({reasons})")
    return found


def read(source: str, limit: int | None = None) -> tuple[list[Photo], list[str]]:
    """Read photos as `run` does by default: squares of 256 pixels.

    Returns:
        The photos; and what could not be read, and why.

    Raises:
        InputError: If not two of different pictures can be read: a pair takes another photo.
    """
    inputs = Inputs()
    protocol = Protocol(photos=source, limit=limit)
    photos = [given.photo for given in read_photos(protocol, inputs)]
    refused = [f"{row['path']}: {row['reason']}" for row in inputs.rows if row["status"] != "ok"]
    if len({photo.cluster for photo in photos}) < 2:
        raise InputError(
            "; ".join([
                f"photos: expected two of different pictures in {source}, found {len(photos)}; "
                "some pairs take another photo's content",
                *refused,
            ])
        )  # fmt: skip
    return photos, refused


def measure(
    photos: Sequence[Photo],
    metrics: Sequence[MetricStatus],
    names: Iterable[str],
    tell: Callable[[int, int], None] = lambda done, total: None,
) -> pd.DataFrame:
    """Measure fills and say of each pair whether each metric puts the better one first.

    Args:
        photos: Of at least two clusters.
        metrics: Case metrics, all of them measurable.
        names: Tiers; a hole of each is drawn as in a run with seed 0.
        tell: Told how many of how many photos are done.

    Raises:
        InputError: If a photo is too small for a hole.

    Returns:
        A row per tier, photo, metric and pair: ``right`` is 1, 0, half for a tie, NaN where one of
        both has no value, and ``reason`` says why.
    """
    meter = Meter([each.text for each in metrics], weight_files=weight_files(metrics))
    makers = [methods.get(name) for name in METHODS]
    for maker in makers:
        maker.load()
    rows: list[dict[str, Any]] = []
    for number, photo in enumerate(photos):
        tell(number, len(photos))
        height, width = photo.pixels.shape[:2]
        original = Original(photo.pixels)
        later = [*photos[number:], *photos[:number]]
        other = next(each.pixels for each in later if each.cluster != photo.cluster)
        for tier in names:
            seed = tiers.seed_of(0, photo.sha, tier, 0, height, width)
            hole = tiers.generate(tier, height, width, seed).mask
            own = {
                maker.name: harness.fill(maker, photo.pixels, hole, seed).picture
                for maker in makers
            }
            found = {
                name: meter.measure(Pair(picture, original, hole))
                for name, picture in fills(photo.pixels, hole, other, own.__getitem__).items()
            }
            rows += ({"tier": tier, "photo": photo.id, **row} for row in judged(metrics, found))
    tell(len(photos), len(photos))
    return pd.DataFrame(rows)


def judged(
    metrics: Sequence[MetricStatus], found: Mapping[str, Measured]
) -> Iterator[dict[str, Any]]:
    """The rows of one hole, but for photo and tier.

    Args:
        metrics: As of `measure`.
        found: What was measured, by name of the fill.
    """
    for metric in (each.metric for each in metrics):
        for order in ORDERS:
            sides = found[order.better], found[order.worse]
            better, worse = (side.values[metric.name] for side in sides)
            yield {
                "metric": metric.name,
                "pair": order.name,
                "right": right(better, worse, higher=metric.direction == "higher"),
                "reason": next(
                    (s.reasons[metric.name] for s in sides if metric.name in s.reasons), ""
                ),
            }


def right(better: float, worse: float, *, higher: bool) -> float:
    """Whether the better fill has the better value: 1, 0, half for a tie; NaN without a value."""
    if math.isnan(better) or math.isnan(worse):
        return math.nan
    # Not their difference: both may be infinite.
    return 0.5 if better == worse else float((better > worse) == higher)


def shares(rows: pd.DataFrame) -> pd.DataFrame:
    """Share of right orders per tier, metric and pair over the photos, in the order of the rows.

    Returns:
        Columns ``tier``, ``metric``, ``pair``, ``share`` (NaN without a value) and ``n``.
    """
    groups = rows.groupby(["tier", "metric", "pair"], sort=False)["right"]
    return groups.agg(share="mean", n="count").reset_index()


def summary(found: pd.DataFrame) -> pd.DataFrame:
    """Mean over pairs and the worst pair, per metric and tier.

    Args:
        found: What `shares` gives.

    Returns:
        Columns ``metric``, ``tier``, ``mean``, ``worst`` (a pair), ``share`` (of that), ``n``;
        metrics without any value are left out.
    """
    valued = found.dropna(subset=["share"])
    groups = valued.groupby(["metric", "tier"], sort=False)
    worst = valued.loc[groups["share"].idxmin(), ["metric", "tier", "pair", "share"]]
    means = groups.agg(mean=("share", "mean"), n=("n", "min")).reset_index()
    return means.merge(worst.rename(columns={"pair": "worst"}), on=["metric", "tier"])


def may_lead(summed: pd.DataFrame) -> pd.Series:
    """Whether each metric is right often enough in every tier, by metric in their order."""
    return summed.groupby("metric", sort=False)["mean"].min() >= LEAST


def without_value(rows: pd.DataFrame) -> list[str]:
    """Which metrics had no value of some pairs, and the most frequent reason."""
    lacking = rows[rows["right"].isna()]
    return [
        f"{metric} has no value of {len(own)} pairs of fills: {own['reason'].mode()[0]}"
        for metric, own in lacking.groupby("metric", sort=False)
    ]
