"""FID with an interval, and extrapolated to infinitely many pictures.

FID falls with the number n of pictures by about c / n, and c depends on the method (Chong and
Forsyth, "Effectively unbiased FID and Inception Score and where to find them", CVPR 2020).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.statistics.groups import Estimate

EXTRAPOLATION_LEAST = 10  # pictures a feature
_SIZES = 5
_SUBSETS = 4
Features = NDArray[np.floating]


@dataclass(frozen=True)
class _Moments:
    """Count, sum and sum of outer products of features; they add and subtract."""

    n: int
    total: NDArray[np.float64]
    outer: NDArray[np.float64]

    def __sub__(self, other: _Moments) -> _Moments:
        return _Moments(self.n - other.n, self.total - other.total, self.outer - other.outer)

    @property
    def mean(self) -> NDArray[np.float64]:
        return self.total / self.n

    @property
    def covariance(self) -> NDArray[np.float64]:
        centred: NDArray[np.float64] = self.outer - np.outer(self.total, self.total) / self.n
        return centred / (self.n - 1)


def fid_estimates(
    fills: Mapping[str, Features], photos: Features, groups: NDArray[np.int64]
) -> dict[str, Estimate]:
    """FID of each method against the photos, and without each group.

    The work on the photos is shared by all methods, and removing a group subtracts its moments.

    Args:
        fills: Features ``(n, d)`` of each method's fills, in one order of cases.
        photos: Features ``(n, d)`` of the photos of these cases.
        groups: ``(n,)`` group of each case.
    """
    present, sizes = np.unique(groups, return_counts=True)
    # Far from 0, squares would lose digits; FID does not change when all features are moved.
    centre = photos.mean(axis=0, dtype=np.float64)
    found: dict[str, list[float]] = {name: [] for name in fills}
    whole = {name: _moments(features - centre) for name, features in fills.items()}
    original = _moments(photos - centre)
    for group in (None, *present):
        own = np.zeros(len(groups), bool) if group is None else groups == group
        reference = original - _moments(photos[own] - centre)
        root = _root(reference.covariance)
        for name, features in fills.items():
            kept = whole[name] - _moments(features[own] - centre)
            found[name].append(_distance(kept, reference, root))
    return {
        name: Estimate(values[0], np.array(values[1:]), sizes, len(photos))
        for name, values in found.items()
    }


def fid_extrapolated(
    fills: Mapping[str, Features], photos: Features, *, seed: int = 0
) -> dict[str, float]:
    """FID of infinitely many pictures, the intercept of a straight line in 1/n.

    The line is fitted to 5 sizes from n/10 to n, each smaller one by 4 random subsets, the same
    for all methods. It is straight where every subset has more pictures than features, so for
    `EXTRAPOLATION_LEAST` pictures a feature. Of two normal sets in 128 dimensions with a true
    distance of 0.53, the intercept is 0.51 for 5,000 pictures, 0.39 for 1,280, and 4.9 for 640.

    Args:
        fills: Features ``(n, d)`` of each method's fills, in one order of cases.
        photos: Features ``(n, d)`` of the photos of these cases.
        seed: Seeds the subsets.
    """
    shares: list[float] = []
    found: dict[str, list[float]] = {name: [] for name in fills}
    for subset in _subsets(len(photos), np.random.default_rng(seed)):
        reference = _moments(photos[subset])
        root = _root(reference.covariance)
        shares.append(1 / len(subset))
        for name, features in fills.items():
            found[name].append(_distance(_moments(features[subset]), reference, root))
    return {name: float(np.polyfit(shares, values, 1)[1]) for name, values in found.items()}


def _subsets(n: int, rng: np.random.Generator) -> Iterator[NDArray[np.int64]]:
    # Sizes spaced evenly in 1/n instead would rest on the small ones: twice the spread.
    for size in np.rint(np.linspace(n / 10, n, _SIZES)).astype(int):
        for _ in range(_SUBSETS if size < n else 1):
            yield rng.choice(n, size, replace=False)


def _moments(features: Features) -> _Moments:
    exact = features.astype(np.float64)
    return _Moments(len(exact), exact.sum(axis=0), exact.T @ exact)


def _root(covariance: NDArray[np.float64]) -> NDArray[np.float64]:
    """Symmetric square root."""
    values, vectors = np.linalg.eigh(covariance)
    return (vectors * np.sqrt(np.maximum(values, 0))) @ vectors.T


def _distance(own: _Moments, reference: _Moments, root: NDArray[np.float64]) -> float:
    """Fréchet distance of two normal distributions; ``root`` is that of the reference."""
    spread = own.covariance
    inner = np.linalg.eigvalsh(root @ spread @ root)
    shared = np.sqrt(np.maximum(inner, 0)).sum()
    apart = np.sum((own.mean - reference.mean) ** 2)
    return float(apart + np.trace(spread) + np.trace(reference.covariance) - 2 * shared)
