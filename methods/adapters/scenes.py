"""Pictures whose holes a network that was trained fills well: what `probe` tries networks on."""

from __future__ import annotations

import functools
from typing import NamedTuple

import cv2
import numpy as np
import torch

from methods.base import to_float
from methods.scene import waves

_COLOURS = ((0.75, 0.4, 0.2), (0.2, 0.5, 0.8), (0.35, 0.6, 0.2))
_HOLES = ((0.15, 0.2), (0.55, 0.1), (0.3, 0.6))  # their upper left corners, in sides


class Scene(NamedTuple):
    """A picture and its hole.

    Attributes:
        image: ``(1, 3, H, W)`` in ``[0, 1]``, known everywhere.
        mask: ``(1, 1, H, W)``, 1 in the hole.
    """

    image: torch.Tensor
    mask: torch.Tensor

    def off(self, fill: torch.Tensor) -> tuple[float, float]:
        """Mean difference of a fill in the hole, and elsewhere."""
        each = (fill.clamp(-1, 2) - self.image).abs().mean(1, keepdim=True)
        known = 1 - self.mask
        return (
            float((each * self.mask).sum() / self.mask.sum()),
            float((each * known).sum() / known.sum()),
        )

    def flat(self) -> float:
        """By how much the mean colour of what is known differs from the hole: any fill's floor."""
        known = 1 - self.mask
        colour = (self.image * known).sum((2, 3), keepdim=True) / known.sum()
        return self.off(colour.expand_as(self.image))[0]


@functools.lru_cache(32)
def smooth(height: int, width: int) -> list[Scene]:
    """Pictures without detail, each of a colour of its own, unlike in all directions."""
    rng = np.random.default_rng(1)
    found = []
    for colour in _COLOURS:
        picture = np.clip(colour + 0.2 * waves(height, width, rng, (0.3, 1.2)), 0, 1)
        found.append(_scene(np.rint(picture * 255).astype(np.uint8)))
    return found


def photos(height: int, width: int) -> list[Scene]:
    """Photos, whose colours are those of things."""
    from skimage import data

    return [
        _scene(cv2.resize(photo, (width, height), interpolation=cv2.INTER_AREA))
        for photo in (data.astronaut(), data.coffee(), data.chelsea(), data.rocket())
    ]


def wild(height: int, width: int) -> Scene:
    """Noise far below black and far above white, which drives a network to its bounds."""
    noise = np.random.default_rng(2).choice([-3.0, 4.0], (3, -(-height // 8), -(-width // 8)))
    image = np.kron(noise, np.ones((8, 8)))[:, :height, :width]
    mask = _scene(np.zeros((height, width, 3), np.uint8)).mask
    return Scene(torch.from_numpy(image[None].astype(np.float32)), mask)


def _scene(picture: np.ndarray) -> Scene:
    height, width = picture.shape[:2]
    mask = torch.zeros(1, 1, height, width)
    for top, left in _HOLES:
        rows, columns = int(top * height), int(left * width)
        mask[..., rows : rows + height // 5, columns : columns + width // 5] = 1
    return Scene(to_float(picture[None]), mask)
