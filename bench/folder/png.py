"""The PNGs of a run folder: packed quickly, and seen to be whole by their own checksums.

The latter takes a fortieth of the time of decoding. Decoders leave some of these checksums unread,
so a flipped bit may show as another picture.
"""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np

_SIGNATURE = b"\x89PNG\r\n\x1a\n"
_END = b"\x00\x00\x00\x00IEND\xaeB`\x82"
_AROUND = 12  # bytes of a chunk besides what it holds: its length, kind and checksum


def is_whole(data: bytes) -> bool:
    """Whether these bytes are a PNG to its end, each chunk with its checksum."""
    at, view = len(_SIGNATURE), memoryview(data)
    if data[:at] != _SIGNATURE or data[-len(_END) :] != _END:
        return False
    while at + _AROUND <= len(data):
        end = at + _AROUND + int.from_bytes(view[at : at + 4], "big")
        if end > len(data) or zlib.crc32(view[at + 4 : end - 4]) != int.from_bytes(
            view[end - 4 : end], "big"
        ):
            return False
        at = end
    return at == len(data)


def is_ended(path: Path) -> bool:
    """Whether a file is there and ends as a PNG does: cheap, and seen of all that is cut short."""
    try:
        with open(path, "rb") as file:
            file.seek(-len(_END), 2)
            return file.read() == _END
    except OSError:
        return False


def packed(picture: np.ndarray) -> bytes:
    """A picture as the PNG that is written: a mask with a bit a pixel; colour with runs only.

    A third quicker and a little smaller than Pillow's compression level 1.
    """
    import cv2

    fast = [cv2.IMWRITE_PNG_COMPRESSION, 1]
    if picture.dtype == np.bool_:
        levels = picture.view(np.uint8) * np.uint8(255)
        return cv2.imencode(".png", levels, [*fast, cv2.IMWRITE_PNG_BILEVEL, 1])[1].tobytes()
    settings = [*fast, cv2.IMWRITE_PNG_STRATEGY, cv2.IMWRITE_PNG_STRATEGY_RLE]
    blue_first = cv2.cvtColor(picture, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".png", blue_first, settings)[1].tobytes()
