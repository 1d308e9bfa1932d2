"""HiFill: Yi et al., CVPR 2020, with the weights of the first author's training code."""

from __future__ import annotations

import math
from typing import Any, ClassVar, Self

import torch
from torch import nn

from bench.training.critics import WassersteinCritic, slope_penalty
from bench.training.recipe import KNOWN, Recipe, Shown, difference, mean_over
from bench.training.stream import Batch

_SIDE = 128

# The author's code weighs the absolute error of known pixels in [-1, 1] by 1.2: 2.4 in [0, 1].
_UNIT = KNOWN / 2.4
_COARSE, _ADVERSARIAL = 1.2 * KNOWN, 0.001 * _UNIT
_PENALTY = 10.0


class HiFill(Recipe):
    """Error of the coarse stage, and WGAN-GP on the composite.

    The author's weights are 1.2 for the errors of both stages, of which the coarse one's has
    another 1.2, and 0.001 for the adversary. At 10 for the refined picture's known pixels, in
    ``[0, 1]``, the coarse stage's has 12 and the adversary 0.00417. The coarse stage's error in the
    hole is summed there and divided by all pixels, as in the author's code.
    """

    side: ClassVar = _SIDE
    notes: ClassVar = {
        "critic": "one update a step, where the author's code has 3: the budget counts pictures",
        "first_weights": "scaled so that signals keep their size behind gates half open; the "
        "author's deviation of 0.05 would let them fade at these widths",
        "side": "128 pixels, where the published network has 512; its attention has 8 x 8 cells",
    }

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """A gate that is half open halves a signal, so features start twice as strong."""
        for module in network.modules():
            feature = getattr(module, "feat", None)
            if isinstance(feature, nn.Conv2d):
                assert feature.bias is not None
                fan = feature.weight[0].numel()
                nn.init.normal_(feature.weight, std=2 / math.sqrt(fan))
                nn.init.zeros_(feature.bias)
        return cls(network, WassersteinCritic(_SIDE, (16, 32, 64, 64, 64, 64)))

    def show(self, batch: Batch) -> Shown:
        """The network works in BGR; the coarse picture, in ``[0, 1]``, is a part."""
        blanked = (batch.images.flip(1) * 2 - 1) * (1 - batch.masks)
        filling: Any = self.network(blanked, batch.masks)
        coarse, refined = ((each.flip(1) + 1) / 2 for each in (filling.coarse, filling.refined))
        return Shown(refined, {"coarse": coarse})

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Error of the coarse stage; adversarial."""
        error = difference(batch, shown.parts["coarse"])
        return {
            "coarse_hole": _COARSE * (error * batch.masks).mean(),
            "coarse_known": _COARSE * mean_over(error, 1 - batch.masks),
            "adversarial": -_ADVERSARIAL * self.critic(_composite(batch, shown)).mean(),
        }

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Values apart, slopes near 1."""
        real, made = batch.images * 2 - 1, _composite(batch, shown).detach()
        return {
            "critic_real": -self.critic(real).mean(),
            "critic_fake": self.critic(made).mean(),
            "critic_slope": _PENALTY * slope_penalty(self.bare_critic, real, made, batch.generator),
        }


def _composite(batch: Batch, shown: Shown) -> torch.Tensor:
    """The fill with known pixels pasted, in ``[-1, 1]``."""
    assert shown.picture is not None
    return batch.pasted(shown.picture) * 2 - 1
