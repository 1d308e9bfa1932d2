"""PSNR, SSIM and L1 as published protocols compute them, each by its own definition.

Where a protocol uses scikit-image, so is it here.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from bench.errors import Declined
from bench.metrics.networks import CLIP
from bench.metrics.pair import Pair
from bench.metrics.pixel import psnr_of
from bench.metrics.structure import C1, C2, RADIUS, SIGMA, Planes

if TYPE_CHECKING:
    from bench.metrics.vit import VitFeatures


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


def ssim51_of(pair: Pair) -> float:
    """As scikit-image has it, window 51, mean over RGB; raises ValueError for a smaller side."""
    from skimage.metrics import structural_similarity

    pictures = pair.output, pair.original.photo
    return float(structural_similarity(*pictures, win_size=51, channel_axis=-1, data_range=255))


def l1_relative_of(pair: Pair) -> float:
    """Sum of absolute differences over the sum of both pictures; 0 of two black ones."""
    return _relative(pair.output / 255, pair.original.photo / 255)


def l1_relative_grey_of(pair: Pair) -> float:
    """As `l1_relative_of`, of the grey pictures."""
    return _relative(*_grey(pair))


def grad_misato_of(pair: Pair) -> float:
    """Mean length of the difference of Sobel gradients, where Canny finds edges of the hole.

    Raises:
        Declined: If it finds none.
    """
    import cv2

    edges = cv2.Canny(255 * pair.hole.view(np.uint8), 100, 200) > 0
    if not edges.any():
        raise Declined("Canny's method finds no edge of the hole")
    grey = cv2.cvtColor(255 * pair.difference, cv2.COLOR_RGB2GRAY)
    across, down = (cv2.Sobel(grey, cv2.CV_64F, *way, ksize=3)[edges] for way in ((1, 0), (0, 1)))
    return float(np.hypot(across, down).mean())


def clip_similarity_of(pair: Pair, network: VitFeatures) -> float:
    """Cosine of the angle between CLIP's features of output and photo."""
    kept = pair.original.features
    if CLIP not in kept:
        kept[CLIP] = network(pair.original.photo)
    photo, output = (np.asarray(each, np.float64) for each in (kept[CLIP], network(pair.output)))
    return float(photo @ output / math.sqrt((photo @ photo) * (output @ output)))


def mse_kept_of(pair: Pair) -> float:
    """Mean square of the change of known pixels, in ``[0, 1]``; 0 if all is hole."""
    known = ~pair.hole
    if not known.any():
        return 0.0
    change = np.subtract(pair.kept[known], pair.shown.photo[known], dtype=np.float64)
    return float(np.square(change).mean()) / 255**2


def psnr_kept_of(pair: Pair) -> float:
    """PSNR of the known pixels, as the method left them; infinite where none changed."""
    mean = mse_kept_of(pair)
    return -10 * math.log10(mean) if mean else math.inf


def psnr_brushnet_of(pair: Pair) -> float:
    """As `psnr_kept_of`, of three times the mean square; 1000 where nothing changed."""
    return min(psnr_kept_of(pair) - 10 * math.log10(3), 1000)


def psnr_misato_of(pair: Pair) -> float:
    """At most 70."""
    return -10 * math.log10(10 ** (-psnr_of(pair, "picture") / 10) + 1e-7)


def _ssim_grey(pair: Pair, window: int) -> float:
    from skimage.metrics import structural_similarity

    return float(structural_similarity(*_grey(pair), win_size=window, data_range=1.0))


def _relative(output: Planes, photo: Planes) -> float:
    apart = np.abs(output - photo).sum()
    return float(apart / (output + photo).sum()) if apart else 0.0


def _grey(pair: Pair) -> tuple[Planes, Planes]:
    """Output and photo in grey, ``(H, W)`` in ``[0, 1]``."""
    from skimage.color import rgb2gray

    return rgb2gray(pair.output), rgb2gray(pair.original.photo)
