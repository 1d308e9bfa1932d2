"""ICT's second stage: details from the photo, guided by the picture that the tokens make.

Wan, Zhang, Chen, Liao, High-Fidelity Pluralistic Image Completion with Transformers, ICCV 2021,
section 3.2: the generator of EdgeConnect without normalisation. Names of modules are those of the
published checkpoints.
"""

from __future__ import annotations

import torch
from torch import nn

_CHANNELS = 6  # the photo and the prior


class ResidualBlock(nn.Module):
    """Two convolutions, the first dilated, added to their input; nothing after the sum.

    Args:
        channels: In, between and out.
    """

    def __init__(self, channels: int) -> None:
        """Make the layers."""
        super().__init__()
        self.conv_block = nn.Sequential(
            nn.ReflectionPad2d(2),
            nn.Conv2d(channels, channels, 3, dilation=2),
            nn.ReLU(),
            nn.ReflectionPad2d(1),
            nn.Conv2d(channels, channels, 3),
        )

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        """Transform ``(N, C, H, W)``."""
        return x + self.conv_block(x)


class Upsampler(nn.Module):
    """The guided upsampler.

    Args:
        width: Channels at full size; twice and four times as many further down.
        blocks: Residual blocks at a quarter of the size.
    """

    def __init__(self, width: int = 64, blocks: int = 8) -> None:
        """Make the layers, in the order of the checkpoints."""
        super().__init__()
        self.encoder = nn.Sequential(
            nn.ReflectionPad2d(3),
            nn.Conv2d(_CHANNELS, width, 7),
            nn.ReLU(),
            nn.Conv2d(width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.Conv2d(2 * width, 4 * width, 4, stride=2, padding=1),
            nn.ReLU(),
        )
        self.middle = nn.Sequential(*(ResidualBlock(4 * width) for _ in range(blocks)))
        self.decoder = nn.Sequential(
            nn.ConvTranspose2d(4 * width, 2 * width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ConvTranspose2d(2 * width, width, 4, stride=2, padding=1),
            nn.ReLU(),
            nn.ReflectionPad2d(3),
            nn.Conv2d(width, 3, 7),
        )

    def forward(
        self, images: torch.Tensor, masks: torch.Tensor, prior: torch.Tensor
    ) -> torch.Tensor:
        """Draw the picture.

        Args:
            images: ``(N, 3, H, W)`` in ``[0, 1]``; sides are multiples of 4, from 12. What is in
                the hole is not looked at.
            masks: ``(N, 1, H, W)``, 1 in the hole. The network sees them as white paint only.
            prior: ``(N, 3, H, W)`` in ``[0, 1]``, the tokens' colours enlarged.

        Returns:
            ``(N, 3, H, W)`` in ``[0, 1]``, known pixels redrawn as well.
        """
        painted = images * (1 - masks) + masks
        features = self.encoder(torch.cat([painted, prior], 1))
        return (torch.tanh(self.decoder(self.middle(features))) + 1) / 2
