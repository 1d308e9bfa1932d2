"""Photo sets: the bundled one and any folder; robust reading; geometry; content hashes."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from io import BytesIO
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bench.errors import InputError

BUNDLED = "bundled"
SUFFIXES = frozenset(
    {".png", ".jpg", ".jpeg", ".webp", ".bmp", ".tif", ".tiff", ".gif", ".ppm", ".jp2"}
)
TILE = 256


@dataclass(frozen=True)
class Photo:
    """One photo as it is evaluated.

    Attributes:
        id: Path relative to the folder given, or the name of a bundled tile.
        cluster: What the statistics resample: the picture this photo was cut from.
        pixels: uint8 RGB, ``(H, W, 3)``.
        original_size: Height and width before cropping and resizing.
        note: What reading changed (alpha discarded, 16 bits reduced, ...), or empty.
    """

    id: str
    cluster: str
    pixels: np.ndarray
    original_size: tuple[int, int]
    note: str = ""

    @cached_property
    def sha(self) -> str:
        """Hash of size and pixels."""
        return content_hash(self.pixels)


def content_hash(array: np.ndarray) -> str:
    """First 16 hex digits of SHA-256 over shape, type and bytes of an array."""
    digest = hashlib.sha256(f"{array.shape}{array.dtype}".encode())
    digest.update(np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def read(path: Path | BytesIO) -> tuple[np.ndarray, str]:
    """Read a picture file, or one in memory, as upright 8-bit RGB.

    Orientation from EXIF is applied, alpha discarded with the colours kept as stored, 16-bit
    grey scaled by 1/257, grey and palettes expanded, the first frame of an animation taken.
    Colour profiles are ignored.

    Returns:
        uint8 ``(H, W, 3)`` and a note on what was changed, or an empty one.

    Raises:
        InputError: If the file is damaged, no picture, too large, or of an unsupported kind.
    """
    try:
        with warnings.catch_warnings():
            # Pillow warns from 89 megapixels on; memory is taken only after this.
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(path) as image:
                image.load()
                return upright_rgb(image)
    except UnidentifiedImageError as error:
        empty = isinstance(path, Path) and path.stat().st_size == 0
        reason = "the file is empty" if empty else "no kind of picture that Pillow knows"
        raise InputError(f"{path}: cannot be read: {reason}") from error
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise InputError(
            f"{path}: cannot be read: more than {Image.MAX_IMAGE_PIXELS} pixels; "
            "reduce it or cut it into parts"
        ) from error
    except Exception as error:  # damaged files make Pillow's readers raise errors of any kind
        raise InputError(f"{path}: cannot be read: {error}") from error


def upright_rgb(image: Image.Image) -> tuple[np.ndarray, str]:
    """As `read`, of a picture that is open already.

    Raises:
        ValueError: If its values have no stated range.
    """
    notes = []
    if getattr(image, "n_frames", 1) > 1:
        notes.append("first frame of an animation")
    upright = ImageOps.exif_transpose(image)
    if upright.mode == "F":
        raise ValueError("floating-point picture without a stated range; save it with 8 or 16 bits")
    if upright.mode.startswith("I"):
        levels = np.array(upright, dtype=np.float64)
        if levels.min() < 0 or levels.max() > 65535:
            raise ValueError("integer picture beyond 16 bits; save it with 8 or 16 bits")
        grey = np.rint(levels / 257).astype(np.uint8)
        return np.repeat(grey[..., None], 3, axis=2), "16 bits reduced to 8"
    if upright.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in upright.info:
        notes.append("alpha discarded")
        if upright.mode == "P":
            upright = upright.convert("RGBA")
    if upright.mode == "CMYK":
        notes.append("CMYK converted without colour profile")
    return np.array(upright.convert("RGB")), "; ".join(notes)


def find(folder: Path) -> list[str]:
    """List the picture files below a folder as relative paths, sorted the same everywhere.

    Hidden files and folders are left out; suffixes count in any case.

    Raises:
        InputError: If there is no such folder or no picture in it.
    """
    if folder.is_file():
        return [folder.name]
    if not folder.is_dir():
        raise InputError(f"photos: expected a folder or a picture, found nothing at {folder}")
    found = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.suffix.lower() in SUFFIXES and path.is_file()
    ]
    visible = [name for name in found if not any(p.startswith(".") for p in name.split("/"))]
    if not visible:
        raise InputError(f"photos: no picture ({', '.join(sorted(SUFFIXES))}) below {folder}")
    return sorted(visible)


def bundled() -> Iterator[Photo]:
    """Cut 15 native 256 x 256 tiles from the six photos inside scikit-image and matplotlib.

    No resampling and no download. Tiles of one photo are one cluster, since they share their
    subject, light and camera.
    """
    for name, pixels in bundled_pictures():
        height, width = pixels.shape[:2]
        top, left = (height % TILE) // 2, (width % TILE) // 2
        for row in range(height // TILE):
            for column in range(width // TILE):
                y, x = top + row * TILE, left + column * TILE
                tile = np.ascontiguousarray(pixels[y : y + TILE, x : x + TILE])
                yield Photo(f"{name}-{row}-{column}", name, tile, (height, width))


def bundled_pictures() -> Iterator[tuple[str, np.ndarray]]:
    """The six photos whole, uint8 ``(H, W, 3)``, with their names."""
    from matplotlib.cbook import get_sample_data
    from skimage import data

    yield "astronaut", data.astronaut()
    yield "chelsea", data.chelsea()
    yield "coffee", data.coffee()
    yield "rocket", data.rocket()
    yield "motorcycle", data.stereo_motorcycle()[0]
    hopper = get_sample_data("grace_hopper.jpg", asfileobj=False)
    with Image.open(hopper) as image:
        yield "grace_hopper", np.array(image.convert("RGB"))
