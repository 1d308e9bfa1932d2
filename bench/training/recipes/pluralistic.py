"""Pluralistic: Zheng, Cham, Cai, CVPR 2019, sections 3.1 and 3.2."""

from __future__ import annotations

from functools import partial
from typing import ClassVar, Self

import torch
import torch.nn.functional as F
from torch import nn
from torch.distributions import Normal, kl_divergence

from bench.training.critics import CriticPerPath
from bench.training.recipe import KNOWN, Recipe, Shown
from bench.training.stream import Batch
from methods.networks.pluralistic.network import Discriminator, resized, target_scale

_REBUILT, _GENERATED = "reconstructive", "generative"
_OURS = KNOWN / (20 * 2)  # the paper's weight for L1, whose values are twice ours
_DIVERGENCE, _ADVERSARIAL = 20 * 4 * _OURS, 1 * _OURS


class Pluralistic(Recipe):
    """Two paths: one rebuilds the photo with a code of its hidden part, the other has to invent.

    The common term takes the place of the paper's for the rebuilt picture at full size. The paper
    has 20 for it, for the coarser ones and for what is visible of generated ones (on values in
    ``[-1, 1]``), 80 for both divergences, 1 for both critics. At 10, on values in ``[0, 1]``, that
    makes 10, 20 and 1/4.
    """

    notes: ClassVar = {
        "hidden": "the posterior is shown the photo under the hole, as in the paper, and the "
        "rebuilt picture is drawn from it; fills are drawn from the prior, which is not shown it"
    }
    forward_methods: ClassVar = ("both_paths",)

    @classmethod
    def make(cls, network: nn.Module, seed: int) -> Self:
        """First weights stay the constructor's; the paper's critics, a quarter as wide."""
        critic = partial(Discriminator, base_width=8, largest_width=32)
        return cls(network, CriticPerPath((_REBUILT, _GENERATED), critic))

    def show(self, batch: Batch) -> Shown:
        """Fill on both paths; the rebuilt picture is the one to be compared with the photo."""
        valid, signed = 1 - batch.masks, batch.images * 2 - 1
        posterior, prior, *pictures = self.network.both_paths(
            signed * valid, signed * batch.masks, valid, batch.generator
        )
        rebuilt, generated = ([(each + 1) / 2 for each in path] for path in pictures)
        parts = {
            "posterior": _single(posterior),
            "prior": _single(prior),
            "rebuilt": rebuilt,
            "generated": generated,
        }
        return Shown(rebuilt[-1], parts)

    def terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Divergences, coarser pictures, what is visible of generated ones, adversarial."""
        *coarse, rebuilt = shown.parts["rebuilt"]
        generated = shown.parts["generated"]
        with torch.no_grad():
            wanted = self._score(batch.images, _REBUILT)
        scored = self._score(generated[-1], _GENERATED)
        return {
            **_divergences(1 - batch.masks, shown.parts["posterior"], shown.parts["prior"]),
            "l1_coarse": KNOWN * sum_of_l1(coarse, batch.images, torch.ones_like(batch.masks)),
            "l1_generated": KNOWN * sum_of_l1(generated, batch.images, 1 - batch.masks),
            "adversarial": _ADVERSARIAL * (scored - 1).square().mean(),
            "matching": _ADVERSARIAL * F.mse_loss(self._score(rebuilt, _REBUILT), wanted),
        }

    def critic_terms(self, batch: Batch, shown: Shown) -> dict[str, torch.Tensor]:
        """Each critic towards 1 for photos, towards 0 for the pictures of its path."""
        terms = {}
        for path, pictures in ((_REBUILT, "rebuilt"), (_GENERATED, "generated")):
            real = self._score(batch.images, path)
            made = self._score(shown.parts[pictures][-1].detach(), path)
            terms[f"critic_{path}"] = ((real - 1).square().mean() + made.square().mean()) / 2
        return terms

    def _score(self, pictures: torch.Tensor, path: str) -> torch.Tensor:
        scores: torch.Tensor = self.critic(pictures * 2 - 1, path)
        return scores


def sum_of_l1(
    pictures: list[torch.Tensor], photo: torch.Tensor, where: torch.Tensor
) -> torch.Tensor:
    """Mean absolute difference, summed over sizes.

    Args:
        pictures: ``(N, 3, h, w)``, of several sizes.
        photo: ``(N, 3, H, W)``.
        where: ``(N, 1, H, W)``; elsewhere, differences count as 0.
    """
    terms = [
        ((picture - resized(photo, picture)) * resized(where, picture)).abs().mean()
        for picture in pictures
    ]
    return torch.stack(terms).sum()


def _divergences(valid: torch.Tensor, posterior: Normal, prior: Normal) -> dict[str, torch.Tensor]:
    scale = target_scale(valid).view(-1, 1, 1, 1).expand_as(prior.loc)
    target = Normal(torch.zeros_like(scale), scale)
    taught = Normal(posterior.loc.detach(), posterior.scale.detach())
    return {
        "posterior": _DIVERGENCE * kl_divergence(target, posterior).mean(),
        "prior": _DIVERGENCE * kl_divergence(taught, prior).mean(),
    }


def _single(distribution: Normal) -> Normal:
    """At single precision, which logarithms of scales need."""
    return Normal(distribution.loc.float(), distribution.scale.float(), validate_args=False)
