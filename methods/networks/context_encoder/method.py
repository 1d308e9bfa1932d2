"""The methods: holes brought into the form that each network takes.

`methods.layers.windows` brings arbitrary holes into the form of the centre network.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from methods.base import Fill
from methods.card import read
from methods.layers import windows
from methods.networks.context_encoder.network import CENTRE, AnyMaskNetwork, CentreNetwork
from methods.pretrained import Pretrained

OVERLAP = 4  # of the prediction's border is shown to the network
_SIDE = 128
_BLANK = slice(CENTRE.start + OVERLAP, CENTRE.stop - OVERLAP)
_FORM = windows.Form(_SIDE, _BLANK.start, _BLANK.stop)
# What the weights were trained with: ImageNet's mean colour, its channels mixed up.
_COLOUR = (117, 104, 123)


class ContextEncoder(Pretrained):
    """The method: one window per hole, all of a picture's windows in one batch."""

    card = read("context_encoder")
    wrapper = "state_dict"

    def build(self, config: Mapping[str, Any]) -> CentreNetwork:
        """Make the generator."""
        return CentreNetwork(**config)

    def infer(self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator) -> Fill:
        """Fill window by window; known pixels stay as they are.

        Raises:
            Declined: If the windows would blank more than four times the hole.
        """
        holes = [mask[0].cpu().numpy() > 0.5 for mask in masks]
        placed = [windows.place(hole, _FORM) for hole in holes]
        filled = [
            self._fill(image, mask, each)
            for image, mask, each in zip(images, masks, placed, strict=True)
        ]
        sides = [window.side for each in placed for window in each]
        ratios = [
            windows.blanked(hole, each, _FORM) for hole, each in zip(holes, placed, strict=True)
        ]
        counts = {
            "windows": len(sides),
            "largest_scale": max(sides) / _SIDE,
            "blanked_per_hole": max(ratios),
        }
        return Fill(torch.stack(filled), counts)

    def _fill(
        self, image: torch.Tensor, mask: torch.Tensor, placed: list[windows.Window]
    ) -> torch.Tensor:
        squares = windows.cut(image, mask, placed, _FORM) * 2 - 1
        squares[..., _BLANK, _BLANK] = _blank_colour(squares)
        predicted = torch.zeros_like(squares)
        predicted[..., CENTRE, CENTRE] = (self.network(squares) + 1) / 2
        return windows.paste(predicted, image, placed)


class ContextEncoderAny(Pretrained):
    """The any-mask method: the picture at 128 x 128, all its holes at once."""

    card = read("context_encoder_any")

    def build(self, config: Mapping[str, Any]) -> AnyMaskNetwork:
        """Make the generator."""
        return AnyMaskNetwork(**config)

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Fill; known pixels stay as they are."""
        predicted = (self.network(painted(images, masks)) + 1) / 2
        return (1 - masks) * images + masks * predicted


def painted(images: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """What the any-mask network sees: ``(N, 3, H, W)`` in ``[-1, 1]``, one colour in the holes.

    Args:
        images: ``(N, 3, H, W)`` in ``[0, 1]``.
        masks: ``(N, 1, H, W)``, 1 in the hole.
    """
    return (images * 2 - 1) * (1 - masks) + _blank_colour(images) * masks


def _blank_colour(like: torch.Tensor) -> torch.Tensor:
    return (2 * like.new_tensor(_COLOUR) / 255 - 1).view(-1, 1, 1)
