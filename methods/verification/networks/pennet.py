"""Rebuild PEN-Net's reference outputs (see `methods.verification`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from methods.networks.pennet.method import network_input
from methods.networks.pennet.network import (
    CHANNELS,
    SOFTMAX_SCALE,
    AttentionTransfer,
    PyramidContextEncoder,
)
from methods.verification import CannotRebuild, Case, Part, traced

_MULTIPLE = 64  # six halvings that six exact doublings undo


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs."""
    if case.target == "generator":
        return _verify_generator(case, parts["network"], inputs)
    if case.target == "attention transfer":
        return _verify_attention(case, parts, inputs)
    raise CannotRebuild(f"PEN-Net has no {case.target!r} here")


def _verify_generator(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    network = PyramidContextEncoder(**case.settings({"channels": CHANNELS}))
    part.fill(network)
    image, mask = inputs["image"], inputs["mask"]
    if image.shape[-2] % _MULTIPLE or image.shape[-1] % _MULTIPLE:
        raise CannotRebuild(f"sides must be multiples of {_MULTIPLE}, found {tuple(image.shape)}")
    (pyramid, output), seen = traced(network, case.tensors(), network_input(image, mask), mask)
    pictures = {f"img{level}": picture for level, picture in enumerate(pyramid, 1)}
    composite = (1 - mask) * image + mask * output
    return seen | pictures | {"output": output, "composite": composite}


def _verify_attention(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    x1, x2 = inputs["x1"], inputs["x2"]
    constants = {"rate": 2, "softmax_scale": SOFTMAX_SCALE}
    shapes = {"low_channels": x1.shape[1], "high_channels": x2.shape[1]}
    settings = case.settings({"ksize": 3, "fuse": True} | shapes | constants)
    if not settings.items() >= (shapes | constants).items():
        raise CannotRebuild(f"expected {constants} and {shapes} as the inputs, found {settings}")
    module = AttentionTransfer(x1.shape[1], settings["ksize"], settings["fuse"])
    if settings["fuse"]:
        parts["module"].fill(module)
    return {"output": traced(module, (), x1, x2, inputs["mask"])[0]}
