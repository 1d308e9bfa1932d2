"""The method: a square of 256 pixels in, the hole filled."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from methods.card import read
from methods.networks.pennet.network import PyramidContextEncoder
from methods.pretrained import Pretrained


class PENNet(Pretrained):
    """The method: a square of 256 pixels in, the hole filled."""

    card = read("pennet")
    wrapper = "netG"

    def build(self, config: Mapping[str, Any]) -> PyramidContextEncoder:
        """Make the generator."""
        return PyramidContextEncoder(**config)

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Fill; known pixels stay as they are."""
        signed = images * 2 - 1
        _, output = self.network(network_input(signed, masks), masks)
        return ((1 - masks) * signed + masks * output + 1) / 2


def network_input(signed: torch.Tensor, masks: torch.Tensor) -> torch.Tensor:
    """The network's input: pictures in ``[-1, 1]`` with white holes, and the masks."""
    return torch.cat([signed * (1 - masks) + masks, masks], 1)
