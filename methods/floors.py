"""What gives numbers a scale: two floors that nobody would use, and the ceiling."""

from __future__ import annotations

import torch

from methods.base import Inpainter
from methods.card import read


class MeanFill(Inpainter):
    """Fill each hole with the mean colour of the known pixels."""

    card = read("mean")

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Average the known pixels; hole pixels arrive as 0 and add nothing to the sum."""
        mean = images.sum((2, 3), keepdim=True) / (1 - masks).sum((2, 3), keepdim=True)
        return torch.where(masks > 0, mean, images)


class NoiseFill(Inpainter):
    """Fill each hole with uniform noise, every channel of every pixel on its own."""

    card = read("noise")

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Draw from the generator, which lives on the CPU whatever the device."""
        noise = torch.rand(images.shape, generator=generator).to(images.device)
        return torch.where(masks > 0, noise, images)


class Original(Inpainter):
    """Return the picture as it came: the ceiling, when run under its own name.

    The harness shows the photo without hole to the method named ``original``, so every metric
    must come out perfect. Under another name this sees black holes and leaves them.
    """

    card = read("original")

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Do nothing."""
        return images
