"""Open pictures that users bring, and refuse broken ones before memory is taken.

The one decoder of photos and masks. What arrays of numpy mean is decided here as well, so that
everything else sees pictures of Pillow only.
"""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from bench.errors import InputError
from masks import kinds

LARGEST_PIXELS = 89_478_485
"""Larger pictures are refused by their header, where Pillow warns of an attack."""

TURNED = "turned as its EXIF says"
"""The note on a picture that is shown otherwise than it is stored."""

_ORIENTATION = 0x0112
_TURNED = {5, 6, 7, 8}  # EXIF orientations that swap height and width
_LOSSY = {"JPEG", "MPO", "JPEG2000", "WEBP", "AVIF", "HEIF"}
_NUMPY = b"\x93NUMPY"
_ARRAYS = "(H, W), (H, W, 1) or (H, W, 3) of bool, integers or floats"


class Decoded(NamedTuple):
    """A whole picture, upright.

    Attributes:
        image: In its own mode.
        lossy: Whether its format may have changed values.
        greatest: Greatest value of 16 bits of which 8 were kept, or a little less; 0 of others.
        notes: What decoding took for granted.
    """

    image: Image.Image
    lossy: bool
    greatest: int
    notes: tuple[str, ...]


def read_bytes(path: Path) -> bytes:
    """Read a file.

    Raises:
        InputError: If it cannot be read or is empty.
    """
    try:
        if path.exists() and not path.is_file():
            raise InputError(f"'{path}' is no file")  # a pipe would be waited for
        data = path.read_bytes()
    except OSError as error:
        raise InputError(f"'{path}' cannot be read: {error.strerror or error}") from error
    if not data:
        raise InputError(f"'{path}' is an empty file; export it again")
    return data


def decode(data: bytes, name: str) -> Decoded:
    """Decode a picture or an array that ``numpy.save`` wrote; the content decides which.

    Args:
        data: The bytes of the file. Of several frames the first is used.
        name: What to call it in messages.

    Raises:
        InputError: If it is neither, damaged or too large.
    """
    if data.startswith(_NUMPY):
        return _decoded_array(data, name)
    with explained(name):
        # Reading the pixels of a PNG does not check the sums of its chunks; this does.
        with _header(data, name) as picture:
            picture.verify()
        with _header(data, name) as picture:
            return loaded(picture, name)


def loaded(picture: Image.Image, name: str) -> Decoded:
    """As `decode`, of a picture that is open already."""
    with explained(name):
        # Of BMP and TGA, 16 bits are those of a whole pixel.
        stored = str([tile[3] for tile in getattr(picture, "tile", ())])
        deep = ";16" in stored and "BGR" not in stored
        picture.load()
        refuse_large(picture.height, picture.width, name)  # icons change size as they are loaded
        lossy = picture.format in _LOSSY
        frames = getattr(picture, "is_animated", False)
        turned = picture.getexif().get(_ORIENTATION) in range(2, 9)
        upright = ImageOps.exif_transpose(picture)  # at least a copy, which needs no open file
        if upright.mode == "F":
            upright = Image.fromarray(_of_floats(np.asarray(upright), name))
        notes = ("first of several frames",) * frames + (TURNED,) * turned
        return Decoded(upright, lossy, _greatest(upright) if deep else 0, notes)


def open_picture(data: bytes, name: str) -> Image.Image:
    """As `decode`, the picture alone."""
    return decode(data, name).image


def picture_size(data: bytes, name: str) -> tuple[int, int]:
    """Height and width of a picture, upright, from its header.

    Raises:
        InputError: If it is no picture or too large.
    """
    if data.startswith(_NUMPY):
        height, width, *_ = _array(data, name).shape
        return height, width
    with explained(name), _header(data, name) as picture:
        width, height = picture.size
        turned = picture.getexif().get(_ORIENTATION) in _TURNED
    return (width, height) if turned else (height, width)


def refuse_large(height: int, width: int, name: str) -> None:
    """Refuse a size that no photo and no mask has.

    Raises:
        InputError: If there are more than `LARGEST_PIXELS`, or none.
    """
    if height < 1 or width < 1 or height * width > LARGEST_PIXELS:
        raise InputError(
            f"'{name}' announces {width}x{height} pixels; expected between one pixel and "
            f"{LARGEST_PIXELS:,}; make it smaller"
        )


def reduced(levels: np.ndarray) -> np.ndarray:
    """Bring 16 bits to 8, rounded."""
    return ((levels.astype(np.uint32) + 128) // 257).astype(np.uint8)


@contextmanager
def explained(name: str) -> Iterator[None]:
    """Turn whatever goes wrong with the picture of this name into an `InputError`."""
    try:
        with warnings.catch_warnings():
            # Pillow warns of what it can live with, and of sizes, which we refuse earlier.
            warnings.simplefilter("ignore")
            yield
    except InputError:
        raise
    except UnidentifiedImageError as error:
        raise InputError(
            f"'{name}' cannot be read: it is not a picture of a known kind; use PNG"
        ) from error
    except Image.DecompressionBombError as error:
        raise InputError(
            f"'{name}' is too large; up to {LARGEST_PIXELS:,} pixels are read; make it smaller"
        ) from error
    except Exception as error:  # damaged files make Pillow's readers raise errors of any kind
        why = str(error) or type(error).__name__
        raise InputError(f"'{name}' is damaged: {why}; export it again") from error


def _header(data: bytes, name: str) -> Image.Image:
    # Only kinds that are listed: some others run programs on what they are given.
    picture = Image.open(io.BytesIO(data), formats=kinds.FORMATS)
    refuse_large(picture.height, picture.width, name)
    return picture


def _greatest(image: Image.Image) -> int:
    """Of the 16 bits whose upper half Pillow keeps of colours; grey is kept whole."""
    if image.mode not in ("RGB", "RGBA", "LA"):
        return 0
    colours = image.convert(image.mode.removesuffix("A"))
    return int(np.asarray(colours).max()) * 256 + 255


def _decoded_array(data: bytes, name: str) -> Decoded:
    array = _array(data, name)
    greatest = 0
    if array.dtype.kind == "f":
        array = _of_floats(array, name)
    elif array.dtype.kind in "iu" and array.dtype.str[1:] not in ("u1", "u2"):
        least, most = int(array.min()), int(array.max())
        if least < 0 or most > 65535:
            raise InputError(
                f"'{name}' holds {array.dtype} from {least} to {most}; expected integers from 0 "
                "to 255, or to 65535"
            )
        array = array.astype(np.uint8 if most <= 255 else np.uint16)
    if array.dtype.itemsize == 2 and array.ndim == 3:
        greatest, array = int(array.max()), reduced(array)
    elif array.dtype.kind == "b" and array.ndim == 3:
        array = array.astype(np.uint8) * 255
    native = np.ascontiguousarray(array, array.dtype.newbyteorder("="))
    return Decoded(Image.fromarray(native), False, greatest, ())


def _of_floats(array: np.ndarray, name: str) -> np.ndarray:
    """Floats from 0 to 1 as 8 bits."""
    if not (array.min() >= 0 and array.max() <= 1):  # not a number is neither
        raise InputError(
            f"'{name}' holds {array.dtype} from {array.min():g} to {array.max():g}; expected "
            "floats from 0 to 1; divide by the greatest possible value"
        )
    return np.rint(array * np.float32(255)).astype(np.uint8)


def _array(data: bytes, name: str) -> np.ndarray[Any, Any]:
    """The array of a file of numpy, ``(H, W)`` or ``(H, W, 3)``, without unpickling anything."""
    with explained(name):
        stream = io.BytesIO(data)
        version = np.lib.format.read_magic(stream)
        read = {
            (1, 0): np.lib.format.read_array_header_1_0,
            (2, 0): np.lib.format.read_array_header_2_0,
        }[version]
        shape, columns_first, dtype = read(stream)
        stored = shape
        while len(shape) > 2 and shape[0] == 1:  # as of a batch
            shape = shape[1:]
        channels = shape[2:] or (1,)
        if len(shape) not in (2, 3) or channels not in ((1,), (3,)) or dtype.kind not in "biuf":
            raise InputError(f"'{name}' holds {dtype} {stored}; expected {_ARRAYS}")
        refuse_large(shape[0], shape[1], name)
        count = shape[0] * shape[1] * channels[0]
        flat = np.frombuffer(data, dtype, count, stream.tell())
        array = flat.reshape(shape, order="F" if columns_first else "C")
        return array[..., 0] if channels == (1,) and array.ndim == 3 else array
