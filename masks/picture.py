"""Open pictures that users bring, and refuse broken ones before memory is taken."""

from __future__ import annotations

import io
import struct
import warnings
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from PIL import Image, ImageOps, UnidentifiedImageError

from bench.errors import InputError

LARGEST_PIXELS = 80_000_000
"""Larger pictures are refused by their header: such a file is a mistake or an attack."""

_BROKEN = (OSError, SyntaxError, ValueError, EOFError, struct.error, zlib.error, IndexError)
_TURNED = {5, 6, 7, 8}  # EXIF orientations that swap height and width
_ORIENTATION = 0x0112


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        InputError: If it cannot be read or is empty.
    """
    try:
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"mask '{path}' cannot be read: {error.strerror or error}") from error
    if not data:
        raise InputError(f"mask '{path}' is an empty file; export it again")
    return data


def open_picture(data: bytes, name: str) -> Image.Image:
    """Decode a whole picture, upright.

    Args:
        data: An encoded picture; its content decides the format. Of several frames the first
            is used.
        name: What to call it in messages.

    Returns:
        The picture in its own mode, EXIF orientation applied.

    Raises:
        InputError: If it is no picture, damaged or too large.
    """
    with _explained(name):
        # Reading the pixels of a PNG does not check the sums of its chunks; this does.
        with _header(data, name) as picture:
            picture.verify()
        with _header(data, name) as picture:
            picture.load()
            return ImageOps.exif_transpose(picture)


def picture_size(data: bytes, name: str) -> tuple[int, int]:
    """Height and width of a picture, upright, from its header.

    Raises:
        InputError: If it is no picture or too large.
    """
    with _explained(name), _header(data, name) as picture:
        width, height = picture.size
        turned = picture.getexif().get(_ORIENTATION) in _TURNED
    return (width, height) if turned else (height, width)


def refuse_large(height: int, width: int, name: str) -> None:
    """Refuse a size that no mask has.

    Raises:
        InputError: If there are more than `LARGEST_PIXELS`, or none.
    """
    if height < 1 or width < 1 or height * width > LARGEST_PIXELS:
        raise InputError(
            f"'{name}' announces {width}x{height} pixels; expected between one pixel and "
            f"{LARGEST_PIXELS:,}; make it smaller"
        )


def _header(data: bytes, name: str) -> Image.Image:
    with warnings.catch_warnings():
        # Its own, higher limit would warn or raise; ours names the file and the size.
        warnings.simplefilter("ignore", Image.DecompressionBombWarning)
        picture = Image.open(io.BytesIO(data))
    refuse_large(picture.height, picture.width, name)
    return picture


@contextmanager
def _explained(name: str) -> Iterator[None]:
    try:
        yield
    except UnidentifiedImageError as error:
        raise InputError(f"'{name}' is not a picture that can be read; use PNG") from error
    except Image.DecompressionBombError as error:
        raise InputError(f"'{name}' is too large: {error}") from error
    except _BROKEN as error:
        raise InputError(f"'{name}' is damaged: {error}; export it again") from error
