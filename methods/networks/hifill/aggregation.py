"""Contextual residual aggregation: a small filled picture brought to the size of the photo.

Yi, Tang, Azizi, Jang, Xu, Contextual Residual Aggregation for Ultra High-Resolution Image
Inpainting, CVPR 2020, section 3.2. What a photo has beyond its own reduced copy (its residual) is
carried into the hole, patch by patch, by the attention that filled the small picture.

The published programs do this for all patches of the photo at once, with some eight copies of it
in memory. Here only patches that touch the hole are made, one row of pixels of every patch at a
time, into the one copy that there is. NumPy and OpenCV are all that this module needs.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import cv2
import numpy as np

from bench.errors import InputError

CELL = 16  # pixels of the small picture per side of a patch
_LONGEST = 1024  # patches in a row or column of a native grid


@dataclass(frozen=True)
class Grid:
    """How the photo is cut into square patches, and how much smaller the small picture is.

    Attributes:
        rows: Of patches.
        columns: Of patches.
        patch: Side of a patch, in pixels of the canvas, to which the photo is resized; at
            least 16, the side of the same patch in the small picture.
    """

    rows: int
    columns: int
    patch: int

    def __post_init__(self) -> None:
        """Refuse a canvas that is smaller than the small picture, or none at all."""
        if min(self.rows, self.columns) < 1 or self.patch < CELL:
            raise InputError(
                f"grid: expected rows and columns of at least 1, patches of at least {CELL}, "
                f"found {self}"
            )

    @property
    def small(self) -> tuple[int, int]:
        """Height and width of the small picture."""
        return self.rows * CELL, self.columns * CELL

    @property
    def canvas(self) -> tuple[int, int]:
        """Height and width of the canvas."""
        return self.rows * self.patch, self.columns * self.patch


def square_grid(multiple: int = 6, side: int = 32) -> Grid:
    """The published grid: a square of a fixed size for every photo, whatever its shape.

    Args:
        multiple: How many times larger the canvas is than the small picture.
        side: Patches per side; the small picture has 16 times as many pixels.
    """
    return Grid(side, side, CELL * multiple)


def native_grid(height: int, width: int, side: int = 32) -> Grid:
    """A grid of the photo's own shape and size, with about as many patches as the square one.

    Not part of the published method. Its canvas exceeds the photo by less than a patch, at the
    bottom and the right.

    Args:
        height: Of the photo.
        width: Of the photo.
        side: Patches per side of the square grid.
    """
    patch = math.ceil(math.sqrt(height * width) / side)
    # A very long photo would have too many patches in one direction.
    patch = max(CELL, patch, math.ceil(max(height, width) / _LONGEST))
    return Grid(math.ceil(height / patch), math.ceil(width / patch), patch)


def reduced(photo: np.ndarray, grid: Grid) -> np.ndarray:
    """Make the small picture, a mean over the canvas.

    Args:
        photo: uint8, ``(H, W, 3)``.
        grid: How it is cut.

    Returns:
        float32 ``(16 rows, 16 columns, 3)``, 0 to 255, not rounded.
    """
    return _mean_of(enlarged(photo, grid), grid)


def reduced_hole(hole: np.ndarray, grid: Grid) -> np.ndarray:
    """Say which pixels of the small picture were made from any pixel of the hole.

    The published program takes the nearest pixel of the mask, which may miss thin holes.

    Args:
        hole: bool, ``(H, W)``.
        grid: How the photo is cut.

    Returns:
        bool ``(16 rows, 16 columns)``.
    """
    # Where the canvas is less than half as large, linear sampling passes over pixels.
    passed = [int(side / other / 2) for side, other in zip(hole.shape, grid.canvas, strict=True)]
    reach = np.ones([2 * each + 1 for each in passed], np.uint8)
    grown = cv2.dilate(hole.astype(np.uint8), reach).astype(np.float32)
    touched = _resized(grown, grid.canvas, cv2.INTER_LINEAR) > 0
    return _mean_of(touched.astype(np.float32), grid) > 0


def enlarged(photo: np.ndarray, grid: Grid) -> np.ndarray:
    """Resize the photo linearly to the canvas: float32, 0 to 255."""
    return _resized(photo.astype(np.float32), grid.canvas, cv2.INTER_LINEAR)


def aggregate(
    photo: np.ndarray,
    hole: np.ndarray,
    filled: np.ndarray,
    attention: np.ndarray,
    paste: np.ndarray,
    patch: int = 6 * CELL,
) -> np.ndarray:
    """Fill the hole of a photo from its small filled picture and its own residual.

    Args:
        photo: uint8, ``(H, W, 3)``, any size. What the hole holds is seen only within a pixel
            of the small picture around it, so not at all where no share falls on patches that
            touch the hole or are next to such, and ``paste`` is 1 all over it.
        hole: bool, ``(H, W)``.
        filled: The small filled picture, float32 ``(16 rows, 16 columns, 3)``, 0 to 255.
        attention: Shares of the patches (last axis, numbered row by row) for each patch,
            ``(rows, columns, rows * columns)``.
        paste: Where to paste, ``(16 rows, 16 columns)``, 0 to 1; enlarged linearly.
        patch: Side of a patch on the canvas, in pixels; published are 96, see `square_grid`.

    Returns:
        float32 ``(H, W, 3)``, 0 to 255; the photo where ``paste`` is 0. The published program cuts
        off what follows the point.

    Raises:
        InputError: If shapes or types do not fit together.
    """
    _check(photo, hole, filled, attention, paste)
    grid = Grid(attention.shape[0], attention.shape[1], patch)
    canvas = enlarged(photo, grid)
    small = _mean_of(canvas, grid)
    queries = np.flatnonzero(_touched(paste, grid))
    shares = attention.reshape(grid.rows * grid.columns, -1)[queries].astype(np.float32)
    keys = np.flatnonzero(shares.any(0))
    shares = np.ascontiguousarray(shares[:, keys])
    base = Enlargement(filled, grid)
    places = np.unravel_index(queries, (grid.rows, grid.columns))
    for row, residual in enumerate(residual_rows(canvas, hole, small, grid)):
        details = shares @ residual[keys]
        details += base.row(row).reshape(residual.shape)[queries]
        # This row of the patches has been read and will not be needed again.
        _patch_row(canvas, row, grid)[places] = details.clip(0, 255, out=details)
    return _pasted(canvas, photo, paste)


def residual_rows(
    canvas: np.ndarray, hole: np.ndarray, small: np.ndarray, grid: Grid
) -> Iterator[np.ndarray]:
    """Give what the canvas has beyond the enlarged small picture, nothing in the hole.

    Args:
        canvas: The photo on the canvas, float32.
        hole: bool, at the size of the photo.
        small: The photo, reduced.
        grid: How it is cut.

    Yields:
        For each row of pixels in a patch, that row of all patches: ``(patches, 3 patch)``.
    """
    covered = _resized(hole.astype(np.uint8), grid.canvas, cv2.INTER_NEAREST)
    covered = covered.reshape(grid.rows, grid.patch, -1).view(bool)
    low = Enlargement(small, grid)
    for row in range(grid.patch):
        residual = canvas.reshape(grid.rows, grid.patch, -1)[:, row] - low.row(row)
        residual.reshape(*covered[:, row].shape, 3)[covered[:, row]] = 0
        yield residual.reshape(grid.rows * grid.columns, -1)


class Enlargement:
    """A small picture enlarged linearly to the canvas, made row by row."""

    def __init__(self, small: np.ndarray, grid: Grid) -> None:
        """Enlarge the width; the height follows in `row`."""
        wide = _resized(small, (small.shape[0], grid.canvas[1]), cv2.INTER_LINEAR)
        # Rows beyond the border repeat it, as OpenCV has it.
        self._wide = np.pad(wide.reshape(small.shape[0], -1), ((1, 1), (0, 0)), "edge")
        self._grid = grid

    def row(self, row: int) -> np.ndarray:
        """Row ``row`` of every line of patches: ``(rows, 3 columns patch)``."""
        position = (row + 0.5) * CELL / self._grid.patch - 0.5
        above = math.floor(position)
        upper, lower = (self._wide[above + shift :: CELL][: self._grid.rows] for shift in (1, 2))
        made = (lower - upper).astype(np.float32, copy=False)
        made *= np.float32(position - above)
        made += upper
        return made


def _patch_row(canvas: np.ndarray, row: int, grid: Grid) -> np.ndarray:
    """Row ``row`` of all patches, to be written to: ``(rows, columns, 3 patch)``."""
    lines = canvas.reshape(grid.rows, grid.patch, grid.columns, -1)
    return lines[:, row]


def _mean_of(canvas: np.ndarray, grid: Grid) -> np.ndarray:
    return _resized(canvas, grid.small, cv2.INTER_AREA)


def _touched(paste: np.ndarray, grid: Grid) -> np.ndarray:
    """Which patches reach into the pasted picture: bool ``(rows, columns)``.

    Enlarging the mask and bringing the canvas to the size of the photo reach one pixel of the
    small picture each.
    """
    reach = cv2.dilate((paste > 0).astype(np.uint8), np.ones((5, 5), np.uint8))
    touched = reach.reshape(grid.rows, CELL, grid.columns, CELL).max((1, 3)) > 0
    return np.asarray(touched)


def _pasted(canvas: np.ndarray, photo: np.ndarray, paste: np.ndarray) -> np.ndarray:
    """Blend the canvas into the photo, at the size of the photo."""
    size = photo.shape[:2]
    result = photo.astype(np.float32)
    weight = _resized(paste.astype(np.float32), size, cv2.INTER_LINEAR)
    where = weight > 0
    weights = weight[where][:, None]
    blended = _resized(canvas, size, cv2.INTER_LINEAR)[where]
    blended *= weights
    blended += result[where] * (1 - weights)
    result[where] = blended
    return result


def _resized(planes: np.ndarray, size: tuple[int, int], how: int) -> np.ndarray:
    if planes.shape[:2] == size:
        return planes
    return cv2.resize(planes, size[::-1], interpolation=how)


def _check(
    photo: np.ndarray,
    hole: np.ndarray,
    filled: np.ndarray,
    attention: np.ndarray,
    paste: np.ndarray,
) -> None:
    if photo.dtype != np.uint8 or photo.ndim != 3 or photo.shape[2] != 3 or not photo.size:
        raise InputError(f"photo: expected uint8 (H, W, 3), found {photo.dtype} {photo.shape}")
    if hole.dtype != np.bool_ or hole.shape != photo.shape[:2]:
        raise InputError(
            f"hole: expected bool {photo.shape[:2]} as the photo, found {hole.dtype} {hole.shape}"
        )
    if attention.ndim != 3 or attention.shape[0] * attention.shape[1] != attention.shape[2]:
        raise InputError(
            f"attention: expected (rows, columns, rows * columns), found {attention.shape}"
        )
    small = (CELL * attention.shape[0], CELL * attention.shape[1])
    if filled.dtype != np.float32 or filled.shape != (*small, 3) or paste.shape != small:
        raise InputError(
            f"filled and paste: expected float32 {(*small, 3)} and {small} for attention "
            f"{attention.shape}, found {filled.dtype} {filled.shape} and {paste.shape}"
        )
