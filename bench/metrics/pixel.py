"""Metrics on pixels: PSNR, SSIM, L1, the seam at the hole's edge, and drift outside of it.

They take a `bench.metrics.pair.Pair`, which shares intermediate results between metrics.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from bench.metrics.pair import Pair, Picture
from bench.metrics.pixel_table import SSIM_SIDE
from bench.metrics.structure import Box

Region = Literal["picture", "hole"]

# Width of the bands of a seam, in pixels. A ring of copied pixels hides a bad fill until bands are
# wider: of the mean colour's seam of 0.14, rings of 1, 2 and 3 pixels leave 0.11, 0.07 and 0.04,
# but 0.08, 0.02 and 0.003 of bands of 2. The truth 8 grey levels off has 0.02 by either.
_BAND = 4


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
    """How far jumps across the hole's edge exceed those of the truth there; 0 is best.

    The mean over places of the edge and channels of ``max(0, |jump in output| - |jump in
    truth|)`` in ``[0, 1]``, of the jumps of `seam_visible_of`. An edge of the truth that a fill
    lacks is no seam, and cannot make up for one elsewhere.

    Returns:
        NaN if the hole has no edge.
    """
    mine, own = _jumps(pair.hole, pair.output, pair.original.photo)
    return _mean(np.maximum(np.abs(mine) - np.abs(own), 0))


def seam_visible_of(pair: Pair) -> float:
    """How far local means of the fill and of what is around it are apart; needs no truth.

    At each pixel of the hole that has a known neighbour (4-neighbourhood), and for each channel,
    the jump is the mean of the fill within 4 pixels of the edge, less that of the known pixels
    within 4 pixels of it, both over the 9 x 9 pixels around that place; distances are the larger
    of those along both axes. The result is the mean of ``|jump|`` in ``[0, 1]``. What is finer
    than the window, such as grain, hardly counts; a slope across the edge does.

    Returns:
        NaN if the hole has no edge.
    """
    (jumps,) = _jumps(pair.hole, pair.output)
    return _mean(np.abs(jumps))


def _mean(jumps: np.ndarray) -> float:
    return float(jumps.mean(dtype=np.float64)) / 255 if jumps.size else math.nan


def _jumps(hole: NDArray[np.bool_], *pictures: Picture) -> list[np.ndarray]:
    """The jumps of each picture at the hole's edge, float32 ``(places, 3)`` in grey levels."""
    import cv2

    near = Box.around(hole).grown(_BAND, *hole.shape).slices
    inside = hole[near].view(np.uint8)
    # Beyond the border lies neither hole nor known: that is how OpenCV treats it unasked.
    inner = cv2.erode(inside, cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3)))
    edge, band = inside > inner, np.ones((2 * _BAND + 1,) * 2, np.uint8)
    if not edge.any():
        return [np.zeros((0, 3), np.float32)] * len(pictures)
    sums = partial(
        cv2.boxFilter, ddepth=cv2.CV_32F, ksize=(9, 9), normalize=False,
        borderType=cv2.BORDER_CONSTANT,
    )  # fmt: skip
    sides = [
        (side, sums(side)[edge][:, None])
        for side in (inside - cv2.erode(inside, band), cv2.dilate(inside, band) - inside)
    ]
    found = []
    for picture in pictures:
        within, around = (
            sums(cv2.copyTo(picture[near], side))[edge] / pixels for side, pixels in sides
        )
        found.append(within - around)
    return found


def drift_of(pair: Pair) -> float:
    """Mean absolute change of the pixels that were to be kept, 1 being the whole range.

    Of the raw output as it came: what lies outside of ``[0, 1]`` counts in full.

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
    change = cv2.absdiff(pair.raw.astype(np.float32, copy=False), pair.shown.unit)
    return float(np.mean(cv2.mean(change, mask=known.view(np.uint8))[:3]))
