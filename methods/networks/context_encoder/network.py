"""The two networks: one predicts the centre of a square, one a whole picture.

Published checkpoints are for the centre network: 128 x 128 pixels in, the 64 x 64 in their middle
out. The any-mask network takes holes anywhere and gives a whole picture; nobody has published
weights of it.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import torch
from torch import nn

CENTRE = slice(32, 96)  # what the centre network predicts
_POSITIONS = 4 * 4  # of the features of 128 x 128 pixels after five halvings


class CentreNetwork(nn.Module):
    """The generator.

    Args:
        nef: Width of the encoder.
        ngf: Width of the decoder.
        nc: Channels of a picture.
        bottleneck: Numbers that describe a whole picture.
    """

    def __init__(self, nef: int = 64, ngf: int = 64, nc: int = 3, bottleneck: int = 4000) -> None:
        """Make the layers, in the order of the checkpoints."""
        super().__init__()
        bridge: list[nn.Module] = [nn.Conv2d(8 * nef, bottleneck, 4, bias=False)]
        bridge += [nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2)]
        bridge += [nn.ConvTranspose2d(bottleneck, 8 * ngf, 4, bias=False)]
        bridge += [nn.BatchNorm2d(8 * ngf), nn.ReLU()]
        up = (8 * ngf, 4 * ngf, 2 * ngf, ngf)
        self.main = nn.Sequential(*_encoder(nc, nef), *bridge, *_decoder(up, nc))

    def forward(self, blanked: torch.Tensor) -> torch.Tensor:
        """Predict the centre.

        Args:
            blanked: ``(N, nc, 128, 128)`` in ``[-1, 1]``, the centre blanked.

        Returns:
            ``(N, nc, 64, 64)`` in ``[-1, 1]``, of rows and columns 32 to 95.
        """
        return self.main(blanked)


class ChannelwiseConnected(nn.Module):
    """The paper's channel-wise fully connected layer: all positions of a map to all of the same.

    Published inpainting checkpoints have none.

    Args:
        channels: Number of maps.
        positions: Positions of a map.
    """

    def __init__(self, channels: int, positions: int) -> None:
        """Make the weights."""
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels, positions, positions))
        self.bias = nn.Parameter(torch.empty(channels, positions))
        self.reset_parameters()

    def reset_parameters(self) -> None:
        """Draw the weights as torch does those of fully connected layers."""
        bound = self.weight.shape[-1] ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Connect: ``(N, C, h, w)`` to the same shape."""
        # A product for each channel, of all pictures at once.
        connected = torch.matmul(self.weight, maps.flatten(2).permute(1, 2, 0)).permute(2, 0, 1)
        return (connected + self.bias).view_as(maps)


class AnyMaskNetwork(nn.Module):
    """The generator for holes anywhere: a whole picture in, a whole picture out.

    The authors' network for random regions, with the paper's channel-wise connected layer and the
    convolution after it (section 3.1) in place of the bottleneck of their code.

    Args:
        nef: Width of the encoder.
        ngf: Width of the decoder.
        nc: Channels of a picture.
    """

    def __init__(self, nef: int = 64, ngf: int = 64, nc: int = 3) -> None:
        """Make the layers."""
        super().__init__()
        bridge: list[nn.Module] = [ChannelwiseConnected(8 * nef, _POSITIONS)]
        bridge += [nn.Conv2d(8 * nef, 8 * ngf, 1, bias=False), nn.BatchNorm2d(8 * ngf), nn.ReLU()]
        up = (8 * ngf, 4 * ngf, 2 * ngf, ngf, ngf)
        self.main = nn.Sequential(*_encoder(nc, nef), *bridge, *_decoder(up, nc))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Predict whole pictures.

        Args:
            pictures: ``(N, nc, 128, 128)`` in ``[-1, 1]``, their holes `painted`.

        Returns:
            The same shape, in ``[-1, 1]``.
        """
        return self.main(pictures)


def _encoder(nc: int, width: int) -> list[nn.Module]:
    """Five halvings: 128 pixels to 4 x 4 positions."""
    layers: list[nn.Module] = [nn.Conv2d(nc, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
    for before, after in pairwise((width, width, 2 * width, 4 * width, 8 * width)):
        layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
    return layers


def _decoder(widths: Sequence[int], nc: int) -> list[nn.Module]:
    """As many doublings as there are widths, the last to the picture."""
    layers: list[nn.Module] = []
    for before, after in pairwise(widths):
        layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
        layers += [nn.BatchNorm2d(after), nn.ReLU()]
    return [*layers, nn.ConvTranspose2d(widths[-1], nc, 4, 2, 1, bias=False), nn.Tanh()]
