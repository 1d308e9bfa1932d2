"""A fill beside its photo, with the intermediate results that metrics share.

Everything is computed when first asked for and then kept. What depends on the photo alone is
kept on `Original`, so that the fills of all holes and methods of one photo share it.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from bench.errors import Declined, InputError
from bench.metrics import patches, structure, texture
from bench.metrics.structure import Box, Losses, Planes, Scale

Picture = np.ndarray  # uint8 RGB, (H, W, 3)


class Original:
    """A photo and what metrics derive from it alone.

    Attributes:
        photo: uint8 RGB, ``(H, W, 3)``.
        features: Features of the photo by name of the network.
    """

    def __init__(self, photo: Picture) -> None:
        """Keep the photo.

        Raises:
            InputError: If it is not uint8 ``(H, W, 3)``.
        """
        _check_picture("photo", photo)
        self.photo = np.ascontiguousarray(photo)
        self.features: dict[str, Any] = {}

    @cached_property
    def unit(self) -> Planes:
        """The photo as float32 in ``[0, 1]``."""
        return np.divide(self.photo, np.float32(255), dtype=np.float32)

    @cached_property
    def scale(self) -> Scale:
        """The photo at full size, for structural similarity."""
        return Scale(self.unit)

    @cached_property
    def gradient(self) -> Planes:
        """Gradient magnitude of the halved luma, for GMSD."""
        return gradient_magnitude(self.unit)

    @cached_property
    def bands(self) -> list[Planes]:
        """Laplacian pyramid, for the sliced distance."""
        return patches.laplacian(self.photo, texture.LEVELS)

    @cached_property
    def all_waves(self) -> list[texture.Wave]:
        """Waves of the whole photo."""
        return list(texture.waves(self.photo, Box(0, self.photo.shape[0], 0, self.photo.shape[1])))

    def waves(self, box: Box) -> Iterable[texture.Wave]:
        """Waves of the photo in a box, for complex-wavelet similarity; kept unless it is large."""
        if self.photo[..., 0].size > texture.KEPT_PIXELS:
            return texture.waves(self.photo, box)
        return ((real[box.slices], imaginary[box.slices]) for real, imaginary in self.all_waves)


class Pair:
    """An output and what it is held against: its photo, or where that is another picture the truth.

    Attributes:
        output: uint8 RGB, ``(H, W, 3)``, known pixels pasted back.
        original: The truth.
        shown: The photo that the method was shown, without what is under the hole.
        hole: bool, ``(H, W)``, True in the hole.
        raw: What the method returned before rounding and pasting, float32 ``(H, W, 3)``.
        pasted: Whether known pixels of the output are those of what was shown, put back.
        distances: What networks found between output and photo, by name of the network.
    """

    def __init__(
        self,
        output: Picture,
        original: Original,
        hole: NDArray[np.bool_],
        raw: NDArray[np.float32] | None = None,
        shown: Original | None = None,
        *,
        pasted: bool = True,
    ) -> None:
        """Keep them; the photo that was shown is the truth unless stated.

        Raises:
            InputError: If a shape or dtype is not as stated.
        """
        shape = original.photo.shape
        _check_picture("output", output)
        if output.shape != shape:
            raise InputError(f"output: expected {shape} as the photo, found {output.shape}")
        if hole.dtype != np.bool_ or hole.shape != shape[:2]:
            raise InputError(f"hole: expected bool {shape[:2]}, found {hole.dtype} {hole.shape}")
        if raw is not None and raw.shape != shape:
            raise InputError(f"raw output: expected {shape} as the photo, found {raw.shape}")
        self.output = np.ascontiguousarray(output)
        self.original = original
        self.shown = original if shown is None else shown
        self.hole = np.ascontiguousarray(hole)
        self.raw = raw
        self.pasted = pasted
        self.distances: dict[str, tuple[float, Planes]] = {}

    @cached_property
    def hole_pixels(self) -> int:
        """How many pixels the hole has."""
        return int(np.count_nonzero(self.hole))

    @cached_property
    def kept(self) -> Picture:
        """What shows how a method keeps known pixels: the output, or before these were put back.

        Raises:
            Declined: If it is not known what that was.
        """
        return np.rint(255 * self._before()).astype(np.uint8) if self.pasted else self.output

    @cached_property
    def in_float(self) -> NDArray[np.float32]:
        """The fill joined to what was shown, never rounded, float32 ``(H, W, 3)`` in ``[0, 1]``.

        Raises:
            Declined: If the fill is not known but in bytes.
        """
        return np.where(self.hole[..., None], self._before(), self.shown.unit)

    def _before(self) -> NDArray[np.float32]:
        if self.raw is None:
            raise Declined("the method's raw output is not known")
        return np.clip(self.raw, 0, 1, dtype=np.float32)

    @cached_property
    def changed(self) -> Box:
        """The smallest box that holds all changed pixels, be they in the hole or not."""
        import cv2

        height, width = self.hole.shape
        apart = cv2.absdiff(self.output, self.original.photo)
        left, top, wide, high = cv2.boundingRect(apart.reshape(height, width * 3))
        return Box(top, top + high, left // 3, (left + wide + 2) // 3)

    @cached_property
    def difference(self) -> Planes:
        """Output minus photo, float32 in ``[-1, 1]``."""
        import cv2

        apart: Planes = cv2.subtract(self.output, self.original.photo, dtype=cv2.CV_32F)
        apart *= np.float32(1 / 255)
        return apart

    @cached_property
    def structure(self) -> Losses:
        """The terms of SSIM at full size."""
        return structure.losses(self.original.scale, self.difference, self.changed)

    @cached_property
    def sliced(self) -> float:
        """Sliced distance of the patches in the hole."""
        return texture.sliced_distance(self)

    @cached_property
    def waves(self) -> float:
        """Complex-wavelet similarity over the hole."""
        return texture.wave_similarity(self)


def gradient_magnitude(unit: Planes) -> Planes:
    """Prewitt gradient magnitude of the luma of a picture in ``[0, 1]`` at half its size."""
    import cv2

    luma = cv2.cvtColor(unit, cv2.COLOR_RGB2GRAY)
    height, width = luma.shape
    luma = cv2.copyMakeBorder(luma, 0, height % 2, 0, width % 2, cv2.BORDER_CONSTANT, value=0)
    size = ((width + 1) // 2, (height + 1) // 2)
    half = cv2.resize(luma, size, interpolation=cv2.INTER_AREA)
    step = np.array([-1, 0, 1], np.float32)
    box = np.full(3, 1 / 3, np.float32)
    across = cv2.sepFilter2D(half, cv2.CV_32F, step, box, borderType=cv2.BORDER_CONSTANT)
    down = cv2.sepFilter2D(half, cv2.CV_32F, box, step, borderType=cv2.BORDER_CONSTANT)
    # Not OpenCV's magnitude, whose last digit depends on where in memory its operands lie.
    return np.sqrt(across * across + down * down)


def _check_picture(what: str, picture: NDArray[Any]) -> None:
    if picture.dtype != np.uint8 or picture.ndim != 3 or picture.shape[2] != 3:
        raise InputError(f"{what}: expected uint8 (H, W, 3), found {picture.dtype} {picture.shape}")
