"""Any-mask Context Encoder: Pathak et al., CVPR 2016, section 3.2."""

from __future__ import annotations

from typing import Self

import torch
import torch.nn.functional as F
from torch import nn

from bench.training.critics import WholeCritic
from bench.training.recipe import KNOWN, Recipe, Shown
from bench.training.stream import Batch
from methods.networks.context_encoder.method import painted

# The paper weighs its squared error in [-1, 1] by 0.999. That is 4 e^2 of an error e in [0, 1]; its
# slope 8 e is compared with that of |e| at the mean error that the paper reports.
_SLOPE = 8 * 0.1033
_ADVERSARIAL = 0.001 / (0.999 * _SLOPE) * KNOWN


class ContextEncoderAny(Recipe):
    """Adversarial term: cross-entropy, unaware of the hole, on the prediction.

    Its weight, 0.012, stands to the common term's of known pixels as the paper's 0.001 stands to
    0.999 for the squared error of all pixels (see `_SLOPE`): next to nothing, as in the paper.
    """

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """Judge whole pictures, as the network makes them."""
        return cls(network, WholeCritic())

    def show(self, batch: Batch) -> Shown:
        """The prediction is judged, not the composite."""
        return Shown((self.network(painted(batch.blanked, batch.masks)) + 1) / 2)

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Adversarial, non-saturating."""
        return {"adversarial": _ADVERSARIAL * F.softplus(-self._judged(shown.picture)).mean()}

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Cross-entropy on photos and on predictions."""
        assert shown.picture is not None
        return {
            "critic_real": F.softplus(-self._judged(batch.images)).mean(),
            "critic_fake": F.softplus(self._judged(shown.picture.detach())).mean(),
        }

    def _judged(self, pictures: torch.Tensor | None) -> torch.Tensor:
        assert pictures is not None
        logits: torch.Tensor = self.critic(pictures * 2 - 1)
        return logits
