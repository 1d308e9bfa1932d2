"""Networks that judge fills during training; none of them is part of a method."""

from __future__ import annotations

from itertools import pairwise

import torch
from torch import nn
from torch.nn.utils.parametrizations import spectral_norm


class PatchCritic(nn.Module):
    """Judges patches of a picture by strided convolutions (pix2pixHD).

    Args:
        width: Channels of the first layer; LaMa's is 64.
    """

    def __init__(self, width: int = 16) -> None:
        """Make the layers."""
        super().__init__()
        widths = [width, 2 * width, 4 * width, 8 * width]
        layers: list[nn.Module] = [nn.Sequential(nn.Conv2d(3, width, 4, 2, 2), nn.LeakyReLU(0.2))]
        for before, after in (*pairwise(widths), (widths[-1], widths[-1])):
            stride = 1 if before == after else 2
            layers += [
                nn.Sequential(
                    nn.Conv2d(before, after, 4, stride, 2), nn.BatchNorm2d(after), nn.LeakyReLU(0.2)
                )
            ]
        self.features = nn.ModuleList(layers)
        self.last = nn.Conv2d(widths[-1], 1, 4, 1, 2)

    def forward(self, pictures: torch.Tensor) -> tuple[torch.Tensor, list[torch.Tensor]]:
        """Judge ``(N, 3, H, W)``: the logits of patches and the features of the layers before."""
        seen = [pictures]
        for layer in self.features:
            seen.append(layer(seen[-1]))
        return self.last(seen[-1]), seen[1:]


class SpectralPatchCritic(nn.Module):
    """Judges patches of 70 x 70 pixels by convolutions under spectral normalisation (EdgeConnect).

    Args:
        width: Channels of the first layer; EdgeConnect's is 64.
    """

    def __init__(self, width: int = 16) -> None:
        """Make the layers."""
        super().__init__()
        widths = [3, width, 2 * width, 4 * width, 8 * width, 1]
        layers: list[nn.Module] = []
        for (before, after), stride in zip(pairwise(widths), (2, 2, 2, 1, 1), strict=True):
            layers += [
                spectral_norm(nn.Conv2d(before, after, 4, stride, 1, bias=False)),
                nn.LeakyReLU(0.2),
            ]
        self.model = nn.Sequential(*layers[:-1])

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Judge ``(N, 3, H, W)``: the logits of patches."""
        logits: torch.Tensor = self.model(pictures)
        return logits


class WholeCritic(nn.Module):
    """Judges a picture of 128 x 128 as a whole (DCGAN, as Context Encoder's).

    Args:
        width: Channels of the first layer; Context Encoder's is 64.
    """

    def __init__(self, width: int = 16) -> None:
        """Make the layers."""
        super().__init__()
        layers: list[nn.Module] = [nn.Conv2d(3, width, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        for before, after in pairwise((width, width, 2 * width, 4 * width, 8 * width)):
            layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        self.main = nn.Sequential(*layers, nn.Conv2d(8 * width, 1, 4, bias=False))

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Judge ``(N, 3, 128, 128)``: logits ``(N, 1, 1, 1)``."""
        return self.main(pictures)


class SpectralCritic(nn.Module):
    """Judges patches of a picture by convolutions under spectral normalisation (PEN-Net).

    Args:
        width: Channels of the first layer; PEN-Net's is 64.
    """

    def __init__(self, width: int = 16) -> None:
        """Make the layers."""
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((3, width, 2 * width, 4 * width, 8 * width)):
            stride = 1 if after == 8 * width else 2
            convolution = nn.Conv2d(before, after, 5, stride, 1, bias=False)
            layers += [spectral_norm(convolution), nn.LeakyReLU(0.2)]
        self.encoder = nn.Sequential(*layers)
        self.classifier = nn.Conv2d(8 * width, 1, 5, 1, 1)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Judge ``(N, 3, H, W)``: the logits of patches."""
        return self.classifier(self.encoder(pictures))
