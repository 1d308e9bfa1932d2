"""The method: encoder, draw from the conditional prior, generator."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn

from methods import weights
from methods.card import read
from methods.networks.pluralistic import blocks, spectral
from methods.networks.pluralistic.network import CompletionNetwork
from methods.pretrained import Pretrained
from methods.weights import Checkpoint

_MEAN = "mean"


class Pluralistic(Pretrained):
    """The method: another seed, another fill.

    With ``@mean`` the latent code is the mean of its prior instead of a draw: no published way
    to use the network, but one that always gives the same.
    """

    card = read("pluralistic")
    unpublished: ClassVar = {_MEAN: "mean of the prior"}

    def _use(self, checkpoints: tuple[Checkpoint, ...]) -> None:
        super()._use(checkpoints)
        if not self.draws:
            self.card = replace(self.card, stochastic=False)

    @property
    def draws(self) -> bool:
        """Whether the code is drawn."""
        return self.variant != _MEAN

    def build(self, config: Mapping[str, Any]) -> CompletionNetwork:
        """Make encoder and generator."""
        return CompletionNetwork(**config)

    def tensors(self, path: Path, checkpoint: Checkpoint) -> Mapping[str, torch.Tensor]:
        """Read one of the two published files, which hold most tensors under two names."""
        state = weights.load(path, checkpoint)
        with torch.device("meta"):
            part = self.build(self.config).get_submodule(checkpoint.part)
        single = blocks.under_one_name(state, part, str(path))
        return {f"{checkpoint.part}.{name}": tensor for name, tensor in single.items()}

    def streamlined(self, network: nn.Module) -> nn.Module:
        """Fold the normalisation into the weights."""
        spectral.fold(network)
        return network

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Fill; known pixels stay as they are."""
        valid = 1 - masks
        visible = (images * 2 - 1) * valid
        output = self.network(visible, valid, generator if self.draws else None)
        return (visible + masks * output + 1) / 2
