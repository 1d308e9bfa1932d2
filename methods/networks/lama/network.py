"""The generator of LaMa and ReLaMa; names of modules are those of LaMa's checkpoints."""

from __future__ import annotations

import torch
from torch import nn

from methods.layers.ffc import FFCBNAct, FFCResBlock, Join
from methods.layers.ffc_attention import FFCChannelAttention, FFCSpatialAttention

_MOST_CHANNELS = 1024


class Generator(nn.Module):
    """The generator.

    The features are halved ``downsamplings`` times, pass the residual blocks and are doubled as
    often. Only the blocks and the last halving have a global part.

    Args:
        blocks: Number of residual blocks.
        ngf: Channels at full size; they double with each halving, up to 1024.
        ratio: Global share of the channels in the residual blocks.
        input_channels: Three of the picture and the mask.
        downsamplings: Number of halvings.
        attention: Whether blocks attend to channels and places, which makes it ReLaMa.
        reduction: Of the attention to channels.
        kernel: Of the attention to places.
    """

    def __init__(
        self,
        blocks: int = 9,
        ngf: int = 64,
        ratio: float = 0.75,
        input_channels: int = 4,
        downsamplings: int = 3,
        attention: bool = False,
        reduction: int = 4,
        kernel: int = 7,
    ) -> None:
        """Make the layers, in the order of the checkpoints."""
        super().__init__()
        widths = [min(_MOST_CHANNELS, ngf * 2**level) for level in range(downsamplings + 1)]
        layers: list[nn.Module] = [nn.ReflectionPad2d(3), FFCBNAct(input_channels, ngf, 7)]
        for level in range(downsamplings):
            share = ratio if level == downsamplings - 1 else 0
            halve = FFCBNAct(
                widths[level], widths[level + 1], 3, ratio_gout=share, stride=2, padding=1
            )
            layers += [halve]
        for _ in range(blocks):
            ca = FFCChannelAttention(widths[-1], ratio, reduction) if attention else None
            sa = FFCSpatialAttention(kernel) if attention else None
            layers += [FFCResBlock(widths[-1], ratio, ca, sa)]
        layers += [Join()]
        for level in range(downsamplings, 0, -1):
            before, after = widths[level], widths[level - 1]
            layers += [
                nn.ConvTranspose2d(before, after, 3, stride=2, padding=1, output_padding=1),
                nn.BatchNorm2d(after),
                nn.ReLU(),
            ]
        layers += [nn.ReflectionPad2d(3), nn.Conv2d(ngf, 3, 7), nn.Sigmoid()]
        self.model = nn.Sequential(*layers)

    def forward(self, masked: torch.Tensor) -> torch.Tensor:
        """Predict the whole picture.

        Args:
            masked: ``(N, 4, H, W)``: RGB in ``[0, 1]``, black in the hole, and the mask, 1 in the
                hole; sides from 16, multiples of 8.

        Returns:
            ``(N, 3, H, W)`` in ``(0, 1)``.
        """
        return self.model(masked)
