"""A case of the plan, with what those who fill and measure it must know."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Any, NamedTuple, overload

import pandas as pd
import pyarrow as pa

from bench.folder import shown_cases
from bench.folder.header import UNKNOWN
from methods.case_key import CaseKey


class PlannedCase(NamedTuple):
    """One photo with one hole; a row of ``plan.parquet`` without what only reports want.

    It is sent to workers with every job, so it is a tuple, and holds no more than they need.

    Attributes:
        case_key: Hash of photo id, tier, draw and content of photo and hole.
        photo: Id of the photo.
        cluster: What statistics resample.
        tier: Tier of the hole.
        draw: Number of the hole among those of the photo and tier, from 0.
        photo_sha: 16 hex digits of the SHA-256 of the photo's pixels, which name its file.
        mask_sha: Likewise of the hole.
        hole_share: Share of the picture that is hole, 0 to 1.
        hole_width: Diameter of the largest disc without a known pixel, in pixels.
        keep: Whether fills are kept as pictures.
        truth: What its fills are held against: empty for the photo itself, `UNKNOWN`, or the hash
            of another picture, which names its file among the photos.
        prompt: What to fill in; empty if nothing was said.
        shown: Whether a report shows it whatever the results turn out to be.
    """

    case_key: str
    photo: str
    cluster: str
    tier: str
    draw: int
    photo_sha: str
    mask_sha: str
    hole_share: float
    hole_width: float
    keep: bool
    truth: str
    prompt: str
    shown: bool

    @property
    def truth_sha(self) -> str:
        """Hash of what fills are held against; of the photo if that is unknown."""
        return self.photo_sha if self.truth in ("", UNKNOWN) else self.truth

    def key_of(self, sample: int, told: str = "") -> CaseKey:
        """What a method that fills it is told of it, with what the method said of it elsewhere."""
        return CaseKey(self.photo, self.tier, self.draw, sample, prompt=self.prompt, told=told)

    def seed_of(self, seed: int, sample: int) -> int:
        """Seed of a method's generator: the same for every method, whatever runs before."""
        text = f"fill|{seed}|{self.photo}|{self.tier}|{self.draw}|{sample}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


class Cases(Sequence[PlannedCase]):
    """The cases of a plan, by their number, in the memory of a table: one is made when asked for.

    Attributes:
        keys: Their keys.
    """

    def __init__(self, plan: pd.DataFrame) -> None:
        """Take what is needed of a plan."""
        table = plan.assign(shown=shown_cases.surely_shown(plan))[[*PlannedCase._fields]]
        # Without pandas' missing values, which numbers need not have.
        arrays = (pa.array(table[name], from_pandas=False) for name in table)
        self._columns = [
            each.combine_chunks() if isinstance(each, pa.ChunkedArray) else each for each in arrays
        ]
        self._count = len(table)

    @property
    def keys(self) -> list[str]:
        """Their keys."""
        keys: list[str] = self._columns[0].to_pylist()
        return keys

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, number: int) -> PlannedCase: ...

    @overload
    def __getitem__(self, number: slice) -> list[PlannedCase]: ...

    def __getitem__(self, number: int | slice) -> PlannedCase | list[PlannedCase]:
        if isinstance(number, slice):
            return [self[each] for each in range(*number.indices(self._count))]
        values: list[Any] = [column[number].as_py() for column in self._columns]
        return PlannedCase(*values)
