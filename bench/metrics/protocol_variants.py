"""PSNR, SSIM and L1 as published protocols compute them, each by its own definition.

Where a protocol uses scikit-image, so is it here.
"""

from __future__ import annotations

import math

import numpy as np

from bench.metrics.pair import Pair
from bench.metrics.pixel import psnr_of
from bench.metrics.structure import C1, C2, RADIUS, SIGMA, Planes


def ssim_lama_of(pair: Pair) -> float:
    """Mean of the whole map of SSIM, its border from pixels padded with zeros."""
    import cv2

    kernel = cv2.getGaussianKernel(2 * RADIUS + 1, SIGMA, cv2.CV_64F)

    def local_mean(planes: Planes) -> Planes:
        return cv2.sepFilter2D(planes, -1, kernel, kernel, borderType=cv2.BORDER_CONSTANT)

    x, y = (np.divide(picture, 255) for picture in (pair.output, pair.original.photo))
    mean_x, mean_y = local_mean(x), local_mean(y)
    variances = local_mean(x * x) + local_mean(y * y) - mean_x**2 - mean_y**2
    covariance = local_mean(x * y) - mean_x * mean_y
    alike = (2 * mean_x * mean_y + C1) * (2 * covariance + C2)
    return float((alike / ((mean_x**2 + mean_y**2 + C1) * (variances + C2))).mean())


def ssim_grey51_of(pair: Pair) -> float:
    """As scikit-image has it, window 51; raises ValueError for a smaller side."""
    return _ssim_grey(pair, 51)


def ssim_grey_of(pair: Pair) -> float:
    """As scikit-image has it, window 7; raises ValueError for a smaller side."""
    return _ssim_grey(pair, 7)


def psnr_grey_of(pair: Pair) -> float:
    """Infinite for equal pictures."""
    output, photo = _grey(pair)
    mean = np.square(output - photo).mean()
    return -10 * math.log10(mean) if mean else math.inf


def l1_grey_of(pair: Pair) -> float:
    """Mean absolute difference of the grey pictures in ``[0, 1]``."""
    output, photo = _grey(pair)
    return float(np.abs(output - photo).mean())


def psnr_kept_of(pair: Pair) -> float:
    """PSNR of the known pixels of the raw output, rounded; NaN where that is not known."""
    if pair.raw is None:
        return math.nan
    known = ~pair.hole
    levels = np.rint(np.clip(pair.raw[known], 0, 1) * 255)
    squares = np.square(levels - pair.shown.photo[known], dtype=np.float64)
    return 10 * math.log10(255**2 * squares.size / squares.sum()) if squares.any() else math.inf


def psnr_brushnet_of(pair: Pair) -> float:
    """As `psnr_kept_of`, of three times the mean square; 1000 where nothing changed."""
    return min(psnr_kept_of(pair) - 10 * math.log10(3), 1000)


def psnr_misato_of(pair: Pair) -> float:
    """At most 70."""
    return -10 * math.log10(10 ** (-psnr_of(pair, "picture") / 10) + 1e-7)


def _ssim_grey(pair: Pair, window: int) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(*_grey(pair), win_size=window, data_range=1.0))


def _grey(pair: Pair) -> tuple[Planes, Planes]:
    """Output and photo in grey, ``(H, W)`` in ``[0, 1]``."""
    from skimage.color import rgb2gray

    return rgb2gray(pair.output), rgb2gray(pair.original.photo)
