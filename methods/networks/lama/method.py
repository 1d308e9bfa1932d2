"""LaMa and ReLaMa: one convolutional generator whose residual blocks see the whole picture.

Suvorov et al., Resolution-robust Large Mask Inpainting with Fourier Convolutions, WACV 2022.
ReLaMa is a variant with attention in each residual block (te4p0t, January 2022; no paper). Names
of modules are those of LaMa's checkpoints.
"""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.errors import WeightsMissing
from methods import sizes, weights
from methods.card import UNTRAINED, read
from methods.layers import ffc, ffc_attention, ffc_lean
from methods.layers.ffc import FFCBNAct, FFCResBlock, FourierUnit, Join, SpectralTransform, present
from methods.layers.ffc_attention import FFCChannelAttention, FFCSpatialAttention
from methods.layers.ffc_lean import Lean
from methods.pretrained import Pretrained
from methods.verification import CannotRebuild, Case, Part, traced
from methods.weights import Checkpoint

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


class LaMa(Pretrained):
    """The method: the whole picture is predicted, the hole taken from the prediction."""

    card = read("lama")
    shared = (ffc, ffc_attention, ffc_lean)

    def build(self, config: Mapping[str, Any]) -> Generator:
        """Make the generator."""
        return Generator(**config)

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read the authors' training checkpoint or the TorchScript file made from it."""
        prefix = "model.generator." if path.suffix == ".pt" else "generator."
        return weights.load_archive(path, checkpoint, prefix)

    def streamlined(self, network: nn.Module) -> nn.Module:
        """A faster form of the network, which has an order of its own in memory."""
        if "channels_last" in self.ways or not isinstance(network, Generator):
            return network
        return Lean(network.model, channels_last=self.device.type == "cpu")

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Fill; known pixels stay as they are."""
        return _composite(self.network, images, masks)[1]


class ReLaMa(LaMa):
    """The method; no weights of it are published, but LaMa's fit all of it but the attention."""

    card = read("relama")

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read LaMa's weights and add attention that is drawn at random, always the same.

        Weights of the user's own have theirs.

        Raises:
            WeightsMissing: If this was not asked for by a name that says so.
        """
        if not checkpoint.choice:
            return super().tensors(path, checkpoint)
        if UNTRAINED not in self.name:
            raise WeightsMissing(
                f"{self.name}: expected trained weights; those that come with this project are "
                "relama:small, LaMa's with attention that was never trained "
                f"relama:{checkpoint.choice}"
            )
        with torch.random.fork_rng(devices=()):
            torch.manual_seed(0)
            fresh = self.build(self.config).state_dict()
        attention = {name: fresh[name] for name in fresh if ".ca." in name or ".sa." in name}
        return {**super().tensors(path, checkpoint), **attention}


def _composite(
    network: nn.Module, images: torch.Tensor, masks: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network predicts, and the pictures with their holes filled from it."""
    predicted = network(torch.cat([images * (1 - masks), masks], 1))
    return predicted, masks * predicted + (1 - masks) * images


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs, of LaMa or ReLaMa (see `methods.verification`)."""
    if case.target == "generator":
        return _verify_generator(case, parts["network"], inputs)
    if case.target == "whole pipeline":
        return _verify_pipeline(case, parts["network"], inputs)
    module = _piece(case)
    parts["module"].fill(module)
    if isinstance(module, FourierUnit | SpectralTransform):
        return {"out": traced(module, (), inputs["x"])[0]}
    pair: Any = tuple(0 if inputs[name] is None else inputs[name] for name in ("local", "global"))
    out, seen = traced(module, ("conv1", "conv2", "ca", "sa"), pair)
    named = _parts_of(seen | {"out": out})
    # Cases with a missing part call the other one's result just out.
    existing = [part for part in out if present(part)]
    return named | ({"out": existing[0]} if len(existing) == 1 else {})


def _verify_generator(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    network, settings = _generator(case)
    part.fill(network)
    levels, last = settings["downsamplings"], settings["downsamplings"] + 1
    join = last + 1 + settings["blocks"]
    names = {"model.1": "stem", f"model.{join}": "concat"}
    names |= {f"model.{1 + level}": f"down{level}" for level in range(1, levels + 1)}
    names |= {f"model.{last + 1 + index}": f"block{index}" for index in range(settings["blocks"])}
    names |= {f"model.{join + 3 * level}": f"up{level}" for level in range(1, levels + 1)}
    image, mask = inputs["image"], inputs["mask"]
    _, seen = traced(network, names, torch.cat([image * (1 - mask), mask], 1))
    layers = _parts_of({names[module]: output for module, output in seen.items()})
    # The layers are those that are trained, the result that of the form used for inference.
    predicted, inpainted = _composite(Lean(network.model), image, mask)
    return layers | {"predicted": predicted, "inpainted": inpainted}


def _verify_pipeline(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    network, _ = _generator(case)
    part.fill(network)
    image, mask = inputs["image"][None].float() / 255, (inputs["mask"][None] > 0).float()
    height, width = image.shape[-2:]
    size = LaMa.card.size
    result = _composite(Lean(network.eval().model), *sizes.fit(image, mask, size))[1]
    result = sizes.unfit(result, height, width, size)[0]
    # The authors' program cuts fractions off; here the harness rounds, for all methods alike.
    return {"result": result, "result_uint8": (result * 255).clamp(0, 255).to(torch.uint8)}


def _generator(case: Case) -> tuple[Generator, dict[str, Any]]:
    published = {name: each.default for name, each in signature(Generator).parameters.items()}
    settings = case.settings(published)
    return Generator(**settings), settings


def _piece(case: Case) -> nn.Module:
    """Make the module that a case is about."""
    match case.target:
        case "Fourier unit":
            return FourierUnit(*_asked(case, "in_channels", "out_channels"))
        case "spectral transform":
            return SpectralTransform(
                *_asked(case, "in_channels", "out_channels", "stride", "enable_lfu")
            )
        case "channel attention":
            return FFCChannelAttention(*_asked(case, "channels", "ratio_g", "reduction"))
        case "spatial attention":
            return FFCSpatialAttention(*_asked(case, "kernel_size"))
        case "FFC residual block":
            channels, ratio, ratio_out = _asked(case, "dim", "ratio_gin", "ratio_gout")
            ca = sa = None
        case "residual block with attention":
            channels, ratio, ratio_out, reduction, kernel = _asked(
                case, "dim", "ratio_gin", "ratio_gout", "reduction", "kernel_size"
            )
            ca, sa = FFCChannelAttention(channels, ratio, reduction), FFCSpatialAttention(kernel)
        case _:
            raise CannotRebuild(f"LaMa has no {case.target!r} here")
    if ratio_out != ratio:
        raise CannotRebuild(f"expected one ratio in and out, found {ratio} and {ratio_out}")
    return FFCResBlock(channels, ratio, ca, sa)


def _asked(case: Case, *names: str) -> list[Any]:
    """The settings of these names, all of which the case must state, and no others."""
    settings = case.settings(dict.fromkeys(names))
    missing = [name for name in names if settings[name] is None]
    if missing:
        raise CannotRebuild(f"{case.target}: expected the settings {', '.join(missing)}")
    return [settings[name] for name in names]


def _parts_of(outputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    """Name the parts of pairs ``.local`` and ``.global``; missing ones are left out."""
    named: dict[str, torch.Tensor] = {}
    for name, output in outputs.items():
        if isinstance(output, tuple):
            near, far = output
            both = {f"{name}.local": near, f"{name}.global": far}
            named |= {part: each for part, each in both.items() if present(each)}
        else:
            named[name] = output
    return named
