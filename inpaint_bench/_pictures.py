"""Pictures and masks as users hold them, turned into what the harness takes: the one adapter.

An array means what its type and range say: what could mean two things is refused with the call
that says which is meant. Files and Pillow's pictures are read as a run reads them, and as there a
mask of nothing but 0 and 1 has its hole where it is 1.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.errors import InputError
from bench.planning import images
from masks import classes, files
from masks.picture import loaded

Picture: TypeAlias = np.ndarray | Image.Image | str | os.PathLike[str]


def photo(given: Picture, what: str = "image") -> NDArray[np.uint8]:
    """Turn a picture into uint8 RGB, ``(H, W, 3)``.

    Args:
        given: An array ``(H, W, 3)``, RGB: uint8, or floats in ``[0, 1]``; a picture of Pillow; or
            the path of a file.
        what: What to call it in messages.

    Raises:
        InputError: If it cannot be one without guessing.
    """
    if isinstance(given, str | os.PathLike):
        return images.read(Path(given))[0]
    if isinstance(given, Image.Image):
        return images.upright_rgb(given, what)[0]
    array = _array(given, what)
    if array.ndim != 3 or array.shape[2] != 3 or not array.size:
        raise InputError(f"{what}: expected RGB (H, W, 3), found {_found(array)}{_hint(array)}")
    if array.dtype == np.uint8:
        return np.ascontiguousarray(array)
    if not np.issubdtype(array.dtype, np.floating):
        raise InputError(
            f"{what}: expected uint8, or floats in [0, 1], found {_found(array)}; bring it to "
            "either, since nothing says what its largest value is"
        )
    if not (array.min() >= 0 and array.max() <= 1):  # not a number is neither
        raise InputError(
            f"{what}: expected floats in [0, 1], found {array.min():g} to {array.max():g}; divide "
            "by 255 or clip"
        )
    return np.rint(array.astype(np.float32) * np.float32(255)).astype(np.uint8)


def hole(given: Picture, shape: tuple[int, ...]) -> NDArray[np.bool_]:
    """Turn a mask into bool, ``(H, W)``, True in the hole.

    Args:
        given: An array ``(H, W)``: bool or numbers 0 and 1, with 1 in the hole; or uint8 levels,
            from 128 up in the hole. A picture of Pillow or the path of a file: levels.
        shape: Of the photo; a mask is never stretched.

    Raises:
        InputError: If it cannot be one without guessing, or has another size.
    """
    if isinstance(given, str | os.PathLike):
        file = files.MaskFile(Path(given))
        mask = files.read(file, files.Rules(), (shape[0], shape[1])).mask
    elif isinstance(given, Image.Image):
        mask, _ = classes.hole(loaded(given, "mask"), classes.THRESHOLD, (), "mask")
    else:
        mask = _mask(_array(given, "mask"))
    if mask.shape != shape[:2]:
        raise InputError(
            f"mask: expected {shape[1]}x{shape[0]} as the photo, found "
            f"{mask.shape[1]}x{mask.shape[0]}; a mask is never stretched"
        )
    return np.ascontiguousarray(mask)


def _mask(array: NDArray[Any]) -> NDArray[np.bool_]:
    if array.ndim != 2 or not array.size:
        raise InputError(
            f"mask: expected (H, W), found {_found(array)}; take one channel, such as mask[..., 0]"
        )
    if array.dtype == np.bool_:
        return array
    if np.isin(array, (0, 1)).all():
        return array == 1
    if array.dtype != np.uint8:
        raise InputError(
            f"mask: expected bool, numbers 0 and 1, or uint8 levels, found {_found(array)} with "
            f"{array.min():g} to {array.max():g}; say what is hole, such as mask > 0.5"
        )
    return array >= classes.THRESHOLD


def _array(given: Any, what: str) -> NDArray[Any]:
    try:
        array = np.asarray(given)
    except Exception as error:  # as a tensor that lies on a GPU
        raise InputError(f"{what}: cannot become an array: {error}") from error
    if array.dtype != np.bool_ and not np.issubdtype(array.dtype, np.number):
        raise InputError(
            f"{what}: expected an array, a picture of Pillow or a path, found "
            f"{type(given).__name__}"
        )
    return array


def _found(array: NDArray[Any]) -> str:
    return f"{array.dtype} {array.shape}"


def _hint(array: NDArray[Any]) -> str:
    """What to do about a shape, where that can be told."""
    if array.ndim == 2:
        return "; for a grey picture give np.stack([grey] * 3, axis=-1)"
    if array.ndim == 4:
        return "; give one picture at a time"
    if array.ndim == 3 and array.shape[2] == 4:
        return "; leave alpha out: image[..., :3]"
    if array.ndim == 3 and array.shape[0] == 3:
        return "; channels come last: np.moveaxis(image, 0, -1)"
    return ""
