"""Many small photos, each another: enough to see what grows with their number."""

from __future__ import annotations

import argparse
from pathlib import Path

import cv2
import numpy as np

_A_FOLDER = 1000
_SIDES = (32, 48, 64)


def write(folder: Path, count: int) -> None:
    """Write photos of 32 to 64 pixels a side as PNG, a thousand in each folder.

    The first of more are the same as of fewer. Those that are there stay.
    """
    for number in range(count):
        path = folder / f"{number // _A_FOLDER:03d}" / f"{number:06d}.png"
        if not path.exists():
            path.parent.mkdir(parents=True, exist_ok=True)
            cv2.imwrite(str(path), picture(number))


def picture(number: int) -> np.ndarray:
    """Soft random colours with some noise, uint8 ``(H, W, 3)``."""
    rng = np.random.default_rng(number)
    height, width = rng.choice(_SIDES, 2)
    coarse = rng.integers(0, 256, (4, 4, 3)).astype(np.float32)
    soft = cv2.resize(coarse, (int(width), int(height)), interpolation=cv2.INTER_CUBIC)
    return np.clip(soft + rng.normal(0, 6, soft.shape), 0, 255).astype(np.uint8)


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("count", type=int)
    write(**vars(parser.parse_args()))
