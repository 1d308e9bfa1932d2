"""Rebuild LaMa's and ReLaMa's reference outputs (see `methods.verification`)."""

from __future__ import annotations

from collections.abc import Mapping
from inspect import signature
from typing import Any

import torch
from torch import nn

from methods import sizes
from methods.layers.ffc import FFCResBlock, FourierUnit, SpectralTransform, present
from methods.layers.ffc_attention import FFCChannelAttention, FFCSpatialAttention
from methods.layers.ffc_lean import Lean
from methods.networks.lama.method import LaMa, composite
from methods.networks.lama.network import Generator
from methods.verification import CannotRebuild, Case, Part, traced


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs."""
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
    predicted, inpainted = composite(Lean(network.model), image, mask)
    return layers | {"predicted": predicted, "inpainted": inpainted}


def _verify_pipeline(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    network, _ = _generator(case)
    part.fill(network)
    image, mask = inputs["image"][None].float() / 255, (inputs["mask"][None] > 0).float()
    height, width = image.shape[-2:]
    size = LaMa.card.size
    result = composite(Lean(network.eval().model), *sizes.fit(image, mask, size))[1]
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
