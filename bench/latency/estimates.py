"""What samples of time allow to say: ratios to an anchor, percentiles, verdicts. Pure functions.

Absolute times of a shared machine say little: they drift together for seconds. The ratio of two
samples of one round does not drift, and its logarithm is nearly independent from round to round;
what remains depends on blocks of rounds, which are therefore what is resampled.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy import stats

from bench.statistics.intervals import multiplicities

FEWEST_BLOCKS = 5
_WAITS = 0.5  # CPU time over wall time, as a share of the anchor's; below it a method waits
_SPREADS_OUT = 1.1  # CPU time over wall time; above it several threads or processes work
RESAMPLES = 2000
MARGINS = {"dedicated": 0.05, "shared": 0.15}
"""Changes of a ratio that are not worth telling, by the kind of machine."""
LARGEST_SPREAD = 0.05  # of the anchor against itself; beyond it nothing can be told
_SPREADS = 3  # times the anchor's own spread that a change must exceed
_CONFIDENCE = 0.01  # of percentiles: the chance that the true one is larger
SLOWER, FASTER, SAME, CANNOT_TELL = "slower", "faster", "same", "cannot tell"


@dataclass(frozen=True)
class Ratio:
    """A time over an anchor's, with its 95 % interval; ends NaN below five blocks of rounds.

    Attributes:
        value: Median over rounds.
        low: Lower end.
        high: Upper end.
        n: Rounds.
    """

    value: float
    low: float
    high: float
    n: int

    @property
    def half_width(self) -> float:
        """Half of the interval's width, as a share of the ratio."""
        return math.log(self.high / self.low) / 2 if self.low > 0 else math.nan


def ratio(times: ArrayLike, anchor: ArrayLike, blocks: ArrayLike, *, seed: int = 0) -> Ratio:
    """Median over rounds of the ratio, with a bootstrap interval that resamples blocks.

    Args:
        times: ``(n,)`` seconds, one a round.
        anchor: ``(n,)`` seconds of the anchor in the same rounds.
        blocks: ``(n,)`` number of the block of rounds.
        seed: Of the resampling.
    """
    logs = np.log(np.asarray(times, float) / np.asarray(anchor, float))
    if not len(logs):
        return Ratio(math.nan, math.nan, math.nan, 0)
    groups, block = np.unique(np.asarray(blocks), return_inverse=True)
    low = high = math.nan
    if len(groups) >= FEWEST_BLOCKS:
        low, high = np.quantile(_medians(logs, block, seed), (0.025, 0.975))
    return Ratio(math.exp(np.median(logs)), math.exp(low), math.exp(high), len(logs))


def clock(basis: str, times: ArrayLike, anchor: ArrayLike) -> str:
    """The clock that can see a method: by CPU time alone, one that waits would look free.

    A method that sleeps, asks a server or has another process work uses far less CPU time in its
    wall time than the anchor, which a busy machine holds up as it does the method. One that uses
    more than its wall time works in several threads, and is over sooner than CPU time says.

    Args:
        basis: Clock of the others: ``cpu``, ``wall``, ``device``.
        times: ``(n, 2)`` seconds of CPU and wall time.
        anchor: Likewise ``(m, 2)``, of the anchor.
    """
    shares = []
    for each in (times, anchor):
        cpu, wall = np.asarray(each, float).reshape(-1, 2).T
        # The median, as one call that the system held up is most of the time of all short ones.
        shares.append(np.median(cpu / wall) if len(wall) else math.nan)
    blind = shares[0] < _WAITS * shares[1] or shares[0] > _SPREADS_OUT
    return "wall" if basis == "cpu" and blind else basis


def percentile(times: ArrayLike, share: float) -> float:
    """A percentile that the true one exceeds with a chance of at most 1 %; NaN if n is too small.

    The t-th largest sample for the largest t with ``BinomCDF(t; n, 1 - share) <= 0.01`` (MLPerf
    LoadGen's early stopping at tolerance 0): 64 samples for 90 %, 662 for 99 %.

    Args:
        times: ``(n,)``.
        share: Such as 0.9.
    """
    ordered = np.sort(np.asarray(times, float))[::-1]
    allowed = stats.binom.cdf(np.arange(1, len(ordered) + 1), len(ordered), 1 - share)
    t = int((allowed <= _CONFIDENCE).sum())
    return float(ordered[t - 1]) if t else math.nan


def middle(times: ArrayLike) -> float:
    """The median; NaN below 11 samples, which are as few as it can be bounded with."""
    values = np.asarray(times, float)
    return math.nan if math.isnan(percentile(values, 0.5)) else float(np.median(values))


def margin(kind: str, twice: Ratio) -> float:
    """The change of a ratio that is worth telling: of the machine's kind, and beyond its noise."""
    return max(MARGINS[kind], _SPREADS * abs(math.log(twice.value)))


def trusted(twice: Ratio) -> bool:
    """Whether the anchor agrees with itself well enough for any verdict."""
    return abs(math.log(twice.value)) <= LARGEST_SPREAD if twice.n else False


def verdict(before: Ratio, now: Ratio, least: float) -> tuple[str, Ratio]:
    """Compare two ratios to the same anchor.

    Args:
        before: Of the older run.
        now: Of the newer one.
        least: The margin, as a share.

    Returns:
        ``slower`` or ``faster`` if the whole interval of the change lies beyond the margin,
        ``same`` if it lies within, else ``cannot tell``; and the change, now over before.
    """
    log = math.log(now.value / before.value)
    # Both are medians of many rounds: their variances add.
    half = math.hypot(before.half_width, now.half_width)
    change = Ratio(math.exp(log), math.exp(log - half), math.exp(log + half), now.n)
    if math.isnan(half):
        return CANNOT_TELL, change
    if change.low > 1 + least:
        return SLOWER, change
    if change.high < 1 / (1 + least):
        return FASTER, change
    within = change.high <= 1 + least and change.low >= 1 / (1 + least)
    return (SAME if within else CANNOT_TELL), change


def _medians(
    values: NDArray[np.float64], block: NDArray[np.intp], seed: int
) -> NDArray[np.float64]:
    """Medians of resampled blocks, ``(RESAMPLES,)``; a value counts as often as its block is drawn.

    Args:
        values: ``(n,)``.
        block: ``(n,)`` which block each belongs to, from 0 up, none left out.
        seed: Of the resampling.
    """
    drawn = multiplicities(int(block.max()) + 1, RESAMPLES, seed)
    order = np.argsort(values, kind="stable")
    up_to = drawn[:, block[order]].cumsum(axis=1)
    last = up_to[:, -1:]
    # With an even number of values the median is the mean of the two in the middle.
    lower = (up_to >= (last + 1) // 2).argmax(axis=1)
    upper = (up_to >= last // 2 + 1).argmax(axis=1)
    return (values[order][lower] + values[order][upper]) / 2
