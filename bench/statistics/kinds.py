"""Whether the lead of one method on another depends on the kind of photo.

Each kind is held against all other photos by Welch's ratio of their mean leads; what it is
compared with is the largest ratio of all kinds and tiers when kinds are dealt anew to the photos
(a permutation test, single-step). Who leads does not depend on how kinds are dealt, so it may be
chosen by the same photos. How often it errs is in ``docs/statistics.md``.
"""

from __future__ import annotations

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy import special

from bench.statistics.equivalence import ALPHA
from bench.statistics.intervals import MANY_CLUSTERS
from bench.statistics.significance import FEW, differences_tested, ratio_of, smallest_p

KIND_LEAST = next(n for n in range(1, FEW + 1) if smallest_p(n) < ALPHA)
"""Photos of a kind, and of all others together, below which nothing is tested."""
MOST_KINDS = 12
_DEALS = 1999  # ways to deal kinds to photos; no p-value is below 0.0005
_BLOCK = 2**22
_POWER = 0.84  # standard errors beyond the reach; simulated, 7 in 10 are found

_Matrix = NDArray[np.float64]


def by_kind(leads: pd.DataFrame, kinds: pd.Series, *, seed: int = 0) -> pd.DataFrame:
    """Hold the mean lead in each kind of photo against that in all others, tier by tier.

    Args:
        leads: A row per photo, a column per tier: by how much the leader of the tier is better
            than whom it is compared with; NaN where the photo lacks a value.
        kinds: Kind of each photo, with the index of ``leads``.
        seed: Seeds the deals.

    Returns:
        A row for each of the 12 largest kinds (the largest first) and each tier: ``kind``,
        ``tier``, ``photos`` with a lead, mean ``lead``; ``apart``, by how much it is above that of
        all other photos, with the interval ``low`` to ``high`` that holds for all rows at 95 % and
        leaves out 0 if and only if the adjusted p-value ``p`` is below 0.05; ``seen``, a true
        difference that would have been found about 7 times in 10; ``p_lead``, adjusted for all
        rows, of the lead in this kind alone being 0. The last six are NaN where the kind, or the
        rest, has fewer than 6 photos.
    """
    sizes = kinds.value_counts().sort_index().sort_values(ascending=False, kind="stable")
    shown = [str(name) for name in sizes.index[:MOST_KINDS]]
    values = leads.to_numpy(float)
    inside = np.array([kinds == name for name in shown], float).reshape(len(shown), len(leads))
    known = ~np.isnan(values)
    counts = inside @ known
    testable = np.minimum(counts, known.sum(axis=0) - counts) >= KIND_LEAST
    sums = inside @ np.nan_to_num(values)
    lead = np.divide(sums, counts, out=np.full_like(sums, np.nan), where=counts > 0)
    apart, error = _held_against_rest(inside, values)
    largest = _largest_ratios(inside, values, testable, seed)
    reached = largest.size - np.searchsorted(largest, ratio_of(np.abs(apart), error) * (1 - 1e-9))
    # So many deals may reach a ratio whose p-value is below 0.05.
    allowed = int(np.ceil(ALPHA * (1 + largest.size))) - 2
    reach = largest[-allowed - 1] if largest.size else np.nan
    facts = {
        "apart": apart, "low": apart - reach * error, "high": apart + reach * error,
        "p": (1 + reached) / (1 + largest.size), "seen": (reach + _POWER) * error,
        "p_lead": _alone(inside, values, testable),
    }  # fmt: skip
    rows = pd.MultiIndex.from_product([shown, leads.columns], names=["kind", "tier"])
    table = {"photos": counts.astype(int), "lead": lead} | {
        name: np.where(testable, found, np.nan) for name, found in facts.items()
    }
    return pd.DataFrame({k: v.ravel() for k, v in table.items()}, index=rows).reset_index()


def _held_against_rest(inside: _Matrix, values: _Matrix) -> tuple[_Matrix, _Matrix]:
    """Mean of each kind less that of all others, and its standard error, ``(..., k, t)``."""
    known = ~np.isnan(values)
    total = known.sum(axis=0)
    centred = np.where(known, values - np.nan_to_num(values).sum(axis=0) / np.maximum(total, 1), 0)
    counts, sums = inside @ known, inside @ centred
    squares = inside @ centred**2
    with np.errstate(divide="ignore", invalid="ignore"):  # of one photo there is no spread
        parts = [
            (some / n, (square - some**2 / n) / (n * (n - 1)))
            for n, some, square in (
                (counts, sums, squares),
                (total - counts, -sums, (centred**2).sum(axis=0) - squares),
            )
        ]
    (mean, own), (rest, others) = parts
    return mean - rest, np.sqrt(np.maximum(own + others, 0))


def _largest_ratios(
    inside: _Matrix, values: _Matrix, testable: NDArray[np.bool_], seed: int
) -> _Matrix:
    """The largest ratio of all testable kinds and tiers in each deal, rising."""
    if not testable.any():
        return np.empty(0)
    photos = len(values)
    if photos >= MANY_CLUSTERS:  # the ratios are normal, and dealing takes long
        shares = (np.arange(_DEALS) + 0.5) / _DEALS
        return special.ndtri(1 - (1 - shares) / (2 * testable.sum()))
    rng = np.random.default_rng(seed)
    step = max(1, _BLOCK // inside.size)
    found = []
    for start in range(0, _DEALS, step):
        deals = min(step, _DEALS - start)
        order = rng.permuted(np.tile(np.arange(photos), (deals, 1)), axis=1)
        apart, error = _held_against_rest(np.moveaxis(inside[:, order], 0, 1), values)
        ratios = np.where(testable, ratio_of(np.abs(apart), error), 0)
        found.append(ratios.max(axis=(1, 2)))
    return np.sort(np.concatenate(found))


def _alone(inside: _Matrix, values: _Matrix, testable: NDArray[np.bool_]) -> _Matrix:
    """p-values of each kind's own lead, those of a kind adjusted together, then for the kinds."""
    found = np.full(testable.shape, np.nan)
    tested = np.flatnonzero(testable.any(axis=1))
    for kind in tested:
        own = values[inside[kind] > 0][:, testable[kind]]
        p = differences_tested(own, np.arange(len(own))).p_adjusted
        found[kind, testable[kind]] = np.minimum(p * len(tested), 1)
    return found
