"""Photos: listing, robust reading, content hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from bench.errors import InputError
from masks import kinds, picture
from masks.picture import Decoded


@dataclass(frozen=True)
class Photo:
    """One photo as it is evaluated.

    Attributes:
        id: Path relative to the folder given.
        cluster: What the statistics resample: the photo itself, its folder, or as asked.
        pixels: uint8 RGB, ``(H, W, 3)``.
        original_size: Height and width before cropping and resizing.
        note: What reading changed (alpha discarded, 16 bits reduced, ...), or empty.
        file: A PNG that holds these very pixels; None if there is none.
    """

    id: str
    cluster: str
    pixels: np.ndarray
    original_size: tuple[int, int]
    note: str = ""
    file: Path | None = None

    def square(self, place: Mapping[str, Any]) -> Photo:
        """A square of its short side, cut out at ``top`` and ``left``."""
        top, left, side = place["top"], place["left"], min(self.pixels.shape[:2])
        pixels = np.ascontiguousarray(self.pixels[top : top + side, left : left + side])
        return replace(self, pixels=pixels, file=None)

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

    Orientation from EXIF is applied, alpha discarded with the colours kept as stored, 16 bits
    scaled to 8, grey and palettes expanded, the first of several frames taken. Colour profiles
    are ignored.

    Returns:
        uint8 ``(H, W, 3)`` and a note on what was changed, or an empty one.

    Raises:
        InputError: If the file is damaged, no picture, too large, or of an unsupported kind.
    """
    if isinstance(path, BytesIO):
        return _rgb(picture.decode(path.getvalue(), "picture"), "picture")
    return _rgb(picture.decode(picture.read_bytes(path), str(path)), str(path))


def upright_rgb(image: Image.Image, name: str = "picture") -> tuple[np.ndarray, str]:
    """As `read`, of a picture that is open already and called so in messages."""
    return _rgb(picture.loaded(image, name), name)


def _rgb(decoded: Decoded, name: str) -> tuple[np.ndarray, str]:
    image, notes = decoded.image, list(decoded.notes)
    if image.mode.startswith("I"):
        levels = np.asarray(image)
        if levels.min() < 0 or levels.max() > 65535:
            raise InputError(f"'{name}' holds integers beyond 16 bits; save it with 8 or 16 bits")
        notes.append(_sixteen_bits(int(levels.max())))
        return np.repeat(picture.reduced(levels)[..., None], 3, axis=2), "; ".join(notes)
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        notes.append("alpha discarded")
        if image.mode == "P":
            image = image.convert("RGBA")
    if image.mode == "CMYK":
        notes.append("CMYK converted without colour profile")
    with picture.explained(name):
        pixels = np.array(image.convert("RGB"))
    if decoded.greatest:
        notes.append(_sixteen_bits(decoded.greatest))
    return pixels, "; ".join(notes)


def _sixteen_bits(greatest: int) -> str:
    """What to say of a file of 16 bits whose greatest value is this one."""
    note = "16 bits reduced to 8"
    if greatest >= 2**14:
        return note
    return (
        f"{note}; its values use {greatest / 65535:.1%} of the range, as those of "
        f"{greatest.bit_length()} bits do: it is dark and errors look small; stretch the values"
    )


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
    files = [path.relative_to(folder).as_posix() for path in kinds.visible(folder)]
    found = sorted(filter(kinds.is_picture, files))
    if not found:
        first = f"; {files[0]}: {kinds.unread(folder / files[0])}" if files else ""
        raise InputError(f"photos: no picture that can be read below {folder}{first}")
    return found
