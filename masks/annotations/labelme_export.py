"""Folders that labelme exported: ``mask.png``, ``label.png``, ``label_names.txt``."""

from __future__ import annotations

import os
from collections.abc import Collection
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from bench.errors import InputError
from masks.annotations.labelme import IGNORED
from masks.annotations.sheet import require
from masks.picture import open_picture, read_bytes
from masks.raster import Mask

_COMPANIONS = ("label_viz.png", "label_names.txt", "info.yaml", "img.png")


def is_export(folder: Path) -> bool:
    """Tell whether labelme made this folder, or an author filled it in that manner."""
    if not any(os.path.isfile(folder / name) for name in ("mask.png", "label.png")):
        return False
    return folder.name.endswith("_json") or any(
        os.path.isfile(folder / name) for name in _COMPANIONS
    )


def read(folder: Path, labels: Collection[str] = ()) -> Mask | None:
    """Read ``mask.png``, else ``label.png``.

    Args:
        folder: Made by labelme's export; ``label_viz.png`` in it is never read.
        labels: Which labels are hole, from ``label_names.txt``; all if empty. ``mask.png``
            knows no labels and is left aside if some are asked for.

    Returns:
        bool, ``(H, W)``, True in the hole; None if the annotation has to tell.

    Raises:
        InputError: If a picture cannot be read or a label is unknown.
    """
    if not labels and os.path.isfile(folder / "mask.png"):
        return read_classes(folder / "mask.png") > 0
    listed = folder / "label_names.txt"
    names = (
        read_bytes(listed).decode("utf-8", "replace").splitlines() if os.path.isfile(listed) else []
    )
    if not os.path.isfile(folder / "label.png") or (labels and not names):
        return None
    classes = read_classes(folder / "label.png")
    require(labels, names, folder)
    left_out = [
        number
        for number, name in enumerate(names)
        if name == IGNORED or (labels and name not in labels)
    ]
    mask = (classes > 0) & ~np.isin(classes, left_out)
    if not mask.any():
        raise InputError(f"'{folder}' has no pixel of {' or '.join(labels) or 'any label'}")
    return mask


def annotation(folder: Path) -> Path:
    """The annotation that was exported, inside of the folder or beside it.

    Raises:
        InputError: If there is none, or more than one.
    """
    beside = folder.with_name(folder.name.removesuffix("_json") + ".json")
    found = sorted(folder.glob("*.json")) or [beside] * os.path.isfile(beside)
    if len(found) != 1:
        raise InputError(
            f"labelme folder '{folder}': expected mask.png, label.png or one annotation, "
            f"found {len(found)} annotations; label_viz.png is for looking only"
        )
    return found[0]


def read_classes(path: Path) -> NDArray[np.integer]:
    """Read a picture of class numbers: palette indices, or the values of a grey picture.

    Returns:
        ``(H, W)``, 0 is background.

    Raises:
        InputError: If it cannot be read.
    """
    picture = open_picture(read_bytes(path), str(path))
    if picture.mode == "P" or picture.mode.startswith("I"):
        return np.asarray(picture)
    if picture.mode in ("LA", "RGBA"):
        picture = picture.convert(picture.mode[:-1])
    levels = np.atleast_3d(np.asarray(picture))
    return levels.max(axis=2).astype(np.int64)
