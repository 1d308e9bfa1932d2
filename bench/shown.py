"""What a report will show of a run, so that workers can make its pictures ready."""

from __future__ import annotations

import hashlib
import io

import numpy as np
import pandas as pd
from PIL import Image

ALL_UP_TO, AT_RANDOM = 100, 40
THUMBNAIL_SIDE = 160


def case_hash(photo: str, tier: str, draw: int) -> str:
    """16 hex digits that name a case; their order is one that nobody chose."""
    key = "\0".join((photo, tier, str(draw)))
    return hashlib.sha256(key.encode("utf-8", "replace")).hexdigest()[:16]


def case_hashes(plan: pd.DataFrame) -> pd.Series:
    """`case_hash` of each row of a plan."""
    keys = zip(plan["photo"], plan["tier"], plan["draw"], strict=True)
    return pd.Series([case_hash(*key) for key in keys], index=plan.index, dtype=object)


def surely_shown(plan: pd.DataFrame) -> pd.Series:
    """Which cases a report shows whatever the results turn out to be.

    All of a tier of up to 100 cases; of a larger one 40, the first by their hash.
    """
    tier = plan["tier"].astype(str)
    place = case_hashes(plan).groupby(tier).rank()
    count = tier.groupby(tier).transform("size")
    return place <= np.where(count <= ALL_UP_TO, ALL_UP_TO, AT_RANDOM)


def shrink(pixels: np.ndarray) -> np.ndarray:
    """Reduce uint8 pixels to at most 160 a side; smaller pictures stay as they are."""
    height, width = pixels.shape[:2]
    scale = THUMBNAIL_SIDE / max(height, width)
    if scale >= 1:
        return pixels
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    return np.array(Image.fromarray(pixels).resize(size, Image.Resampling.LANCZOS))


def thumbnail(pixels: np.ndarray) -> bytes:
    """Encode uint8 RGB ``(h, w, 3)`` as lossy WebP of at most 160 pixels a side."""
    stream = io.BytesIO()
    Image.fromarray(shrink(pixels)).save(stream, "WEBP", quality=75, method=4)
    return stream.getvalue()
