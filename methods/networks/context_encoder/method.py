"""Context Encoder: a picture, or the centre of a square, predicted by an encoder and a decoder.

Pathak, Krähenbühl, Donahue, Darrell, Efros, Context Encoders: Feature Learning by Inpainting,
CVPR 2016, in two forms. Published checkpoints are for the centre network: 128 x 128 pixels in, the
64 x 64 in their middle out; `methods.layers.windows` brings arbitrary holes into that form. The
any-mask network takes holes anywhere and gives a whole picture; nobody has published weights of it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

import torch
from torch import nn

from methods.base import Fill
from methods.card import read
from methods.layers import windows
from methods.pretrained import Pretrained
from methods.verification import CannotRebuild, Case, Part, traced

_SIDE = 128
_CENTRE = slice(32, 96)  # what the network predicts
_OVERLAP = 4  # of the prediction's border is shown to the network
_BLANK = slice(_CENTRE.start + _OVERLAP, _CENTRE.stop - _OVERLAP)
_FORM = windows.Form(_SIDE, _BLANK.start, _BLANK.stop)
# What the weights were trained with: ImageNet's mean colour, its channels mixed up.
_COLOUR = (117, 104, 123)
_POSITIONS = 4 * 4  # of the features of 128 x 128 pixels after five halvings
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
    """Rebuild a case of reference outputs (see `methods.verification`)."""
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
