"""Kernel distances with an interval: KID and CMMD, and the same without each group of photos."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from bench.statistics.groups import Estimate

KERNEL_LEAST = 40  # pictures
_BLOCK = 1024  # of them, compared at once
Features = NDArray[np.floating]
Sums = NDArray[np.float64]


@dataclass(frozen=True)
class Discrepancy:
    """A squared maximum mean discrepancy of paired pictures.

    Attributes:
        kernel: Of inner products of features, and of their dimension.
        unit: Whether features are scaled to length 1 before.
        own: Whether pictures count against themselves, and fills against their own photos: the
            biased estimate, never negative. Without, it is 0 in expectation for fills that are
            distributed like the photos, and 0 for the photos themselves.
        factor: By which it is multiplied.
    """

    kernel: Callable[[Sums, int], Sums]
    unit: bool = False
    own: bool = False
    factor: float = 1.0

    def of(self, sums: Sequence[float], n: int) -> float:
        """The distance from sums of kernels among fills, among photos, and across."""
        fills, photos, across = sums
        pairs = n * n if self.own else n * (n - 1)
        return self.factor * (fills + photos - 2 * across) / pairs

    def ready(self, features: Features) -> Sums:
        """Features as the kernel takes them, float64."""
        exact = features.astype(np.float64)
        return exact / np.linalg.norm(exact, axis=1, keepdims=True) if self.unit else exact


# Bińkowski et al., "Demystifying MMD GANs", ICLR 2018.
KID = Discrepancy(lambda products, d: (products / d + 1) ** 3)
# Jayasumana et al., "Rethinking FID", CVPR 2024: Gaussian, sigma 10, of features of length 1.
# Of such the squared distance is twice what their product lacks to 1.
CMMD = Discrepancy(lambda products, _: np.exp((products - 1) / 100), True, True, 1000.0)


def distance(fills: Features, photos: Features, rule: Discrepancy) -> float:
    """Kernel distance of fills from the photos of the same cases, both ``(n, d)``."""
    cuts = range(_BLOCK, len(photos), _BLOCK)
    own, original = (np.split(rule.ready(features), cuts) for features in (fills, photos))
    pairs = (own, own), (original, original), (own, original)
    return rule.of([float(_sums(a, b, rule).sum()) for a, b in pairs], len(photos))


def kernel_estimates(
    fills: Mapping[str, Features],
    photos: Features,
    groups: NDArray[np.int64],
    rule: Discrepancy = KID,
) -> dict[str, Estimate]:
    """Kernel distance of each method's fills from the photos, and without each group.

    On all pictures instead of random subsets. Kernels are summed once by pair of groups; leaving
    a group out subtracts a row and a column of these sums. A fill shares the known pixels with its
    own photo: their kernel says nothing of two distributions, so it is left out of the unbiased
    estimate (Gretton et al., "A kernel two-sample test", JMLR 2012, equation 4).

    Args:
        fills: Features ``(n, d)`` of each method's fills, in one order of cases.
        photos: Features ``(n, d)`` of the photos of these cases.
        groups: ``(n,)`` group of each case.
        rule: Which distance.
    """
    order = np.argsort(groups, kind="stable")
    _, starts, sizes = np.unique(groups[order], return_index=True, return_counts=True)
    n = len(photos)
    original = np.split(rule.ready(photos[order]), starts[1:])
    among_photos = _sums(original, original, rule)
    found = {}
    for name, features in fills.items():
        own = np.split(rule.ready(features[order]), starts[1:])
        parts = (_sums(own, own, rule), among_photos, _sums(own, original, rule))
        without = [
            rule.of([_left(sums, g) for sums in parts], n - int(sizes[g]))
            for g in range(len(sizes))
        ]
        value = rule.of([float(sums.sum()) for sums in parts], n)
        found[name] = Estimate(value, np.array(without), sizes, n)
    return found


def _left(sums: Sums, group: int) -> float:
    """What is left of the sums without a group."""
    return float(sums.sum() - sums[group].sum() - sums[:, group].sum() + sums[group, group])


def _sums(a: Sequence[Sums], b: Sequence[Sums], rule: Discrepancy) -> Sums:
    """Kernel sums by pair of groups, ``(g, g)``; of the same cases in the same order."""
    d = a[0].shape[1]
    sums = np.array([[rule.kernel(x @ y.T, d).sum() for y in b] for x in a])
    if not rule.own:
        for group, (x, y) in enumerate(zip(a, b, strict=True)):
            sums[group, group] -= rule.kernel(np.einsum("nd,nd->n", x, y), d).sum()
    return sums
