"""Quality against the difficulty of a case: means by bins, and where two methods cross."""

from __future__ import annotations

import itertools
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from bench.statistics.equivalence import ALPHA
from bench.statistics.intervals import Interval, column_intervals
from bench.statistics.significance import differences_tested

MOST_BINS = 10
LEAST_BINS = 3
BIN_CASES = 8
"""Fewer cases than this make no bin: their mean would be that of one or two photos."""
_RESAMPLES = 1999  # enough for the ends of a band; there are many bands


@dataclass(frozen=True)
class Bin:
    """Cases of about the same difficulty.

    Attributes:
        centre: Median difficulty.
        low: Least.
        high: Largest.
        intervals: Mean of each method with its 95 % interval.
    """

    centre: float
    low: float
    high: float
    intervals: dict[str, Interval]


@dataclass(frozen=True)
class Crossing:
    """Two methods of which each is better at one end.

    Attributes:
        easy: The better one of easy cases.
        hard: The better one of hard cases.
        low: Centre of the last bin up to which ``easy`` is ahead in all.
        high: Centre of the first bin from which ``hard`` is.
        p: The larger of the adjusted p-values of the two ends.
    """

    easy: str
    hard: str
    low: float
    high: float
    p: float


def binned(values: pd.DataFrame, difficulty: pd.Series, clusters: pd.Series) -> list[Bin]:
    """Means of all methods in bins of about as many cases each, the easiest first.

    Args:
        values: One row per case, one column per method; rows that lack a value are left out.
        difficulty: Of each case, with the index of ``values``.
        clusters: Photo of each case, likewise.

    Returns:
        At most 10 bins of at least 8 cases; nothing if there are not enough for three.
    """
    values = values.dropna()
    places = _places(difficulty[values.index].to_numpy(float))
    found = []
    for place in np.unique(places):
        inside = values.index[places == place]
        (intervals,) = column_intervals(values.loc[inside], clusters[inside], resamples=_RESAMPLES)
        own = difficulty[inside]
        named = dict(zip(map(str, values.columns), intervals, strict=True))
        found.append(Bin(float(own.median()), float(own.min()), float(own.max()), named))
    return found if len(found) >= LEAST_BINS else []


def crossings(
    values: pd.DataFrame, difficulty: pd.Series, clusters: pd.Series, *, higher: bool
) -> list[Crossing]:
    """Pairs of which one is significantly better on easy cases and the other on hard ones.

    Easy and hard are the third of the cases with the least and with the largest difficulty, so
    that the data do not choose where they are tested. Significant: the p-value of the paired
    difference, adjusted for all pairs and both ends (`differences_tested`), is below 0.05. Where
    they cross is read off the bins.

    Args:
        values: As for `binned`.
        difficulty: Likewise.
        clusters: Likewise.
        higher: Whether higher values are better.
    """
    values = values.dropna()
    own = difficulty[values.index]
    places = _places(own.to_numpy(float))
    pairs = list(itertools.combinations(map(str, values.columns), 2))
    if len(np.unique(places)) < LEAST_BINS or not pairs:
        return []
    order = own.sort_values(kind="stable").index
    third = len(order) // 3
    parts = (order[:third], order[-third:])
    gaps = _gaps(values, pairs)
    # Both ends of every pair are one family, on the same draws of photos.
    ends = np.hstack([np.where(values.index.isin(part)[:, None], gaps, np.nan) for part in parts])
    tested = differences_tested(ends, clusters[values.index])
    adjusted = tested.p_adjusted.reshape(2, -1).max(axis=0)
    means = np.nanmean(ends, axis=0).reshape(2, -1) * (1 if higher else -1)
    adjusted[means[0] * means[1] >= 0] = 1  # the rest cannot cross, and were tested all the same
    found = []
    for place in np.flatnonzero(adjusted < ALPHA):
        easy, hard = pairs[place] if means[0, place] > 0 else pairs[place][::-1]
        leads = (values[easy] - values[hard]) * (1 if higher else -1)
        between = _between(leads.groupby(places).mean(), own.groupby(places).median())
        found.append(Crossing(easy, hard, *between, float(adjusted[place])))
    return found


def _places(difficulty: NDArray[np.float64]) -> NDArray[np.int_]:
    """Number of the bin of each case; equal difficulties share theirs."""
    count = min(MOST_BINS, len(difficulty) // BIN_CASES)
    if count < LEAST_BINS:
        return np.zeros(len(difficulty), int)
    edges = np.unique(np.quantile(difficulty, np.arange(1, count) / count))
    return np.searchsorted(edges, difficulty, side="left")


def _gaps(values: pd.DataFrame, pairs: list[tuple[str, str]]) -> NDArray[np.float64]:
    """Differences of each pair, ``(n, p)``."""
    columns = {name: values[name].to_numpy(float) for name in values}
    return np.column_stack([columns[a] - columns[b] for a, b in pairs])


def _between(leads: pd.Series, centres: pd.Series) -> tuple[float, float]:
    """Centres of the bins between which the lead of the first changes hands, once and for all."""
    ahead = leads.to_numpy() > 0
    kept = int(np.argmin(ahead))  # bins in which it is ahead from the start on
    lost = len(ahead) - int(np.argmax(ahead[::-1]))  # the bin after the last in which it is ahead
    return float(centres.iloc[max(kept - 1, 0)]), float(centres.iloc[min(lost, len(ahead) - 1)])
