"""Small pictures of fills for a report; light enough for workers, which have the pixels at hand."""

from __future__ import annotations

import io

import cv2
import numpy as np
from PIL import Image

SIDE = 160
ERROR_SCALE = 0.5
LEVELS = 64
MAT = 128
MARK = np.array([214, 39, 120], np.float32)
_DASH = 3
# 64 colours of matplotlib's map viridis, which workers would have to load for these alone.
VIRIDIS = np.frombuffer(
    bytes.fromhex(
        "44015446075a470d6047136548186a481d6f482374482878472d7b46327e453781443b84424086404588"
        "3e49893d4e8a3a538b38588c365c8d34608d32648e31688e2f6c8e2d708e2c738e2a778e297b8e277f8e"
        "26828e24868e238a8d218e8d20928c1f968b1f9a8a1f9e891fa18721a58523a98326ad812ab07f2fb47c"
        "35b7793bbb7542be714ac16d52c5695ac86465cb5e6ece5877d15381d34d8bd64695d840a0da39aadc32"
        "b5de2bc0df25cae11fd5e21adfe318eae51af4e61efde725"
    ),
    np.uint8,
).reshape(LEVELS, 3)


def thumbnail(pixels: np.ndarray) -> bytes:
    """Encode uint8 RGB ``(h, w, 3)`` as lossy WebP of at most 160 pixels a side."""
    return _encoded(squared(shrink(pixels)))


def views(fill: np.ndarray, photo: np.ndarray | None, hole: np.ndarray | None) -> bytes:
    """Encode four small pictures side by side as lossy WebP, of which a page shows one.

    They are the fill, the fill with the hole outlined, the error map, and four times the absolute
    difference from the photo; what cannot be made is grey.

    Args:
        fill: uint8 RGB, ``(h, w, 3)``.
        photo: Likewise, the same shape.
        hole: bool, ``(h, w)``.
    """
    small = shrink(fill)
    blank = np.full_like(small, MAT)
    outlined = blank if hole is None else outline(small, shrunk_hole(hole))
    error = difference = blank
    if photo is not None:
        apart = cv2.absdiff(fill, photo)
        away = cv2.resize(apart, _small(*fill.shape[:2]), interpolation=cv2.INTER_AREA)
        mean = cv2.transform(away.astype(np.float32), np.full((1, 3), 1 / 3, np.float32))
        error = VIRIDIS.take(levels(mean), axis=0)
        difference = cv2.convertScaleAbs(away, alpha=4)
    parts = [squared(part) for part in (small, outlined, error, difference)]
    return _encoded(np.concatenate(parts, axis=1))


def views_size(height: int, width: int) -> tuple[int, int]:
    """Width and height of `views` of a picture."""
    width, height = _small(height, width)
    return 4 * max(width, height // 2), max(height, width // 2)


def levels(error: np.ndarray) -> np.ndarray:
    """Level of each error, 0 to 63, for one of 0 to 255; half of 255 and more is the last."""
    last = LEVELS - 1
    return np.minimum(error / (255 * ERROR_SCALE) * last, last).round().astype(np.uint8)


def shrink(pixels: np.ndarray) -> np.ndarray:
    """Reduce uint8 pixels to at most 160 a side; smaller pictures stay as they are."""
    size = _small(*pixels.shape[:2])
    if size == pixels.shape[1::-1]:
        return pixels
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def shrunk_hole(hole: np.ndarray) -> np.ndarray:
    """Reduce a hole as `shrink` does a picture, keeping thin parts."""
    cover = Image.fromarray(np.where(hole, np.uint8(255), np.uint8(0)))
    return np.array(cover.resize(_small(*hole.shape), Image.Resampling.BOX)) > 64


def squared(pixels: np.ndarray) -> np.ndarray:
    """Add grey at the sides of what is more than twice as long as wide, or as wide as long."""
    height, width = pixels.shape[:2]
    rows, columns = max(0, width // 2 - height), max(0, height // 2 - width)
    around = ((rows // 2, rows - rows // 2), (columns // 2, columns - columns // 2), (0, 0))
    return np.pad(pixels, around, constant_values=MAT)


def outline(pixels: np.ndarray, hole: np.ndarray) -> np.ndarray:
    """Draw a dashed line around the hole, visible on any content and in print.

    Args:
        pixels: uint8 RGB, ``(H, W, 3)``.
        hole: bool, ``(H, W)``.
    """
    edge = hole & ~_eroded(hole)
    rows, columns = np.nonzero(edge)
    light = ((rows + columns) // _DASH) % 2 == 0
    drawn = pixels.copy()
    drawn[rows, columns] = np.where(light[:, None], 255, (MARK * 0.5).round())
    return drawn


def _small(height: int, width: int) -> tuple[int, int]:
    """Width and height of the reduced picture."""
    scale = min(1.0, SIDE / max(height, width))
    return max(1, round(width * scale)), max(1, round(height * scale))


def _eroded(hole: np.ndarray) -> np.ndarray:
    """Hole pixels whose four neighbours are hole; beyond the border counts as known."""
    cross = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
    inner = cv2.erode(hole.view(np.uint8), cross, borderType=cv2.BORDER_CONSTANT, borderValue=0)
    return inner.view(np.bool_)


def _encoded(pixels: np.ndarray) -> bytes:
    stream = io.BytesIO()
    # Method 4 makes files 4 % smaller in half as much time again.
    Image.fromarray(pixels).save(stream, "WEBP", quality=75, method=2)
    return stream.getvalue()
