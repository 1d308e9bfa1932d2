"""The method: tokens of the photo, those of the hole drawn, the picture drawn from them."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import torch

from methods import sizes, weights
from methods.base import Fill
from methods.card import read
from methods.networks.ict import sampling, tokens
from methods.networks.ict.network import Stages
from methods.pretrained import Pretrained
from methods.weights import Checkpoint

# Tokens per pass by variant; where a variant is not named, one, as published.
_PER_PASS = {"step8": 8, "onepass": sys.maxsize}
_WRAPPERS = {"transformer": "model", "upsampler": "generator", "palette": ""}


class ICT(Pretrained):
    """The method: a square of 256 pixels in, all of it redrawn.

    The published pipeline makes the tokens from the whole photo, so that those beside the hole
    hold colours from under it: shrinking averages over about two cells. Here the hole is first
    filled smoothly from its known neighbours, and the tokens are made from that picture. A token
    is masked when any pixel of its cell is hole, because the published rule, which looks at a
    single pixel of the cell, loses thin holes (its authors advise to dilate them). The variant
    ``nearest`` follows that rule; there a token that is not masked may stand for the smooth
    filling.

    Each masked token takes one pass of the transformer (see `sampling.fill` for why nothing can
    be kept from pass to pass). The variants ``step8`` and ``onepass`` draw eight or all of them
    from each pass, independently of each other: faster, and another distribution.
    """

    card = read("ict")
    undifferentiable = (
        "its colours are drawn token by token, which no gradient passes; what there is would be "
        "that of the network that adds the details, and hide what the transformer looks at"
    )
    unpublished: ClassVar = {
        "step8": "8 tokens per pass, another distribution",
        "onepass": "all tokens in one pass, another distribution",
    }
    network: Stages

    def build(self, config: Mapping[str, Any]) -> Stages:
        """Make both networks and the palette."""
        return Stages(**config)

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read a part: the transformer without its unused causal masks, upsampler or palette."""
        part = checkpoint.part
        found = weights.load(path, checkpoint, wrapper=_WRAPPERS[part])
        if part == "palette":
            return {"palette": tokens.colours(found[""])}
        return {
            f"{part}.{name}": tensor
            for name, tensor in found.items()
            if not name.endswith(".attn.mask")
        }

    def infer(self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator) -> Fill:
        """Draw the tokens, then the picture."""
        seen = self.network.tokens_of(sizes.from_neighbours(images, masks))
        masked = self._masked(masks)
        draw = sampling.by_uniforms(sampling.uniforms(masked, generator))
        per_pass = _PER_PASS.get(self.variant, 1)
        drawn, passes = sampling.fill(self.network.transformer, seen, masked, draw, per_pass)
        prior = self.network.prior_of(drawn, *images.shape[-2:])
        return Fill(
            self.network.upsample(images, masks, prior),
            {"tokens_masked": int(masked.sum()), "passes": passes},
            {"prior": prior},
        )

    def _masked(self, masks: torch.Tensor) -> torch.Tensor:
        """Which tokens are masked, ``(N, T)``."""
        rule = tokens.nearest_mask if self.variant == "nearest" else tokens.covering_mask
        holes = masks[:, 0].cpu().numpy() > 0.5
        masked = np.stack([rule(hole, self.network.grid) for hole in holes])
        return torch.from_numpy(masked).flatten(1).to(self.device)
