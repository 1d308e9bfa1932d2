"""The methods: the whole picture is predicted, the hole taken from the prediction."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import nn

from bench.errors import WeightsMissing
from methods import weights
from methods.card import UNTRAINED, read
from methods.layers.ffc_lean import Lean
from methods.networks.lama.network import Generator
from methods.pretrained import Pretrained
from methods.weights import Checkpoint


class LaMa(Pretrained):
    """The method: the whole picture is predicted, the hole taken from the prediction."""

    card = read("lama")

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
        return composite(self.network, images, masks)[1]


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


def composite(
    network: nn.Module, images: torch.Tensor, masks: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """What the network predicts, and the pictures with their holes filled from it."""
    predicted = network(torch.cat([images * (1 - masks), masks], 1))
    return predicted, masks * predicted + (1 - masks) * images
