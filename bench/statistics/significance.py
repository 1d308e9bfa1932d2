"""Whether mean differences could be chance: p-values and intervals of pairs, alone and as a family.

The symmetric bootstrap-t (Hall, "On symmetric bootstrap confidence intervals", JRSS B 1988): photos
are drawn with replacement, and each time a mean is divided by its own standard error. Of skewed
differences it rejects less often than flipping signs or Student's test does; how often is in
``docs/statistics.md``. A family has single-step p-values (Romano and Wolf, "Exact and approximate
stepdown methods", JASA 2005, without the steps down): what is compared is the largest of all its
columns in the same draw of photos. Its simultaneous intervals come from the same draws, so they
leave out 0 exactly where the adjusted p-value is below 0.05.

Below 10 photos, or photos of so unequal weight that they count as fewer, draws of photos alone do
not hold their level. There the larger of this p-value and that of flipping the signs of photos
stands, and the wider interval.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import ArrayLike, NDArray

from bench.statistics.clusters import by_cluster, effective
from bench.statistics.equivalence import ALPHA
from bench.statistics.intervals import MANY_CLUSTERS, RESAMPLES, multiplicities

FEW = 10  # photos
FINEST_P = 1 / (1 + RESAMPLES)  # where no draw was as large
_EXACT = 12  # photos, of which all 2^12 sign patterns are tried
_ROUNDING = 1e-9  # a draw that gives the observed ratio again must count as such
_BLOCK = 2**22  # numbers handled at once

_Matrix = NDArray[np.float64]


class Tested(NamedTuple):
    """Of each column ``(p,)``: its p-value, that adjusted for its family, the joint interval."""

    p: _Matrix
    p_adjusted: _Matrix
    low: _Matrix
    high: _Matrix


def differences_tested(
    columns: ArrayLike,
    clusters: ArrayLike,
    families: Sequence[str] | None = None,
    *,
    resamples: int = RESAMPLES,
    seed: int = 0,
) -> Tested:
    """Test that mean differences are 0, each alone and all of a family at once.

    Columns with values on fewer than 10 photos would spoil the draws of others in their family:
    both parts are then adjusted apart, and their p-values multiplied so that the family keeps its
    level.

    Args:
        columns: ``(n, p)`` differences, a row per case; NaN where a column has none.
        clusters: ``(n,)`` labels of the photos.
        families: ``(p,)`` name of each column's family; one for all if omitted.
        resamples: Number of draws of photos.
        seed: Seeds them.

    Returns:
        Two-sided p-values, never below 1 / (1 + resamples), and intervals of 95 % for a family;
        these leave out 0 if and only if the adjusted p-value is below 0.05. NaN without values;
        ends are NaN where there are too few photos for an interval.

    Raises:
        BenchError: If lengths differ or a difference is infinite.
    """
    gaps = np.asarray(columns, float)
    known = ~np.isnan(gaps)
    sums, _ = by_cluster(np.where(known, gaps, 0), clusters)
    counts, _ = by_cluster(known, clusters)
    few = effective(counts) < FEW
    names = np.asarray(["" for _ in few] if families is None else families)
    found = Tested(*np.full((4, len(few)), np.nan))
    for family in np.unique(names):
        own = (names == family) & (counts.sum(axis=0) > 0)
        for part in (own & few, own & ~few):
            if part.any():
                on = counts[:, part].any(axis=1)
                group = _Group(sums[np.ix_(on, part)], counts[np.ix_(on, part)])
                draws = [(group.resampled(resamples, seed), 1)]
                if few[part].all():
                    draws.append((group.flipped(resamples, seed), int(group.k > _EXACT)))
                tested = _tested(group, draws, float(own.sum() / part.sum()))
                for whole, values in zip(found, tested, strict=True):
                    whole[part] = values
    return found


def smallest_p(clusters: int) -> float:
    """The smallest p-value that `differences_tested` can give for so many photos."""
    return max(2.0 ** (1 - clusters), FINEST_P) if clusters < FEW else FINEST_P


class _Group:
    """Columns drawn together: sums and counts by photo ``(k, p)``."""

    def __init__(self, sums: _Matrix, counts: _Matrix) -> None:
        self.k = len(sums)
        # One column of counts stands for all where they agree, which they do most often.
        same = bool((counts == counts[:, :1]).all())
        self.counts = counts[:, :1] if same else counts
        self.n = self.counts.sum(axis=0)
        self.sums = sums
        self.centre = sums.sum(axis=0) / self.n
        self.apart = sums - self.centre * self.counts
        self.squares = np.square(self.apart).sum(axis=0)
        # Photos that agree but for rounding have no spread.
        spread = self.squares > 1e-24 * np.square(sums).sum(axis=0)
        self.apart, self.squares = np.where(spread, self.apart, 0), self.squares * spread
        self.error = np.sqrt(self.k / max(self.k - 1, 1) * self.squares) / self.n
        self.ratio = ratio_of(np.abs(self.centre), self.error)

    def resampled(self, resamples: int, seed: int) -> Iterator[_Matrix]:
        """Blocks ``(b, p)`` of ratios in draws of photos: the mean's distance from that of all."""
        if self.k >= MANY_CLUSTERS:
            yield from self._normal(resamples, seed)
            return
        times = multiplicities(self.k, resamples, seed)
        products = self.apart**2, self.apart * self.counts, self.counts**2
        for rows in _blocks(resamples, max(self.k, self.sums.shape[1])):
            own = times[rows].astype(float)
            with np.errstate(divide="ignore", invalid="ignore"):  # a draw may miss a column
                yield self._ratios(
                    own @ self.counts, own @ self.apart, *(own @ x for x in products)
                )

    def flipped(self, resamples: int, seed: int) -> Iterator[_Matrix]:
        """Blocks of ratios with signs flipped by photo; all patterns of up to 12 photos."""
        exact = self.k <= _EXACT
        rng = np.random.default_rng(seed)
        squares, weights = np.square(self.sums).sum(axis=0), np.square(self.counts).sum(axis=0)
        for rows in _blocks(2**self.k if exact else resamples, max(self.k, self.sums.shape[1])):
            bits = np.arange(rows.start, rows.stop)[:, None] >> np.arange(self.k) if exact else \
                rng.integers(0, 2, (rows.stop - rows.start, self.k))  # fmt: skip
            signs = 1.0 - 2.0 * (bits & 1)
            yield self._ratios(
                self.n, signs @ self.sums, squares, signs @ (self.sums * self.counts), weights
            )

    def _ratios(
        self, n: _Matrix, total: _Matrix, squares: _Matrix, mixed: _Matrix, weights: _Matrix
    ) -> _Matrix:
        """Absolute means over their errors, of photos whose sums of products are given."""
        mean = total / n
        left = squares - 2 * mean * mixed + mean**2 * weights
        left = np.where(left > 1e-12 * squares, left, 0)
        error = np.sqrt(self.k / max(self.k - 1, 1) * left) / n
        # What was drawn from one photo alone, or none, says nothing against any difference.
        return np.where(np.isnan(mean), np.inf, ratio_of(np.abs(mean), error)) * (1 + _ROUNDING)

    def _normal(self, resamples: int, seed: int) -> Iterator[_Matrix]:
        """What draws of very many photos tend to: normal values that correlate as the columns."""
        length = np.sqrt(np.where(self.squares > 0, self.squares, 1))
        factor = np.linalg.qr(self.apart / length, mode="r")
        rng = np.random.default_rng(seed)
        for rows in _blocks(resamples, self.sums.shape[1]):
            yield np.abs(rng.normal(size=(rows.stop - rows.start, len(factor))) @ factor)


def _tested(group: _Group, draws: Sequence[tuple[Iterator[_Matrix], int]], weight: float) -> Tested:
    """The largest p-values, and the widest interval, of several kinds of draws.

    Random draws count the observed ratio as one more; all sign patterns hold it already.
    """
    p, adjusted = np.zeros((2, len(group.centre)))
    reach = 0.0
    for blocks, more in draws:
        reached, largest = np.full(p.shape, more), []
        for block in blocks:
            reached += (block >= group.ratio).sum(axis=0)
            largest.append(block.max(axis=1))
        every = np.sort(np.concatenate(largest))
        total = len(every) + more
        # By how many draws reach a ratio: its adjusted p-value.
        steps = np.minimum((np.arange(len(every) + 1) + more) * (weight / total), 1)
        p = np.maximum(p, reached / total)
        adjusted = np.maximum(adjusted, steps[len(every) - np.searchsorted(every, group.ratio)])
        allowed = int(np.searchsorted(steps, ALPHA))  # so many counts of draws are significant
        reach = max(reach, every[-allowed] if allowed else np.inf)
    with np.errstate(invalid="ignore"):  # of few photos no ratio may be large enough
        wide = np.where(np.isinf(reach), np.nan, reach * group.error)
    return Tested(p, adjusted, group.centre - wide, group.centre + wide)


def ratio_of(value: _Matrix, error: _Matrix) -> _Matrix:
    """Value over error; without spread 0 where there is no value either, else infinite."""
    found = np.where(value > 0, np.inf, 0.0)
    return np.divide(value, error, out=found, where=error > 0)


def _blocks(count: int, width: int) -> Iterator[slice]:
    step = max(1, _BLOCK // width)
    return (slice(start, min(start + step, count)) for start in range(0, count, step))
