"""Photos with an object to be removed, the same without it, and masks of the object."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from PIL import Image
from skimage import data

from bench.planning.protocol import Protocol
from bench.run.request import Request

METRICS = (
    "psnr_db",
    "psnr_hole_db",
    "ssim_hole",
    "l1_hole",
    "texture_structure",
    "seam",
    "seam_visible",
    "drift",
    "swd",
)
METHODS = ("telea", "noise", "mean")


def write(folder: Path, count: int = 12, side: int = 64) -> Path:
    """Write ``photos``, ``truth`` and ``masks``; in ``shaded`` photos the object has a shadow."""
    places = ("photos", "shaded", "truth", "masks")
    for name in places:
        (folder / name).mkdir(parents=True)
    whole = data.astronaut()
    for number in range(count):
        clean = whole[16 * number :, 20 * number :][:side, :side]
        hole = np.zeros((side, side), bool)
        hole[20:44, 8 + number : 30 + number] = True
        photo = np.where(hole[..., None], np.uint8([250, 20, 200]), clean)
        shaded = photo.copy()
        shaded[50:58, 20:40] //= 2
        for place, pixels in zip(places, (photo, shaded, clean, hole), strict=True):
            Image.fromarray(pixels).save(folder / place / f"{number:02}.png")
    return folder


def request(
    out: Path, folder: Path, photos: str = "photos", truth: str | None = None, **changes: object
) -> Request:
    """Fill the objects; against the photos themselves unless a folder of truths is named."""
    known = {None: None, "unknown": "unknown"}
    protocol = Protocol(
        photos=str(folder / photos), masks=str(folder / "masks"), size=None,
        truth=known[truth] if truth in known else str(folder / truth),
    )  # fmt: skip
    asked = {"methods": METHODS, "metrics": METRICS, "executor": "inline", "offline": True}
    return Request(out, protocol, **{**asked, **changes})
