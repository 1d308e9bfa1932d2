"""Where a mask lies, and what reading it gives."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

from masks.raster import Mask


@dataclass(frozen=True)
class MaskFile:
    """Where the mask of one photo is.

    Attributes:
        path: A picture, an annotation, or a folder that labelme exported.
        entry: Name of the photo within an annotation of many photos; empty in other files.
        hull: Number of the one shape on the photo whose convex hull is the mask; None for the
            shapes as they are.
    """

    path: Path
    entry: str = ""
    hull: int | None = None

    def __str__(self) -> str:
        """As it is shown."""
        part = "" if self.hull is None else f"#{self.hull}"
        return f"{self.path}#{self.entry}{part}" if self.entry else str(self.path)


class ReadMask(NamedTuple):
    """A mask and what reading it took for granted, or an empty note."""

    mask: Mask
    note: str
