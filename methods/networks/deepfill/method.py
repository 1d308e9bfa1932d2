"""The method: the network as the harness calls it, and its verification."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from methods import sizes
from methods.base import Fill
from methods.card import read
from methods.layers import contextual
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
from methods.networks.deepfill import names, network
from methods.pretrained import Pretrained
from methods.verification import CannotRebuild, Case, Part, traced
from methods.weights import Checkpoint

_CELL = 8  # pixels of a picture for each query of the attention


class DeepFill(Pretrained):
    """The method: pictures padded to a multiple of 8, all of each seen by the network."""

    card = read("deepfill")
    wrapper = "state_dict"
    shared = (contextual, network, names)

    def build(self, config: Mapping[str, Any]) -> network.Generator:
        """Make the generator; the order of channels is not its concern."""
        return network.Generator(**{key: config[key] for key in config if key != "channels"})

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read a file of any of the code bases."""
        return names.port_names(super().tensors(path, checkpoint))

    def infer(self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator) -> Fill:
        """Fill; known pixels stay as they are. The flow shows where attention copied from."""
        masked = self._ordered((images * 2 - 1) * (1 - masks))
        _, fine, moved = self.network(masked, masks)
        filled = self._ordered(fine * masks + masked)
        # Each picture's colours are its own: they may not depend on what else is in the batch.
        picture = enlarge(flow_to_image(moved, "item"), _CELL, corners=False)
        return Fill((filled + 1) / 2, pictures={"flow": picture})

    def finish(self, fill: Fill, images: torch.Tensor, masks: torch.Tensor) -> Fill:
        """Cut the padding off, from the flow too."""
        done = super().finish(fill, images, masks)
        height, width = images.shape[-2:]
        picture = sizes.unfit(done.pictures["flow"], height, width, self.card.size)
        return Fill(done.images, done.counts, {"flow": picture})

    def _ordered(self, pictures: torch.Tensor) -> torch.Tensor:
        """Change between RGB and the order of channels that the weights were trained with."""
        return pictures.flip(1) if self.config.get("channels", "RGB") == "BGR" else pictures


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs (see `methods.verification`)."""
    if case.target == "generator":
        return _verify_generator(case, parts["network"], inputs)
    if case.target == "contextual_attention":
        return _verify_attention(case, inputs)
    raise CannotRebuild(f"DeepFill has no {case.target!r} here")


def _verify_generator(case: Case, part: Part, inputs: Mapping[str, Any]) -> dict[str, torch.Tensor]:
    module = network.Generator(**case.settings({"n": 32, "variant": "torch", "softmax_scale": 10}))
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
