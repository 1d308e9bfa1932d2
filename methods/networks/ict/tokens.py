"""Pictures to colour tokens and back, as the published pipeline does it with Pillow.

Other resizers give other tokens: Pillow widens its filters when it shrinks, and rounds to 8 bits.
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from PIL import Image


def colours(centres: torch.Tensor) -> torch.Tensor:
    """Turn the published palette, ``(V, 3)`` in ``[-1, 1]``, into uint8 RGB."""
    return (127.5 * (centres + 1)).round().to(torch.uint8)


def squeezed(picture: np.ndarray, grid: int) -> np.ndarray:
    """Shrink uint8 ``(H, W, 3)`` to ``(grid, grid, 3)``, not keeping proportions."""
    return np.asarray(Image.fromarray(picture).resize((grid, grid), Image.Resampling.BILINEAR))


def nearest_colours(pixels: np.ndarray, palette: np.ndarray) -> np.ndarray:
    """Find the palette's nearest colour for each pixel.

    Args:
        pixels: uint8 RGB, ``(..., 3)``.
        palette: uint8 RGB, ``(V, 3)``.

    Returns:
        Indices, int64 ``(...)``; the lowest of those that are equally near.
    """
    # Squared distances less what all colours share; integers, so ties are ties.
    table = palette.astype(np.float64)
    return ((table**2).sum(-1) - 2 * pixels.astype(np.float64) @ table.T).argmin(-1)


def nearest_mask(hole: np.ndarray, grid: int) -> np.ndarray:
    """Mask the tokens whose sampled pixel is hole, as published; thin holes may vanish.

    Args:
        hole: bool, ``(H, W)``.
        grid: Tokens per side.

    Returns:
        bool, ``(grid, grid)``.
    """
    picture = Image.fromarray(hole.astype(np.uint8) * 255)
    return np.asarray(picture.resize((grid, grid), Image.Resampling.NEAREST)) > 127


def covering_mask(hole: np.ndarray, grid: int) -> np.ndarray:
    """Mask the tokens whose cell holds any hole pixel; shapes as in `nearest_mask`."""
    cells = F.adaptive_max_pool2d(torch.from_numpy(hole[None]).float(), grid)
    return cells[0].numpy() > 0


def prior(tokens: np.ndarray, palette: np.ndarray, height: int, width: int) -> np.ndarray:
    """Show tokens as a picture.

    Args:
        tokens: ``(grid, grid)``.
        palette: uint8 RGB, ``(V, 3)``.
        height: Of the picture.
        width: Likewise.

    Returns:
        uint8 RGB, ``(height, width, 3)``.
    """
    small = Image.fromarray(palette[tokens])
    return np.asarray(small.resize((width, height), Image.Resampling.BICUBIC))
