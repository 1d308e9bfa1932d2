"""The two terms of structural similarity, luminance and contrast-structure, as maps.

Wang, Bovik, Sheikh and Simoncelli, "Image quality assessment: from error visibility to
structural similarity", IEEE Transactions on Image Processing 13(4), 2004: an 11 x 11 Gaussian
window of sigma 1.5, population covariance, borders reflected as in scikit-image.

With ``d = output - photo`` the two terms are

    luminance          = 1 - mean(d)^2 / (mean(photo)^2 + mean(output)^2 + C1)
    contrast-structure = 1 - var(d)    / (var(photo) + var(output) + C2)

which is the textbook formula rearranged. Where nothing changed both are exactly 1, so only the
changed box and the window's margin around it are computed; and single precision is enough,
because no two large numbers are subtracted to give a small loss.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

Planes = np.ndarray  # float32, (H, W, 3)
RADIUS = 5
SIGMA = 1.5
C1, C2 = 0.01**2, 0.03**2
# Taken off before filtering, so that E[x^2] - E[x]^2 keeps its digits in single precision.
_SHIFT = 0.5


@dataclass(frozen=True)
class Box:
    """Rows ``top`` to ``bottom`` and columns ``left`` to ``right``, the ends excluded."""

    top: int
    bottom: int
    left: int
    right: int

    @classmethod
    def around(cls, mask: NDArray[np.bool_]) -> Box:
        """The smallest one that holds all of a mask ``(H, W)``; empty if that is."""
        import cv2

        left, top, width, height = cv2.boundingRect(mask.view(np.uint8))
        return cls(top, top + height, left, left + width)

    @property
    def empty(self) -> bool:
        """Whether no pixel lies inside."""
        return self.bottom <= self.top or self.right <= self.left

    @property
    def slices(self) -> tuple[slice, slice]:
        """For indexing an array ``(H, W, ...)``."""
        return slice(self.top, self.bottom), slice(self.left, self.right)

    def grown(self, margin: int, height: int, width: int) -> Box:
        """Wider by ``margin`` on each side, cut at the picture's edge."""
        return Box(
            max(self.top - margin, 0),
            min(self.bottom + margin, height),
            max(self.left - margin, 0),
            min(self.right + margin, width),
        )

    def halved(self) -> Box:
        """The box of all pixels that this one touches after `halve`."""
        return Box(self.top // 2, self.bottom // 2 + 1, self.left // 2, self.right // 2 + 1)


class Scale:
    """A photo at one scale, with its local mean and variance."""

    def __init__(self, planes: Planes) -> None:
        """Keep the photo, float32 ``(H, W, 3)`` in ``[0, 1]``."""
        self.planes = planes

    @cached_property
    def shifted(self) -> Planes:
        """The photo around 0."""
        return self.planes - np.float32(_SHIFT)

    @cached_property
    def mean(self) -> Planes:
        """Local mean of the shifted photo."""
        return _blur(self.shifted)

    @cached_property
    def variance(self) -> Planes:
        """Local variance."""
        square = self.shifted * self.shifted
        variance = _blur(square)
        variance -= np.multiply(self.mean, self.mean, out=square)
        return variance

    @cached_property
    def half(self) -> Scale:
        """The photo at half the size."""
        return Scale(halve(self.planes))


@dataclass(frozen=True)
class Losses:
    """How far similarity is below 1, inside a box; outside of it the losses are 0.

    Attributes:
        box: Where.
        shape: Height and width of the picture.
        contrast: ``1 - contrast-structure``, ``(h, w, 3)``.
        similarity: ``1 - luminance * contrast-structure``, the loss of SSIM.
    """

    box: Box
    shape: tuple[int, int]
    contrast: Planes
    similarity: Planes

    def interior_mean(self, loss: Planes) -> NDArray[np.float64]:
        """Mean of a loss per channel over all pixels whose window lies inside the picture."""
        import cv2

        height, width = self.shape
        top, left = max(RADIUS, self.box.top), max(RADIUS, self.box.left)
        bottom = min(height - RADIUS, self.box.bottom)
        right = min(width - RADIUS, self.box.right)
        if bottom <= top or right <= left:
            return np.zeros(3)
        rows = slice(top - self.box.top, bottom - self.box.top)
        columns = slice(left - self.box.left, right - self.box.left)
        count = (height - 2 * RADIUS) * (width - 2 * RADIUS)
        return np.array(cv2.sumElems(loss[rows, columns])[:3]) / count

    def masked_mean(self, loss: Planes, mask: NDArray[np.bool_]) -> float:
        """Mean of a loss over the channels of the pixels in a mask ``(H, W)``."""
        import cv2

        if self.box.empty:
            return 0.0
        inside = mask[self.box.slices].view(np.uint8)
        share = np.count_nonzero(inside) / np.count_nonzero(mask)
        return float(np.mean(cv2.mean(loss, mask=inside)[:3])) * share


def losses(photo: Scale, difference: Planes, changed: Box) -> Losses:
    """Compare an output with its photo at one scale.

    Args:
        photo: The photo.
        difference: Output minus photo, float32 ``(H, W, 3)``.
        changed: A box outside of which ``difference`` is 0.
    """
    height, width = difference.shape[:2]
    if changed.empty:
        nothing = np.zeros((0, 0, 3), np.float32)
        return Losses(changed, (height, width), nothing, nothing)
    box = changed.grown(RADIUS, height, width)
    # Reflecting at the box's own edge is right: it either is the picture's edge, or lies in a
    # margin of zeros as wide as the window's radius.
    d = np.ascontiguousarray(difference[box.slices])
    mean, variance = photo.mean[box.slices], photo.variance[box.slices]
    # Results take the place of what is no longer needed: finding fresh memory for a large picture
    # takes longer than computing it.
    d_mean = _blur(d)
    product = photo.shifted[box.slices] * d
    covariance = _blur(product)
    covariance -= np.multiply(mean, d_mean, out=product)
    d_variance = _blur(np.multiply(d, d, out=product))
    d_mean_squared = np.multiply(d_mean, d_mean, out=product)
    d_variance -= d_mean_squared
    photo_mean = mean + np.float32(_SHIFT)
    output_mean = np.add(photo_mean, d_mean, out=d_mean)
    means = np.multiply(photo_mean, photo_mean, out=photo_mean)
    means += np.multiply(output_mean, output_mean, out=output_mean)
    means += np.float32(C1)
    luminance = np.divide(d_mean_squared, means, out=d_mean_squared)
    variances = np.add(variance, covariance, out=covariance)
    variances *= 2
    variances += d_variance
    variances += np.float32(C2)
    contrast = np.divide(d_variance, variances, out=variances)
    both = np.multiply(luminance, contrast, out=means)
    similarity = np.add(luminance, contrast, out=luminance)
    similarity -= both
    return Losses(box, (height, width), contrast, similarity)


def halve(planes: Planes) -> Planes:
    """Average 2 x 2 blocks; with an odd side, first repeat the first row and column.

    piq does the same, so that MS-SSIM agrees with it at every size.
    """
    import cv2

    height, width = planes.shape[:2]
    if height % 2 or width % 2:
        planes = cv2.copyMakeBorder(planes, 1, 0, 1, 0, cv2.BORDER_REPLICATE)
        height, width = height + 1, width + 1
    even = np.ascontiguousarray(planes[: height // 2 * 2, : width // 2 * 2])
    return cv2.resize(even, (width // 2, height // 2), interpolation=cv2.INTER_AREA)


def _blur(planes: Planes) -> Planes:
    import cv2

    kernel = cv2.getGaussianKernel(2 * RADIUS + 1, SIGMA, cv2.CV_32F)
    return cv2.sepFilter2D(planes, cv2.CV_32F, kernel, kernel, borderType=cv2.BORDER_REFLECT)
