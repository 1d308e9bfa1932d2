"""A case of the plan, with what those who fill and measure it must know."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import pandas as pd

from bench.folder import shown_cases
from bench.folder.header import UNKNOWN


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

    def seed_of(self, seed: int, sample: int) -> int:
        """Seed of a method's generator: the same for every method, whatever runs before."""
        text = f"fill|{seed}|{self.photo}|{self.tier}|{self.draw}|{sample}"
        return int.from_bytes(hashlib.sha256(text.encode()).digest()[:7], "big")


def planned(plan: pd.DataFrame) -> list[PlannedCase]:
    """The cases of a plan, by their number."""
    table = plan.assign(shown=shown_cases.surely_shown(plan))[[*PlannedCase._fields]]
    return [PlannedCase(*row) for row in table.itertuples(index=False, name=None)]
