"""KID with an interval: the kernel distance, and the same without each group of photos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from bench.statistics.groups import Estimate

KID_LEAST = 40
Features = NDArray[np.floating]
Sums = NDArray[np.float64]


def kid_estimates(
    fills: Mapping[str, Features], photos: Features, groups: NDArray[np.int64]
) -> dict[str, Estimate]:
    """KID of each method against the photos, and without each group.

    Bińkowski et al., "Demystifying MMD GANs", ICLR 2018: unbiased, kernel ``(x y / d + 1)^3``,
    on all pictures instead of random subsets. Kernels are summed once by pair of groups; leaving
    a group out subtracts a row and a column of these sums. Like torch-fidelity's, it counts the
    kernel of each fill with its own photo, which lowers it by a share of about 1/n: compare at
    the same n.

    Args:
        fills: Features ``(n, d)`` of each method's fills, in one order of cases.
        photos: Features ``(n, d)`` of the photos of these cases.
        groups: ``(n,)`` group of each case.
    """
    order = np.argsort(groups, kind="stable")
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    original = np.split(photos[order].astype(np.float64), starts[1:])
    among_photos = _within(original)
    found = {}
    for name, features in fills.items():
        own = np.split(features[order].astype(np.float64), starts[1:])
        across = _sums(own, original)
        parts = (_within(own), among_photos, across)
        n = len(photos)
        without = [
            _distance([_left(sums, g) for sums in parts], n - int(sizes[g]))
            for g in range(len(sizes))
        ]
        value = _distance([float(sums.sum()) for sums in parts], n)
        found[name] = Estimate(value, np.array(without), sizes, n)
    return found


def _distance(sums: Sequence[float], n: int) -> float:
    fills, photos, across = sums
    return (fills + photos) / (n * (n - 1)) - 2 * across / n**2


def _left(sums: Sums, group: int) -> float:
    """What is left of the sums without a group."""
    return float(sums.sum() - sums[group].sum() - sums[:, group].sum() + sums[group, group])


def _within(parts: list[NDArray[np.float64]]) -> Sums:
    """Kernel sums by pair of groups of one set, without each picture's kernel with itself."""
    sums = _sums(parts, parts)
    for group, part in enumerate(parts):
        sums[group, group] -= _cubic(np.einsum("nd,nd->n", part, part), part.shape[1]).sum()
    return sums


def _sums(a: list[NDArray[np.float64]], b: list[NDArray[np.float64]]) -> Sums:
    """Kernel sums by pair of groups, ``(g, g)``."""
    return np.array([[_cubic(x @ y.T, x.shape[1]).sum() for y in b] for x in a])


def _cubic(products: NDArray[np.float64], d: int) -> NDArray[np.float64]:
    return (products / d + 1) ** 3
