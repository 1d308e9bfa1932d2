"""Where the photos and holes of a plan lie in a run folder, and reading them back, bit for bit."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from bench.errors import StoreError
from bench.folder.store import RunFolder
from bench.planning.images import content_hash
from masks import tiers


def photo_file(sha: str) -> str:
    """Where an evaluated photo, or a truth that is another picture, lies in the run folder."""
    return f"photos/{sha}.png"


def mask_file(sha: str) -> str:
    """Where a hole lies in the run folder."""
    return f"masks/{sha}.png"


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
