"""Where the photos and holes of a plan lie in a run folder, and reading them back, bit for bit."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from bench.errors import StoreError
from bench.folder.png import packed
from bench.folder.store import RunFolder
from bench.planning.images import Photo, content_hash
from masks import tiers

_BLOCK = 4096  # bytes that file systems give at once


def photo_file(sha: str) -> str:
    """Where an evaluated photo, or a truth that is another picture, lies in the run folder."""
    return f"photos/{sha}.png"


def mask_file(sha: str) -> str:
    """Where a hole lies in the run folder."""
    return f"masks/{sha}.png"


class Weight(NamedTuple):
    """What the pictures of some photos weigh.

    Attributes:
        photos: How many.
        holes: How many of them all.
        written: Bytes of photos, truths and holes that are written, in blocks of the disk.
        evaluated: Bytes of photos, whether they are written or linked.
    """

    photos: int = 0
    holes: int = 0
    written: int = 0
    evaluated: int = 0

    def __add__(self, other: Weight) -> Weight:  # type: ignore[override]
        return Weight(*(a + b for a, b in zip(self, other, strict=True)))


class Pictures:
    """Writes photos and holes into a run folder under their content's name, and weighs them.

    A photo whose file holds the evaluated pixels is linked: the disk need not have it twice, and
    what changed in the file is seen when it is read, by its hash.

    Attributes:
        weight: Of all so far.
    """

    def __init__(self, store: RunFolder, *, write: bool, weigh: bool) -> None:
        """Say whether to write, and whether to weigh what is not written."""
        self._store = store
        self._write = write
        self._needed = write or weigh
        self.weight = Weight()

    def photo(self, photo: Photo) -> None:
        """Write a photo."""
        name = photo_file(photo.sha)
        if photo.file and (not self._write or self._store.link(name, photo.file)):
            self.weight += Weight(1, 0, 0, _on_disk(photo.file.stat().st_size))
        else:
            size = self._put(name, photo.pixels)
            self.weight += Weight(1, 0, size, size)

    def truth(self, sha: str, pixels: np.ndarray) -> None:
        """Write what a photo's fills are held against."""
        self.weight += Weight(0, 0, self._put(photo_file(sha), pixels))

    def hole(self, sha: str, mask: np.ndarray) -> None:
        """Write a hole, bool."""
        self.weight += Weight(0, 1, self._put(mask_file(sha), mask))

    def _put(self, name: str, pixels: np.ndarray) -> int:
        if not self._needed:
            return 0
        data = packed(pixels)
        if self._write:
            self._store.write_bytes(name, data)
        return _on_disk(len(data))


def _on_disk(size: int) -> int:
    """What a file of so many bytes takes."""
    return -(-size // _BLOCK) * _BLOCK


def photo_of(sha: str, store: RunFolder) -> np.ndarray:
    """Read an evaluated photo, uint8 RGB ``(height, width, 3)``.

    Raises:
        StoreError: If it is not there or not the photo of the plan, bit for bit.
    """
    return _verified(store, photo_file(sha), content_hash, sha)


def hole_of(sha: str, store: RunFolder) -> np.ndarray:
    """Read a hole, bool ``(height, width)``.

    Raises:
        StoreError: If it is not there or not the hole of the plan, bit for bit.
    """
    return _verified(store, mask_file(sha), tiers.mask_hash, sha)


def _verified(
    store: RunFolder, name: str, content: Callable[[np.ndarray], str], sha: str
) -> np.ndarray:
    path = store.file(name)
    try:
        pixels = store.read_picture(name)
        problem = "" if content(pixels) == sha else "is not what the plan says"
    except Exception as error:  # a damaged picture makes Pillow raise errors of any kind
        problem = f"cannot be read ({error})"
    if problem:
        raise StoreError(
            f"{path}: {problem}; delete {store.file('plan.parquet')} and give the same command "
            "again, which writes photos and holes anew"
        )
    return pixels
