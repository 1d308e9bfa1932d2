"""Rebuild DeepFill's reference outputs (see `methods.verification`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from methods.layers.contextual import (
    VARIANTS,
    Settings,
    attend,
    attention,
    contextual_attention,
    enlarge,
    flow_to_image,
    offsets,
)
from methods.networks.deepfill.network import Generator
from methods.verification import CannotRebuild, Case, Part, traced


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs."""
    if case.target == "generator":
        return _verify_generator(case, parts["network"], inputs)
    if case.target == "contextual_attention":
        return _verify_attention(case, inputs)
    raise CannotRebuild(f"DeepFill has no {case.target!r} here")


def _verify_generator(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    module = Generator(**case.settings({"n": 32, "variant": "torch", "softmax_scale": 10}))
    part.fill(module)
    mask = inputs["mask"]
    masked = inputs["image"] * (1 - mask)
    # Reference outputs spell the attention as the port does.
    attended = "fine_generator.contextual_attention"
    (x1, x2, moved), seen = traced(module, {*case.tensors(), attended}, masked, mask)
    seen["fine_generator.contextul_attention"] = seen.pop(attended)[0]
    height, width = moved.shape[2:]
    queries = torch.arange(height)[:, None] * width + torch.arange(width)
    picture = enlarge(flow_to_image(moved), 2, VARIANTS[module.variant].corners)
    return seen | {
        "x1": x1,
        "x2": x2,
        "composite": x2 * mask + masked * (1 - mask),
        "off": moved,
        "argmax": moved[:, 0] * width + moved[:, 1] + queries,
        "flow": _bytes(picture),
    }


def _verify_attention(case: Case, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    published = {"variant": "torch", "ksize": 3, "stride": 1, "rate": 1, "fuse_k": 3}
    settings = case.settings(published | {"softmax_scale": 10.0, "fuse": True})
    f, b, mask = inputs["f"], inputs["b"], inputs["mask"]
    y, picture = contextual_attention(f, b, mask, **settings)
    chosen = Settings(
        settings["ksize"], settings["rate"], settings["fuse_k"] if settings["fuse"] else 1,
        settings["softmax_scale"], VARIANTS[settings["variant"]],
    )  # fmt: skip
    _, best = attend(f, b, mask, chosen)
    matched = attention.prepare(f, b, mask, chosen)
    logits = matched.logits(0, matched.queries.shape[2]).flatten(3)
    moved = offsets(best, (matched.keys.shape[2], matched.keys.shape[3]))
    return {
        "y": y,
        "argmax": best,
        "off": moved,
        "flow": _bytes(flow_to_image(moved)),
        "flow_item": _bytes(flow_to_image(moved, "item")),
        "flow_enlarged": _bytes(picture),
        "logits": logits.permute(0, 3, 1, 2),
    }


def _bytes(picture: torch.Tensor) -> torch.Tensor:
    return (picture * 255).round()
