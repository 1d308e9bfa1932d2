"""Networks that judge fills during training; none of them is part of a method."""

from __future__ import annotations

from collections.abc import Callable, Sequence
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
    """Judges patches by convolutions under spectral normalisation (EdgeConnect, PEN-Net).

    Args:
        width: Channels of the first layer; in both papers 64.
        kernel: Side of the convolutions; 4 in EdgeConnect, 5 in PEN-Net.
        plain_end: Whether the last one has a bias and no normalisation, as in PEN-Net.
    """

    def __init__(self, width: int = 16, kernel: int = 4, plain_end: bool = False) -> None:
        """Make the layers."""
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((3, width, 2 * width, 4 * width, 8 * width)):
            stride = 1 if after == 8 * width else 2
            convolution = nn.Conv2d(before, after, kernel, stride, 1, bias=False)
            layers += [spectral_norm(convolution), nn.LeakyReLU(0.2)]
        last = nn.Conv2d(8 * width, 1, kernel, 1, 1, bias=plain_end)
        self.model = nn.Sequential(*layers, last if plain_end else spectral_norm(last))

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


class CriticPerPath(nn.Module):
    """One critic for each path through a network.

    Args:
        paths: Their names.
        make: Makes a critic.
    """

    def __init__(self, paths: Sequence[str], make: Callable[[], nn.Module]) -> None:
        """Make the critics."""
        super().__init__()
        self.critics = nn.ModuleDict({path: make() for path in paths})

    def forward(self, pictures: torch.Tensor, path: str) -> torch.Tensor:
        """Let the critic of a path judge."""
        scores: torch.Tensor = self.critics[path](pictures)
        return scores


class WassersteinCritic(nn.Module):
    """Judges a square picture as a whole by a value without bounds (DeepFill v1, HiFill).

    Args:
        side: Of the pictures, in pixels.
        widths: Channels of the layers, each of which halves the side; DeepFill's are 64, 128, 256
            and 256.
    """

    def __init__(self, side: int, widths: tuple[int, ...]) -> None:
        """Make the layers."""
        super().__init__()
        layers: list[nn.Module] = []
        for before, after in pairwise((3, *widths)):
            layers += [nn.Conv2d(before, after, 5, 2, 2), nn.LeakyReLU(0.2)]
        self.layers = nn.Sequential(*layers, nn.Flatten())
        # Only differences of values are learned from, so a bias would have no effect.
        self.last = nn.Linear(widths[-1] * (side >> len(widths)) ** 2, 1, bias=False)

    def forward(self, pictures: torch.Tensor) -> torch.Tensor:
        """Judge ``(N, 3, side, side)``: ``(N,)``."""
        features = self.layers(pictures)
        # Small differences of large values count.
        with torch.autocast(features.device.type, enabled=False):
            values: torch.Tensor = self.last(features.float())[:, 0]
        return values


class PictureAndSquareCritic(nn.Module):
    """Judges a picture as a whole, and a square of half its side around the hole (DeepFill v1).

    Args:
        side: Of the pictures, in pixels.
        width: Channels of the first layers; DeepFill's is 64.
    """

    def __init__(self, side: int, width: int = 16) -> None:
        """Make the two."""
        super().__init__()
        self.picture = WassersteinCritic(side, (width, 2 * width, 4 * width, 4 * width))
        self.square = WassersteinCritic(side // 2, (width, 2 * width, 4 * width, 8 * width))

    def forward(self, pictures: torch.Tensor, squares: torch.Tensor) -> torch.Tensor:
        """Judge ``(N, 3, side, side)`` and ``(N, 3, side / 2, side / 2)``: their sum, ``(N,)``."""
        values: torch.Tensor = self.picture(pictures) + self.square(squares)
        return values


def slope_penalty(
    critic: nn.Module,
    real: torch.Tensor,
    made: torch.Tensor,
    generator: torch.Generator,
    where: torch.Tensor | None = None,
) -> torch.Tensor:
    """How far a critic's slope is from 1 between photos and fills (Gulrajani et al., 2017).

    Args:
        critic: In full precision; the penalty is a gradient of a gradient.
        real: Photos, ``(N, 3, S, S)``.
        made: Fills of them, likewise.
        generator: Says where between the two.
        where: ``(N, 1, S, S)``; the slope counts where this is 1, or everywhere.

    Returns:
        The mean square of the difference.
    """
    share = torch.rand(len(real), 1, 1, 1, generator=generator, device=real.device)
    between = real.lerp(made.detach(), share).requires_grad_(True)
    (slope,) = torch.autograd.grad(critic(between).sum(), between, create_graph=True)
    if where is not None:
        slope = slope * where
    return (slope.flatten(1).norm(dim=1) - 1).square().mean()
