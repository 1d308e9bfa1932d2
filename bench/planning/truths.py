"""Pictures that fills are held against where that is not the photo itself, by the photos' names."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from bench.errors import InputError, did_you_mean
from bench.planning import images
from bench.planning.geometry import Geometry
from bench.planning.images import Photo
from masks.listing import composed, stem


def paired(
    photos: Sequence[str], folder: Path
) -> tuple[dict[str, Path], dict[str, str], list[Path]]:
    """Find the truth of each photo: the picture of its name, else the only other of its stem.

    Args:
        photos: Paths relative to their folder, with ``/``.
        folder: Folder of truths, laid out like that of the photos; or one picture for all.

    Returns:
        The truths by photo, why a photo has none, and the truths of no photo.

    Raises:
        InputError: If there is no such folder or no picture in it.
    """
    if folder.is_file():
        return dict.fromkeys(photos, folder), {}, []
    try:
        there = images.find(folder)
    except InputError as error:
        raise InputError(f"--truth: {str(error).removeprefix('photos: ')}") from error
    by_name = {composed(name): name for name in there}
    named = {photo: [by_name[key]] for photo in photos if (key := composed(photo)) in by_name}
    by_stem: dict[str, list[str]] = defaultdict(list)
    for name in {*there} - {own[0] for own in named.values()}:
        by_stem[stem(composed(name))].append(name)
    named |= {
        photo: sorted(by_stem[stem(composed(photo))]) for photo in photos if photo not in named
    }
    used = {name for own in named.values() for name in own}
    unused = [name for name in there if name not in used]
    found = {photo: folder / own[0] for photo, own in named.items() if len(own) == 1}
    lacking = {
        photo: f"{' and '.join(own)} in {folder} could both be its truth; keep one"
        if own
        else f"no truth in {folder} has its name.{did_you_mean(photo, unused)}"
        for photo, own in named.items()
        if len(own) != 1
    }
    return found, lacking, [folder / name for name in unused]


def read(path: Path, photo: Photo, geometry: Geometry) -> tuple[np.ndarray, np.ndarray, str]:
    """Read the truth of a photo.

    Returns:
        The picture as it is, likewise as it is evaluated, uint8 RGB ``(H, W, 3)``, and a note on
        what reading changed.

    Raises:
        InputError: If it cannot be read, or has another size than the photo.
    """
    pixels, note = images.read(path)
    height, width = photo.original_size
    if pixels.shape[:2] != (height, width):
        raise InputError(
            f"{path}: expected {width}x{height} as the photo {photo.id}, found "
            f"{pixels.shape[1]}x{pixels.shape[0]}; a truth shows the same view pixel by pixel"
        )
    return pixels, geometry.photo(pixels), note
