"""Rebuild Pluralistic's reference outputs (see `methods.verification`)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch.distributions import Normal, kl_divergence

from methods.networks.pluralistic import blocks, network
from methods.networks.pluralistic.network import Discriminator, Encoder, Generator
from methods.verification import CannotRebuild, Case, Part, traced

_PUBLISHED = {"base_width": 32, "largest_width": 128, "latent": 128}


def verify_case(
    case: Case, parts: Mapping[str, Part], inputs: Mapping[str, Any]
) -> dict[str, torch.Tensor]:
    """Rebuild a case of reference outputs."""
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
