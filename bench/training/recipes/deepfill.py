"""DeepFill v1: Yu et al., CVPR 2018, sections 3.1 and 3.2, with the official code's weights."""

from __future__ import annotations

from typing import ClassVar, Self

import cv2
import numpy as np
import torch
from torch import nn

from bench.training.critics import PictureAndSquareCritic, slope_penalty
from bench.training.recipe import KNOWN, Recipe, Shown, difference, mean_over
from bench.training.stream import Batch

_SIDE = 128
_SQUARE = _SIDE // 2

# The official code weighs the absolute error of known pixels in [-1, 1] by 1.2: 2.4 in [0, 1].
_UNIT = KNOWN / 2.4
_COARSE, _ADVERSARIAL = 1.2 * KNOWN, 0.001 * _UNIT
_PENALTY = 10.0
_DISCOUNT = 0.9  # per pixel of distance; the paper's text has 0.99, the official code this


class DeepFill(Recipe):
    """Error of the coarse stage; WGAN-GP on the composite and on a square around the hole.

    The official weights are 1.2 for the errors of both stages, of which the coarse one's has
    another 1.2, and 0.001 for each adversary. At 10 for the fine stage's known pixels, in
    ``[0, 1]``, the coarse stage's has 12, in the hole and outside of it, and each adversary
    0.00417. In the hole it is discounted by the distance to known pixels; the common term, which
    stands for the fine stage's own, is not.
    """

    side: ClassVar = _SIDE
    notes: ClassVar = {
        "critic": "one update a step, where the paper has five: the budget counts pictures",
        "square": "64 pixels around a random pixel of the hole, where the paper has the box that "
        "holds the hole, half as wide as the picture",
        "first_weights": "Glorot's, the default of TensorFlow",
    }

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """Glorot's first weights: with PyTorch's, signals fade in 17 layers without a norm."""
        for module in network.modules():
            if isinstance(module, nn.Conv2d):
                assert module.bias is not None
                nn.init.xavier_uniform_(module.weight)
                nn.init.zeros_(module.bias)
        return cls(network, PictureAndSquareCritic(_SIDE))

    def show(self, batch: Batch) -> Shown:
        """The coarse picture, in ``[0, 1]``, and the place of the square are parts."""
        masked = (batch.images * 2 - 1) * (1 - batch.masks)
        coarse, fine, _ = self.network(masked, batch.masks)
        corners = random_corners(batch.masks, batch.generator)
        return Shown((fine + 1) / 2, {"coarse": (coarse + 1) / 2, "corners": corners})

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Error of the coarse stage; adversarial."""
        error = difference(batch, shown.parts["coarse"])
        made, squares = _composites(batch, shown)
        return {
            "coarse_hole": _COARSE * mean_over(error * discount(batch.masks), batch.masks),
            "coarse_known": _COARSE * mean_over(error, 1 - batch.masks),
            "adversarial": -_ADVERSARIAL * self.critic(made, squares).mean(),
        }

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Values apart, slopes within the hole near 1."""
        bare = self.bare_critic
        made, made_squares = (each.detach() for each in _composites(batch, shown))
        real = batch.images * 2 - 1
        real_squares, holes = (_cut(each, shown.parts["corners"]) for each in (real, batch.masks))
        slopes = slope_penalty(bare.picture, real, made, batch.generator, batch.masks)
        slopes = slopes + slope_penalty(
            bare.square, real_squares, made_squares, batch.generator, holes
        )
        return {
            "critic_real": -self.critic(real, real_squares).mean(),
            "critic_fake": self.critic(made, made_squares).mean(),
            "critic_slope": _PENALTY * slopes,
        }


def discount(masks: torch.Tensor) -> torch.Tensor:
    """Weights of pixels in a hole: 1 next to known ones, less the farther away they are.

    For a box this is the paper's weight.

    Args:
        masks: ``(N, 1, H, W)``, 1 in the hole.

    Returns:
        The same shape, 0 outside of the hole.
    """
    holes = (masks[:, 0] > 0.5).cpu().numpy().astype(np.uint8)
    exact = cv2.DIST_MASK_PRECISE
    distances = np.stack([cv2.distanceTransform(hole, cv2.DIST_L2, exact) for hole in holes])
    return _DISCOUNT ** (torch.from_numpy(distances)[:, None].to(masks.device) - 1) * masks


def random_corners(masks: torch.Tensor, generator: torch.Generator) -> list[list[int]]:
    """Top and left of a square around a random pixel of each hole, moved into the picture."""
    height, width = masks.shape[-2:]
    pixel = torch.multinomial(masks.flatten(1), 1, generator=generator)[:, 0]
    top = (pixel // width - _SQUARE // 2).clamp(0, height - _SQUARE)
    left = (pixel % width - _SQUARE // 2).clamp(0, width - _SQUARE)
    corners: list[list[int]] = torch.stack([top, left], 1).tolist()
    return corners


def _composites(batch: Batch, shown: Shown) -> tuple[torch.Tensor, torch.Tensor]:
    """Fills with known pixels pasted, in ``[-1, 1]``, and the squares of them."""
    assert shown.picture is not None
    made = batch.pasted(shown.picture) * 2 - 1
    return made, _cut(made, shown.parts["corners"])


def _cut(planes: torch.Tensor, corners: list[list[int]]) -> torch.Tensor:
    return torch.stack(
        [
            plane[:, top : top + _SQUARE, left : left + _SQUARE]
            for plane, (top, left) in zip(planes, corners, strict=True)
        ]
    )
