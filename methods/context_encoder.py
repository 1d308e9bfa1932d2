"""Context Encoder: the centre of a square, predicted from what is around it.

Pathak, Krähenbühl, Donahue, Darrell, Efros, Context Encoders: Feature Learning by Inpainting,
CVPR 2016, in the form of the centre network that published checkpoints are for: 128 x 128 pixels
in, the 64 x 64 in their middle out. `methods.windows` brings arbitrary holes into that form.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from methods import windows
from methods.base import Fill
from methods.card import read
from methods.goldens import CannotRebuild, Case, Part, traced
from methods.pretrained import Pretrained

_SIDE = 128
_CENTRE = slice(32, 96)  # what the network predicts
_OVERLAP = 4  # of the prediction's border is shown to the network
_BLANK = slice(_CENTRE.start + _OVERLAP, _CENTRE.stop - _OVERLAP)
_FORM = windows.Form(_SIDE, _BLANK.start, _BLANK.stop)
# What the weights were trained with: ImageNet's mean colour, its channels mixed up.
_COLOUR = (117, 104, 123)
_PUBLISHED = {"nef": 64, "ngf": 64, "nc": 3, "bottleneck": 4000}


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
        down = [nc, nef, nef, 2 * nef, 4 * nef, 8 * nef]
        up = [8 * ngf, 4 * ngf, 2 * ngf, ngf]
        layers: list[nn.Module] = [nn.Conv2d(nc, nef, 4, 2, 1, bias=False), nn.LeakyReLU(0.2)]
        for before, after in pairwise(down[1:]):
            layers += [nn.Conv2d(before, after, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.LeakyReLU(0.2)]
        layers += [nn.Conv2d(down[-1], bottleneck, 4, bias=False)]
        layers += [nn.BatchNorm2d(bottleneck), nn.LeakyReLU(0.2)]
        layers += [nn.ConvTranspose2d(bottleneck, up[0], 4, bias=False)]
        layers += [nn.BatchNorm2d(up[0]), nn.ReLU()]
        for before, after in pairwise(up):
            layers += [nn.ConvTranspose2d(before, after, 4, 2, 1, bias=False)]
            layers += [nn.BatchNorm2d(after), nn.ReLU()]
        layers += [nn.ConvTranspose2d(up[-1], nc, 4, 2, 1, bias=False), nn.Tanh()]
        self.main = nn.Sequential(*layers)

    def forward(self, blanked: torch.Tensor) -> torch.Tensor:
        """Predict the centre.

        Args:
            blanked: ``(N, nc, 128, 128)`` in ``[-1, 1]``, the centre blanked.

        Returns:
            ``(N, nc, 64, 64)`` in ``[-1, 1]``, of rows and columns 32 to 95.
        """
        return self.main(blanked)


# Layers by the names of the reference outputs: after convolution, normalisation, activation.
_LAYERS = {
    "enc1": "main.1", "enc2": "main.4", "enc3": "main.7", "enc4": "main.10", "enc5": "main.13",
    "bottleneck": "main.16",
    "dec1": "main.19", "dec2": "main.22", "dec3": "main.25", "dec4": "main.28",
}  # fmt: skip


class ContextEncoder(Pretrained):
    """The method: one window per hole, all of a picture's windows in one batch."""

    card = read("context_encoder")
    wrapper = "state_dict"
    shared = (windows,)

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
        predicted[..., _CENTRE, _CENTRE] = (self.network(squares) + 1) / 2
        return windows.paste(predicted, image, placed)


class ChannelwiseConnected(nn.Module):
    """The paper's channel-wise fully connected layer: all positions of a map to all of the same.

    Published inpainting checkpoints have none; it stands here for verification.

    Args:
        channels: Number of maps.
        positions: Positions of a map.
    """

    def __init__(self, channels: int, positions: int) -> None:
        """Make the weights, zero."""
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(channels, positions, positions))
        self.bias = nn.Parameter(torch.zeros(channels, positions))

    def forward(self, maps: torch.Tensor) -> torch.Tensor:
        """Connect: ``(N, C, h, w)`` to the same shape."""
        flat = torch.einsum("cpq,ncq->ncp", self.weight, maps.flatten(2)) + self.bias
        return flat.view_as(maps)


def _blank_colour(like: torch.Tensor) -> torch.Tensor:
    return (2 * like.new_tensor(_COLOUR) / 255 - 1).view(-1, 1, 1)


def derive(words: str, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Make an input of reference outputs that is described in words."""
    match = re.fullmatch(
        r"copy of (\w+); in rows and columns (\d+)\.\.(\d+) channel c is set to 2\*v/255-1 "
        r"with v = (\d+), (\d+), (\d+) for c = 0, 1, 2",
        words,
    )
    if match is None:
        raise CannotRebuild(f"Context Encoder derives no input as {words!r}")
    first, last, *colour = map(int, match.groups()[1:])
    copy: torch.Tensor = inputs[match[1]].clone()
    square = slice(first, last + 1)
    copy[..., square, square] = (2 * torch.tensor(colour) / 255 - 1).view(-1, 1, 1)
    return copy


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs (see `methods.goldens`)."""
    if case.target == "centre network":
        return _verify_network(case, parts["network"], inputs)
    if case.target == "channel-wise fully connected layer":
        return _verify_bridge(case, parts["bridge"], inputs)
    raise CannotRebuild(f"Context Encoder has no {case.target!r} here")


def _verify_network(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    settings = case.settings(_PUBLISHED | {"overlap": _OVERLAP})
    overlap = settings.pop("overlap")
    network = CentreNetwork(**settings)
    part.fill(network)
    output, seen = traced(network, _LAYERS.values(), inputs["x"])
    composite = inputs["image"].clone()
    square = slice(_CENTRE.start + overlap, _CENTRE.stop - overlap)
    inner = slice(overlap, output.shape[-1] - overlap)
    composite[..., square, square] = output[..., inner, inner]
    layers = {name: seen[module] for name, module in _LAYERS.items()}
    return layers | {"input": inputs["x"], "output": output, "composite": composite}


def _verify_bridge(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    settings = case.settings({"channels": 512, "positions": 16, "activation": "none"})
    if settings["activation"] != "none":
        raise CannotRebuild(f"expected activation none, found {settings['activation']!r}")
    bridge = ChannelwiseConnected(settings["channels"], settings["positions"])
    part.fill(bridge)
    return {"output": traced(bridge, (), inputs["x"])[0]}
