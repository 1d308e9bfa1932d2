"""The method Pluralistic: what the harness calls, and how it is verified."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, ClassVar

import torch
from torch import nn
from torch.distributions import Normal, kl_divergence

from methods import weights
from methods.card import read
from methods.networks.pluralistic import blocks, network, spectral
from methods.networks.pluralistic.network import (
    CompletionNetwork,
    Discriminator,
    Encoder,
    Generator,
)
from methods.pretrained import Pretrained
from methods.verification import CannotRebuild, Case, Part, traced
from methods.weights import Checkpoint

_MEAN = "mean"
_PUBLISHED = {"base_width": 32, "largest_width": 128, "latent": 128}


class Pluralistic(Pretrained):
    """The method: another seed, another fill.

    With ``@mean`` the latent code is the mean of its prior instead of a draw: no published way
    to use the network, but one that always gives the same.
    """

    card = read("pluralistic")
    shared = (blocks, network, spectral)
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


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs (see `methods.verification`)."""
    settings = case.settings(_PUBLISHED | {"levels": network.LEVELS})
    if settings.pop("levels") != network.LEVELS:
        raise CannotRebuild(f"expected {network.LEVELS} levels, found {case.config}")
    encoder = Encoder(**settings)
    parts["E"].fill(encoder)
    image, valid = inputs["image"], inputs["m"][:, :1]
    if case.target == "E, G and D":
        return _verify_networks(encoder, settings, parts, image, valid, inputs["eps"])
    if case.target == "E, two training paths":
        return _verify_training(encoder, image, valid)
    raise CannotRebuild(f"Pluralistic has no {case.target!r} here")


def _verify_networks(
    encoder: Encoder,
    settings: Mapping[str, int],
    parts: Mapping[str, Part],
    image: torch.Tensor,
    valid: torch.Tensor,
    noise: torch.Tensor,
) -> dict[str, torch.Tensor]:
    generator = Generator(**settings)
    parts["G"].fill(generator)
    discriminator = Discriminator(settings["base_width"], settings["largest_width"])
    parts["D"].fill(discriminator)
    prior, features = encoder(valid * image)
    encoded = features[network.ENCODED]
    given = (prior.loc + prior.scale * noise, features[-1], encoded, valid)
    layers = ("generator", "decoder0", "decoder1", "attn1", "attn1.query_conv", "decoder3")
    pictures, seen = traced(generator, layers, *given)
    composite = (1 - valid) * pictures[-1] + valid * image
    queries = seen["attn1.query_conv"].flatten(2)
    return {
        **{f"E.f{level}": each for level, each in enumerate(features)},
        "E.mu": prior.loc,
        "E.sigma": prior.scale,
        "scale_mask": network.resized(valid, encoded),
        **{f"G.{name}": each for name, each in seen.items()},
        "G.attention": blocks.attention(queries, queries),
        **{f"G.out{level}": each for level, each in enumerate(pictures)},
        "composite": composite,
        "D.score_map": discriminator(composite),
        "G.out3_second_call": generator(*given)[-1],
    }


def _verify_training(
    encoder: Encoder, image: torch.Tensor, valid: torch.Tensor
) -> dict[str, torch.Tensor]:
    posterior, prior, _ = encoder.both_paths(valid * image, (1 - valid) * image)
    scale = network.target_scale(valid)
    target = Normal(torch.zeros_like(prior.loc), scale.view(-1, 1, 1, 1).expand_as(prior.loc))
    pairs = ((target, posterior), (posterior, prior), (target, prior))
    return {
        "train.post_mu": posterior.loc,
        "train.post_sigma": posterior.scale,
        "train.prior_sigma": scale,
        "train.kl": torch.stack([kl_divergence(*pair).mean() for pair in pairs]),
    }
