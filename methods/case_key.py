"""Which fill is wanted, and what its file is called."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

_LONGEST_NAME = 240  # bytes; common file systems take 255


class CaseKey(NamedTuple):
    """Which fill is wanted: one photo, one hole, one sample.

    Mask, size and its rule are facts that only `Inpainter.expect` and `Inpainter.tell` are told.

    Attributes:
        photo: Id of the photo.
        tier: Tier of the hole.
        draw: Number of the hole among those of the photo and tier, from 0.
        sample: Number of the fill, from 0.
        mask: File of the hole, relative to the folder of masks; empty if generated.
        size: Height and width that are evaluated.
        size_rule: How the photo came to that size, in words.
        prompt: What to fill in, as `Inpainter.prompted` methods read it; empty if nothing was said.
        told: What `Inpainter.tell` says of the fill; empty for others.
    """

    photo: str
    tier: str
    draw: int
    sample: int = 0
    mask: str = ""
    size: tuple[int, int] = (0, 0)
    size_rule: str = ""
    prompt: str = ""
    told: str = ""

    @property
    def file_name(self) -> str:
        """Path below a folder of outputs, ``<tier>/<photo>-<draw>[-s<sample>].png``.

        A name too long for a file system is cut and gets a hash of the whole.
        """
        suffix = f"-{self.draw}-s{self.sample}.png" if self.sample else f"-{self.draw}.png"
        folder, slash, name = self.photo.rpartition("/")
        encoded = name.encode()
        if len(encoded) + len(suffix) > _LONGEST_NAME:
            digest = hashlib.sha256(encoded).hexdigest()[:8]
            name = encoded[: _LONGEST_NAME - 40].decode(errors="ignore") + "~" + digest
        return f"{self.tier}/{folder}{slash}{name}{suffix}"
