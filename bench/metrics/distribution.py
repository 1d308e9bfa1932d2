"""Metrics between two sets of pictures by the features that a network finds in them.

Each takes ``outputs``, features ``(n, d)`` of the fills, and ``photos``, those of their photos.

All compare the outputs with the photos of the same cases, so that known pixels are shared and
values are far below those of image generation. A fill resembles its own photo for these pixels
alone, which says nothing of two distributions: the unbiased KID leaves such pairs out. FID has no
terms of pairs to leave out: it knows each set by its mean and covariance only. Shared pixels make
the two samples err alike, so that its bias is smaller than between independent samples, and 0 for
the photos themselves; it differs by method, which is why FID is compared at the same n only. The
biased CMMD counts pairs in all its terms alike.
"""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.metrics.record import SetValue
from bench.statistics.kernel import CMMD, KID, Discrepancy, distance

_ENOUGH = 2048
_NOISY = 50
_MISATO = 512  # principal components, as many as a picture has pixels along its side


def fid(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Fréchet distance of features, such as Inception's (FID) or DINOv2's; lower is better.

    Heusel et al., "GANs trained by a two time-scale update rule", NeurIPS 2017. With features
    centred and divided by ``sqrt(n - 1)``, the trace of the root of the product of both
    covariances is the sum of the singular values of ``A B^T``, which takes milliseconds for few
    pictures, where the eigenvalues of the 2048 x 2048 product take seconds.

    Returns:
        At least 0; NaN below 2 pictures.
    """
    n = min(len(outputs), len(photos))
    if n < 2:
        return _too_few(n, 2)
    means, factors = zip(*(_moments(features) for features in (outputs, photos)), strict=True)
    shared = np.linalg.svd(factors[0] @ factors[1].T, compute_uv=False).sum()
    spread = sum(float(np.sum(factor**2)) for factor in factors)
    value = float(np.sum((means[0] - means[1]) ** 2)) + spread - 2 * float(shared)
    return SetValue(max(value, 0.0), n, _small_sample(n))


def kid(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Kernel Inception distance; lower is better, slightly negative where both are alike.

    Bińkowski et al., "Demystifying MMD GANs", ICLR 2018: kernel ``(x y / d + 1)^3``, unbiased, on
    all pictures instead of random subsets. Neither a picture's kernel with itself counts nor, as
    fill and photo are no independent draws, a fill's with its own photo (Gretton et al., "A kernel
    two-sample test", JMLR 2012, equation 4). What is published counts the latter, and is lower by
    twice its excess over the mean kernel, divided by n.

    Returns:
        0 if all fills are their photos; NaN below 2 pictures.
    """
    n = len(photos)
    if n < 2:
        return _too_few(n, 2)
    return _by_kernel(outputs, photos, KID)


def cmmd(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Maximum mean discrepancy of CLIP's features, times 1000; lower is better.

    Jayasumana et al., "Rethinking FID: Towards a better evaluation metric for image generation",
    CVPR 2024: features of length 1, Gaussian kernel with sigma 10, the biased estimate.

    Returns:
        At least 0 but for rounding; 0 if all fills are their photos.
    """
    return _by_kernel(outputs, photos, CMMD)


def u_ids(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Unpaired inception discriminative score: the share that a linear SVM gets wrong.

    Zhao et al., "Large scale image completion via co-modulated generative adversarial networks",
    ICLR 2021: the SVM is trained to tell these very photos from these fills by their features, and
    the score is the mean of the shares of photos taken for fills and of fills taken for photos. The
    SVM is scikit-learn's ``LinearSVC(dual=False)`` with its settings.

    Returns:
        0 where the SVM tells all apart, 0.5 if all fills are their photos; higher is better.
    """
    machine, why = _told_apart(outputs, photos)
    taken_for_photos = float(np.mean(machine.decision_function(outputs) > 0))
    missed = float(np.mean(machine.decision_function(photos) <= 0))
    return _ids((taken_for_photos + missed) / 2, photos, why)


def p_ids(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """Paired inception discriminative score: how often a fill passes for more real than its photo.

    The share of cases where the SVM of `u_ids` gives the fill a higher value than its photo.

    Returns:
        0 to 1, higher is better. A fill that is its photo is not higher, so photos score 0.
    """
    machine, why = _told_apart(outputs, photos)
    # The difference of both values, so that rounding cannot tell equal pictures apart.
    gaps = (outputs.astype(np.float64) - photos) @ machine.coef_[0]
    return _ids(float(np.mean(gaps > 0)), photos, why)


def u_ids_misato(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """`u_ids` of the first 512 principal components of both sets together."""
    return u_ids(*_principal(outputs, photos, _MISATO))


def p_ids_misato(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """`p_ids` of the first 512 principal components of both sets together."""
    return p_ids(*_principal(outputs, photos, _MISATO))


def u_ids_misato1024(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """`u_ids` of the first 1024 principal components of both sets together."""
    return u_ids(*_principal(outputs, photos, 2 * _MISATO))


def p_ids_misato1024(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> SetValue:
    """`p_ids` of the first 1024 principal components of both sets together."""
    return p_ids(*_principal(outputs, photos, 2 * _MISATO))


def _principal(
    outputs: NDArray[np.floating], photos: NDArray[np.floating], components: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Both sets in principal components of all their features; at most as many as pictures."""
    from sklearn.decomposition import PCA

    both = np.concatenate([photos, outputs]).astype(np.float64)
    # Not scikit-learn's choice, which is a random one for sets of this size.
    solver = "covariance_eigh" if len(both) > both.shape[1] else "full"
    machine = PCA(min(components, *both.shape), svd_solver=solver).fit(both)
    reduced = machine.transform(both[: len(photos)])
    # By their differences, so that rounding cannot tell equal pictures apart.
    return reduced + (both[len(photos) :] - both[: len(photos)]) @ machine.components_.T, reduced


def _told_apart(outputs: NDArray[np.floating], photos: NDArray[np.floating]) -> tuple[Any, str]:
    """The SVM that tells photos (True) from fills, and whether it settled."""
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.svm import LinearSVC

    machine = LinearSVC(dual=False)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", ConvergenceWarning)
        machine.fit(np.concatenate([photos, outputs]), np.arange(2 * len(photos)) < len(photos))
    return machine, "the SVM did not converge" if caught else ""


def _ids(value: float, photos: NDArray[np.floating], why: str) -> SetValue:
    n = len(photos)
    few = f"n = {n} is below {_ENOUGH}: the SVM tells nearly any fills apart" if n < _ENOUGH else ""
    return SetValue(value, n, "; ".join(filter(None, (few, why))))


def _by_kernel(
    outputs: NDArray[np.floating], photos: NDArray[np.floating], rule: Discrepancy
) -> SetValue:
    n = len(photos)
    value = distance(outputs, photos, rule)
    return SetValue(value, n, "" if n >= _NOISY else f"n = {n} is below {_NOISY}: noisy")


def _too_few(n: int, least: int) -> SetValue:
    return SetValue(float("nan"), n, f"needs at least {least} pictures, found {n}")


def _small_sample(n: int) -> str:
    if n >= _ENOUGH:
        return ""
    return f"n = {n} is below {_ENOUGH}: biased, for comparison on the same cases only"


def _moments(features: NDArray[np.floating]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Mean ``(d,)``, and a factor ``A`` of at most d rows with ``A^T A`` the covariance."""
    exact = features.astype(np.float64)
    mean = exact.mean(axis=0)
    factor = (exact - mean) / np.sqrt(len(exact) - 1)
    if len(factor) > factor.shape[1]:
        factor = np.linalg.qr(factor, mode="r")
    return mean, factor
