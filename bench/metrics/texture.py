"""Texture and structure of one fill: how like the photo's its patches and waves are; no weights.

Two measures that fail in different places, and their product:

- `swd_hole_of`, the sliced Wasserstein distance between the patches of fill and photo in the hole,
  over a Laplacian pyramid (Karras et al., ICLR 2018): what the texture is made of, wherever it
  lies. A blur loses its fine bands, and another photo's content may have all of them.
- `cw_ssim_hole_of`, complex-wavelet structural similarity (Sampat et al., IEEE Transactions on
  Image Processing 18(11), 2009): whether edges and waves run as in the photo, a small shift
  forgiven.

What depends on the photo alone is kept on `Original`.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from bench.metrics.patches import PATCH, Places, cut, directions, laplacian
from bench.metrics.perception_table import PATCH_SIDE
from bench.metrics.structure import Box, Planes

if TYPE_CHECKING:
    from threadpoolctl import ThreadpoolController

    from bench.metrics.pair import Pair

# Of the sliced distance.
LEVELS, _DIRECTIONS, _PATCHES, _FEWEST = 5, 64, 600, 16
_REACH = PATCH // 2
_FLAT = 0.01  # added to the photo's spread, so that a flat one does not divide by nothing
# Of complex-wavelet similarity: wavelengths in pixels, directions, window, constant.
_WAVES, _ANGLES, _WINDOW, _K = (4, 8, 16), 6, 7, np.float32(1e-4)
_WEIGHT = 2.0  # of the sliced distance in the score
# Waves of larger photos are found again for each fill: kept, they would take 150 bytes a pixel.
KEPT_PIXELS = 2**20
_ONE = np.ones(1, np.float32)

Wave = tuple[Planes, Planes]  # real and imaginary part, float32 (H, W)


def swd_hole_of(pair: Pair) -> float:
    """Sliced Wasserstein distance of the patches in the hole; lower is better, 0 for the photo.

    On each of 5 levels the patches of 7 x 7 centred in the hole, at most 600 of them, are
    projected on 64 random directions, the same everywhere; the mean distance of both sorted rows
    is divided by the standard deviation of the photo's level in the hole plus 0.01. The value is
    the mean over the levels whose sides are at least 14 pixels and that have 16 such patches
    inside the picture. A hole too small or too near the border for any is measured on the finest
    level by all patches centred in it, the picture mirrored at its border.

    Returns:
        NaN for an empty hole or a side under 14 pixels.
    """
    if not pair.hole_pixels or min(pair.hole.shape) < PATCH_SIDE:
        return math.nan
    return 0.0 if pair.changed.empty else pair.sliced


def cw_ssim_hole_of(pair: Pair) -> float:
    """Complex-wavelet structural similarity over the hole; higher is better, 1 for the photo.

    Of the grey picture, by 18 Gabor filters (3 wavelengths, 6 directions) and a window of 7 x 7.

    Returns:
        In ``[0, 1]``; NaN for an empty hole.
    """
    if not pair.hole_pixels:
        return math.nan
    return 1.0 if pair.changed.empty else pair.waves


def texture_structure_of(pair: Pair) -> float:
    """``cw_ssim_hole * exp(-2 * swd_hole)``, in ``[0, 1]``; higher is better, 1 for the photo."""
    return cw_ssim_hole_of(pair) * math.exp(-_WEIGHT * swd_hole_of(pair))


# -- patches --------------------------------------------------------------------------------


def sliced_distance(pair: Pair) -> float:
    """The value of `swd_hole_of` where something changed."""
    import cv2

    bands = list(zip(laplacian(pair.output, LEVELS), pair.original.bands, strict=True))
    weight: Planes = pair.hole.astype(np.float32)
    distances = []
    for level, (mine, photo) in enumerate(bands):
        weight = cv2.pyrDown(weight) if level else weight
        hole = weight > (0.5 if level else 0)
        places = np.nonzero(hole[_REACH:-_REACH, _REACH:-_REACH])
        if min(hole.shape) >= PATCH_SIDE and len(places[0]) >= _FEWEST:
            distances.append(_distance(mine, photo, places) / (photo[hole].std() + _FLAT))
    if not distances:
        mine, photo = (
            np.pad(band, (*[(_REACH, _REACH)] * 2, (0, 0)), "reflect") for band in bands[0]
        )
        spread = bands[0][1][pair.hole].std() + _FLAT
        distances.append(_distance(mine, photo, np.nonzero(pair.hole)) / spread)
    return float(np.mean(distances))


def _distance(mine: Planes, photo: Planes, places: Places) -> float:
    """Sliced distance of the patches with these top left corners."""
    count = len(places[0])
    if count > _PATCHES:
        chosen = np.random.default_rng(1).choice(count, _PATCHES, replace=False)
        places = places[0][chosen], places[1][chosen]
    with _blas().limit(limits=1):  # so small a product waits longer for threads than it takes
        ours, theirs = (
            np.sort(_directions() @ cut(band, places).reshape(-1, 3 * PATCH * PATCH).T)
            for band in (mine, photo)
        )
    return float(np.abs(ours - theirs).mean())


@cache
def _blas() -> ThreadpoolController:
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController().select(user_api="blas")


@cache
def _directions() -> Planes:
    """The same everywhere."""
    return directions(np.random.default_rng(0), _DIRECTIONS)


# -- waves ----------------------------------------------------------------------------------


class Gabor(NamedTuple):
    """A complex wave under a Gaussian, as a product of a row and a column, and its mirror image.

    Attributes:
        row: Cosine and sine along x under the Gaussian.
        column: Those along y, scaled so that the real part's absolute values sum to 1.
        flat: What is to be subtracted, times the Gaussian, so that a flat picture gives 0.
        mirrored: Whether its mirror image is another direction.
    """

    row: tuple[NDArray[np.float32], NDArray[np.float32]]
    column: tuple[NDArray[np.float32], NDArray[np.float32]]
    flat: np.float32
    mirrored: bool


@cache
def _gabors(wave: int) -> tuple[NDArray[np.float32], list[Gabor]]:
    """The Gaussian of a wavelength and its filters, of directions from 0 to 90 degrees."""
    reach = int(wave * 1.5)
    x = np.arange(-reach, reach + 1)
    gaussian = np.exp(-(x**2) / (2 * (wave * 0.5) ** 2))
    found = []
    for k in range(_ANGLES // 2 + 1):
        angle, turn = np.pi * k / _ANGLES, 2 * np.pi / wave
        across, down = (
            gaussian * np.exp(1j * turn * along * x) for along in (np.cos(angle), np.sin(angle))
        )
        real = np.outer(down, across).real
        flat = real.sum() / gaussian.sum() ** 2
        scale = np.abs(real - flat * np.outer(gaussian, gaussian)).sum()
        row, column = (
            (each.real.astype(np.float32), each.imag.astype(np.float32))
            for each in (across, down / scale)
        )
        found.append(Gabor(row, column, np.float32(flat / scale), 0 < 2 * k < _ANGLES))
    return gaussian.astype(np.float32), found


def waves(picture: NDArray[np.uint8], box: Box) -> Iterator[Wave]:
    """What 18 Gabor filters find of the grey picture in a box; borders mirrored."""
    import cv2

    grey = cv2.cvtColor(picture, cv2.COLOR_RGB2GRAY)
    for wave in _WAVES:
        gaussian, filters = _gabors(wave)
        # Borders inside of the picture make a margin wrong, which is cut off.
        near = box.grown(len(gaussian) // 2, *grey.shape)
        part = np.multiply(grey[near.slices], np.float32(1 / 255), dtype=np.float32)
        rows = slice(box.top - near.top, box.bottom - near.top)
        columns = slice(box.left - near.left, box.right - near.left)
        level = _down(_across(part, gaussian, columns), gaussian, rows)
        for each in filters:
            cosines, sines = (_across(part, kernel, columns) for kernel in each.row)
            cc, cs = (_down(cosines, kernel, rows) for kernel in each.column)
            sc, ss = (_down(sines, kernel, rows) for kernel in each.column)
            cc -= each.flat * level
            yield cc - ss, cs + sc
            if each.mirrored:
                yield cc + ss, cs - sc


def _across(planes: Planes, kernel: NDArray[np.float32], columns: slice) -> Planes:
    import cv2

    found = cv2.sepFilter2D(planes, cv2.CV_32F, kernel, _ONE, borderType=cv2.BORDER_REFLECT)
    return np.ascontiguousarray(found[:, columns])


def _down(planes: Planes, kernel: NDArray[np.float32], rows: slice) -> Planes:
    import cv2

    found = cv2.sepFilter2D(planes, cv2.CV_32F, _ONE, kernel, borderType=cv2.BORDER_REFLECT)
    return found[rows]


def wave_similarity(pair: Pair) -> float:
    """The value of `cw_ssim_hole_of` where something changed."""
    import cv2

    around = Box.around(pair.hole).grown(_WINDOW // 2, *pair.hole.shape)
    loss = np.zeros(pair.hole[around.slices].shape, np.float32)
    for mine, theirs in zip(waves(pair.output, around), pair.original.waves(around), strict=True):
        loss += _loss(mine, theirs)
    inside = pair.hole[around.slices].view(np.uint8)
    # Below 0 by rounding alone.
    return 1 - max(0.0, cv2.mean(loss, inside)[0]) / (len(_WAVES) * _ANGLES)


def _loss(mine: Wave, theirs: Wave) -> Planes:
    """``1 - similarity``, of one filter."""
    import cv2

    (a, b), (c, d) = mine, theirs
    real, imaginary = (
        cv2.blur(each, (_WINDOW, _WINDOW)) for each in (a * c + b * d, b * c - a * d)
    )
    power = cv2.blur(a * a + b * b + c * c + d * d, (_WINDOW, _WINDOW))
    alike = np.sqrt(real * real + imaginary * imaginary)
    return (power - 2 * alike) / (power + _K)
