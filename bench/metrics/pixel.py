"""Metrics on pixels: PSNR, SSIM, L1, the seam at the hole's edge, and drift outside of it.

They take a `bench.metrics.pair.Pair`, which shares intermediate results between metrics.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

import numpy as np

from bench.metrics.pair import Pair
from bench.metrics.table import SSIM_SIDE

Region = Literal["picture", "hole"]


def _total(pair: Pair, region: Region, norm: str) -> float:
    """Sum of ``NORM_L1`` or ``NORM_L2SQR`` over a region, exact: OpenCV sums integers."""
    import cv2

    box = pair.changed
    if box.empty:
        return 0.0
    output, photo = pair.output[box.slices], pair.original.photo[box.slices]
    mask = pair.hole[box.slices].view(np.uint8) if region == "hole" else None
    return float(cv2.norm(output, photo, getattr(cv2, norm), mask))


def _values(pair: Pair, region: Region) -> int:
    return 3 * (pair.hole_pixels if region == "hole" else pair.hole.size)


def psnr_of(pair: Pair, region: Region) -> float:
    """Peak signal-to-noise ratio in decibels, from one mean over all pixels and channels.

    Returns:
        Infinite where the two agree exactly; NaN for an empty hole.
    """
    values = _values(pair, region)
    if values == 0:
        return math.nan
    total = _total(pair, region, "NORM_L2SQR")
    return 10 * math.log10(255**2 * values / total) if total else math.inf


def l1_of(pair: Pair, region: Region) -> float:
    """Mean absolute difference in ``[0, 1]``; NaN for an empty hole."""
    values = _values(pair, region)
    return _total(pair, region, "NORM_L1") / (255 * values) if values else math.nan


def ssim_of(pair: Pair, region: Region) -> float:
    """Structural similarity, 11 x 11 Gaussian window (Wang et al. 2004); higher is better.

    The same as scikit-image's ``structural_similarity`` with ``gaussian_weights=True``,
    ``sigma=1.5``, ``use_sample_covariance=False``. Over the picture it is the mean of the map
    without its border of 5 pixels; over the hole it is the mean of the full map, whose border
    comes from reflected pixels, over the hole's pixels.

    Returns:
        At most 1; NaN for an empty hole or a side under 11 pixels.
    """
    if min(pair.hole.shape) < SSIM_SIDE or (region == "hole" and not pair.hole_pixels):
        return math.nan
    losses = pair.structure
    if region == "hole":
        return 1 - losses.masked_mean(losses.similarity, pair.hole)
    return 1 - float(losses.interior_mean(losses.similarity).mean())


def seam_of(pair: Pair) -> float:
    """How much the jumps across the hole's edge differ from those of the photo; 0 is best.

    For each two neighbours (4-neighbourhood) of which one lies in the hole and one outside, and
    each channel, the jump is the absolute difference of the two. The result is the mean over
    them of ``|jump in output - jump in photo|`` in ``[0, 1]``: a visible line counts as much as
    a photo's own edge smeared away.

    Returns:
        NaN if the hole has no edge.
    """
    import cv2

    hole, width = pair.hole, pair.hole.shape[1]
    output, photo = pair.output.reshape(-1, 3), pair.original.photo.reshape(-1, 3)
    beside = np.zeros_like(hole)
    beside[:, :-1] = hole[:, :-1] != hole[:, 1:]
    below = hole[:-1] != hole[1:]
    total, count = 0.0, 0
    for edge, step in ((beside, 1), (below, width)):
        at = np.flatnonzero(edge)
        if at.size:
            mine = cv2.absdiff(output.take(at, 0), output.take(at + step, 0))
            theirs = cv2.absdiff(photo.take(at, 0), photo.take(at + step, 0))
            total += cv2.norm(mine, theirs, cv2.NORM_L1)
            count += mine.size
    return total / (255 * count) if count else math.nan


def seam_visible_of(pair: Pair) -> float:
    """How far local means of the fill and of what is around it are apart; needs no truth.

    At each pixel of the hole that has a known neighbour (4-neighbourhood), and for each channel,
    the mean of the fill within 3 pixels of the edge is held against that of the known pixels
    within 3 pixels of it, both over the 9 x 9 pixels around that place; distances are the larger
    of those along both axes. The result is the mean of ``|inside - outside|`` in ``[0, 1]``. What
    is finer than the window, such as grain, hardly counts; a slope across the edge does.

    Returns:
        NaN if the hole has no edge.
    """
    import cv2

    left, top, wide, high = cv2.boundingRect(pair.hole.view(np.uint8))
    near = np.s_[max(0, top - 4) : top + high + 4, max(0, left - 4) : left + wide + 4]
    hole, output = pair.hole[near].view(np.uint8), pair.output[near]
    # Beyond the border lies neither hole nor known: that is how OpenCV treats it unasked.
    inner = cv2.erode(hole, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    edge, band = hole > inner, np.ones((7, 7), np.uint8)
    if not edge.any():
        return math.nan
    sums = partial(
        cv2.boxFilter, ddepth=cv2.CV_32F, ksize=(9, 9), normalize=False,
        borderType=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    inside, outside = (
        sums(output * side[..., None])[edge] / sums(side)[edge][:, None]
        for side in (hole - cv2.erode(hole, band), cv2.dilate(hole, band) - hole)
    )
    return float(np.abs(inside - outside).mean(dtype=np.float64)) / 255


def drift_of(pair: Pair) -> float:
    """Mean absolute change of the pixels that were to be kept, in ``[0, 1]``.

    Returns:
        0 if nothing changed, or if the whole picture is hole; NaN where the raw output is not
        known.
    """
    import cv2

    if pair.raw is None:
        return math.nan
    known = ~pair.hole
    if not known.any():
        return 0.0
    raw = np.clip(pair.raw, 0, 1).astype(np.float32, copy=False)
    change = cv2.absdiff(raw, pair.shown.unit)
    return float(np.mean(cv2.mean(change, mask=known.view(np.uint8))[:3]))
