"""LaMa and ReLaMa: Suvorov et al., WACV 2022, section 2.3 and appendix."""

from __future__ import annotations

from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import nn

from bench.training.critics import PatchCritic
from bench.training.features import SceneFeatures
from bench.training.growth import grow
from bench.training.recipe import Recipe, Shown, initialise_by_name
from bench.training.stream import Batch

_ADVERSARIAL, _MATCHING, _PERCEPTUAL, _PENALTY = 10.0, 100.0, 30.0, 0.001


class LaMa(Recipe):
    """Non-saturating adversarial term that knows the hole, feature matching, R1 penalty.

    With the segmentation network of ADE20K, also the perceptual term of a wide receptive field. The
    paper's weight for known pixels is 10, as the common one, so its others stay as they are.
    """

    features_of: ClassVar = SceneFeatures
    feature_terms: ClassVar = ("perceptual",)

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """LaMa and ReLaMa start from the same weights wherever both have them."""
        critic = PatchCritic()
        initialise_by_name(network, seed)
        initialise_by_name(critic, seed)
        return cls(network, critic)

    def start(self, trained: nn.Module, source: str) -> None:
        """Computes what the trained one does, which may have fewer channels or no attention."""
        grow(self.network, trained, source)

    def show(self, batch: Batch) -> Shown:
        """The prediction is judged, not the composite."""
        return Shown(self.network(torch.cat([batch.blanked, batch.masks], 1)))

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Adversarial, matching of the critic's features, and perceptual where it can be had."""
        logits, features = self.critic(shown.picture)
        with torch.no_grad():
            _, wanted = self.critic(batch.images)
        matching = torch.stack([F.mse_loss(f, w) for f, w in zip(features, wanted, strict=True)])
        return {
            "adversarial": _ADVERSARIAL * F.softplus(-logits).mean(),
            "feature_matching": _MATCHING * matching.mean(),
            **self._perceptual(batch, shown),
        }

    def _perceptual(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Squared distances of features, summed over the stages of the network."""
        if self.features is None:
            return {}
        with torch.no_grad():
            wanted = self.features(batch.images)
        found = self.features(shown.picture)
        apart = [F.mse_loss(found[stage], wanted[stage]) for stage in wanted]
        return {"perceptual": _PERCEPTUAL * torch.stack(apart).sum()}

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Known pixels of a fill count as real; the gradient on photos is penalised."""
        assert shown.picture is not None
        photos = batch.images.detach().requires_grad_(True)
        real, _ = self.bare_critic(photos)
        made, _ = self.critic(shown.picture.detach())
        (slope,) = torch.autograd.grad(real.sum(), photos, create_graph=True)
        inside = F.interpolate(batch.masks, made.shape[-2:])
        fake = inside * F.softplus(made) + (1 - inside) * F.softplus(-made)
        return {
            "critic_real": F.softplus(-real).mean(),
            "critic_fake": fake.mean(),
            "critic_slope": _PENALTY * slope.square().sum((1, 2, 3)).mean(),
        }
