"""Rebuild Context Encoder's reference outputs (see `methods.verification`)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import torch

from methods.networks.context_encoder.method import OVERLAP
from methods.networks.context_encoder.network import CENTRE, CentreNetwork, ChannelwiseConnected
from methods.verification import CannotRebuild, Case, Part, traced

_PUBLISHED = {"nef": 64, "ngf": 64, "nc": 3, "bottleneck": 4000}
# Layers by the names of the reference outputs: after convolution, normalisation, activation.
_LAYERS = {
    "enc1": "main.1", "enc2": "main.4", "enc3": "main.7", "enc4": "main.10", "enc5": "main.13",
    "bottleneck": "main.16",
    "dec1": "main.19", "dec2": "main.22", "dec3": "main.25", "dec4": "main.28",
}  # fmt: skip


def derive(words: str, inputs: Mapping[str, Any]) -> torch.Tensor:
    """Make an input that is described in words."""
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
    """Rebuild a case of reference outputs."""
    if case.target == "centre network":
        return _verify_network(case, parts["network"], inputs)
    if case.target == "channel-wise fully connected layer":
        return _verify_bridge(case, parts["bridge"], inputs)
    raise CannotRebuild(f"Context Encoder has no {case.target!r} here")


def _verify_network(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    settings = case.settings(_PUBLISHED | {"overlap": OVERLAP})
    overlap = settings.pop("overlap")
    network = CentreNetwork(**settings)
    part.fill(network)
    output, seen = traced(network, _LAYERS.values(), inputs["x"])
    composite = inputs["image"].clone()
    square = slice(CENTRE.start + overlap, CENTRE.stop - overlap)
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
