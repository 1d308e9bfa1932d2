"""The disk that a run will take: weighed of its first photos, and told before it is taken."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import NamedTuple

from bench.planning.pictures import Weight

_A_FILL, _A_CASE = 600, 100  # bytes in the tables, with the fragments that these are made of
_WORTH_A_LINE = 10**9  # bytes


class Disk(NamedTuple):
    """Bytes of a run folder, about, as the file system counts them.

    Attributes:
        pictures: Of photos and holes.
        fills: Each that is kept is taken to be as large as its photo.
        tables: Of tables and fragments.
        free: Where the folder will be.
    """

    pictures: int
    fills: int
    tables: int
    free: int

    @property
    def needed(self) -> int:
        """All of it."""
        return self.pictures + self.fills + self.tables

    @property
    def worth_saying(self) -> bool:
        """Whether it is much, or more than a tenth of what is free."""
        return self.needed > min(_WORTH_A_LINE, self.free // 10)

    def __str__(self) -> str:
        """In words."""
        said = (
            f"disk: {_size(self.pictures)} of photos and holes, weighed; about {_size(self.fills)} "
            "of fills, each kept one taken to be as large as its photo, and "
            f"{_size(self.tables)} of tables; {_size(self.free)} are free"
        )
        if self.needed <= self.free:
            return said
        return f"{said}: it will be full before the run ends; make room, or give another --out"


def needed(
    out: Path, weight: Weight, share: float, fills: int, cases: int, kept: int | None = None
) -> Disk:
    """What a run folder will take.

    Args:
        out: The folder, existing or not.
        weight: Of the pictures of some photos.
        share: Which share of all photos these are.
        fills: Of a case, all methods together, but the ceiling's, which are the photos.
        cases: How many there are.
        kept: Of how many fills are kept; all if omitted.
    """
    photo = weight.evaluated / max(weight.photos, 1)
    there = next(path for path in (out, *out.absolute().parents) if path.exists())
    return Disk(
        round(weight.written / share),
        round(photo * fills * (cases if kept is None else kept)),
        cases * (_A_CASE + _A_FILL * (fills + 1)),
        shutil.disk_usage(there).free,
    )


def _size(count: int) -> str:
    return f"{count / 1e9:.1f} GB" if count >= 1e9 else f"{count / 1e6:.1f} MB"
