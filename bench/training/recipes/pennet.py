"""PEN-Net: Zeng et al., CVPR 2019, section 3.3, weighted as in the authors' PyTorch version."""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from torch import nn

from bench.training.critics import SpectralPatchCritic
from bench.training.recipe import KNOWN, Recipe, Shown
from bench.training.stream import Batch
from methods.networks.pennet.method import network_input

# The authors weigh the absolute error of known pixels in [-1, 1] by 1, which is 2 in [0, 1].
_UNIT = KNOWN / 2
_PYRAMID, _ADVERSARIAL = 0.5 * _UNIT, 0.1 * _UNIT


class PENNet(Recipe):
    """Pyramid term, and the hinge adversarial term of their Places2 model on the composite.

    The authors' weights are 0.5 for the pyramid and 0.1 for the adversary beside 1 for known pixels
    (theirs for the hole is 6, as ours); so these are 2.5, on errors in ``[-1, 1]``, and 0.5.
    """

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """Judge patches."""
        return cls(network, SpectralPatchCritic(kernel=5, plain_end=True))

    def show(self, batch: Batch) -> Shown:
        """The hole is white; the pictures of the pyramid are in ``[-1, 1]``."""
        white = network_input(batch.blanked * 2 - 1, batch.masks)
        pyramid, output = self.network(white, batch.masks)
        return Shown((output + 1) / 2, {"pyramid": pyramid})

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Mean absolute difference of each level to the photo at its size; adversarial."""
        signed = batch.images * 2 - 1
        levels = [
            (each - _resized(signed, each.shape[-2:])).abs().mean()
            for each in shown.parts["pyramid"]
        ]
        return {
            "pyramid": _PYRAMID * torch.stack(levels).sum(),
            "adversarial": -_ADVERSARIAL * self._judged(_composite(batch, shown)).mean(),
        }

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Hinges, half the weight each."""
        return {
            "critic_real": F.relu(1 - self._judged(batch.images)).mean() / 2,
            "critic_fake": F.relu(1 + self._judged(_composite(batch, shown).detach())).mean() / 2,
        }

    def _judged(self, pictures: torch.Tensor) -> torch.Tensor:
        logits: torch.Tensor = self.critic(pictures * 2 - 1)
        return logits


def _composite(batch: Batch, shown: Shown) -> torch.Tensor:
    assert shown.picture is not None
    return batch.pasted(shown.picture)


def _resized(pictures: torch.Tensor, size: torch.Size) -> torch.Tensor:
    return F.interpolate(pictures, tuple(size), mode="bilinear", align_corners=True)
