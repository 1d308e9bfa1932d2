"""Pluralistic's training: its two paths and what is asked of each."""

import copy
from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch.distributions import Normal

from bench.training.recipe import Shown
from bench.training.recipes.pluralistic import Pluralistic, sum_of_l1
from bench.training.stream import Batch
from methods.networks.pluralistic.network import CompletionNetwork
from methods.networks.pluralistic.spectral import SpectralConvolution

SIDE = 96  # the critic needs three cells of 32 pixels


@pytest.fixture
def recipe():
    torch.manual_seed(0)
    return Pluralistic.make(CompletionNetwork(4, 16, 16), 0)


def some_batch():
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 5, 5, generator=generator)
    images = F.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=True)
    masks = torch.zeros(2, 1, SIDE, SIDE)
    masks[0, :, 10:50, 12:41] = 1
    masks[1, :, 50:, 3:20] = 1
    return Batch(images, masks, 0, 0.0, 0, torch.Generator().manual_seed(1))


def learning(network):
    return {name for name, weight in network.named_parameters() if weight.grad is not None}


def test_generated_pictures_owe_nothing_to_what_is_under_the_hole(recipe):
    batch, other = some_batch(), some_batch()
    other = replace(other, images=torch.where(batch.masks > 0, 1 - batch.images, batch.images))
    one, two = (copy.deepcopy(recipe).show(each).parts for each in (batch, other))
    for a, b in zip(one["generated"], two["generated"], strict=True):
        assert torch.equal(a, b)
    assert torch.equal(one["prior"].scale, two["prior"].scale)
    assert not torch.equal(one["posterior"].loc, two["posterior"].loc)
    assert not torch.equal(one["rebuilt"][-1], two["rebuilt"][-1])


def test_the_generative_path_is_that_of_a_fill(recipe):
    batch = some_batch()
    network = copy.deepcopy(recipe.network)
    shown = recipe.show(batch)
    generator = torch.Generator().manual_seed(1)
    torch.randn(2, 16, 3, 3, generator=generator)  # the code of the posterior
    valid = 1 - batch.masks
    picture = network((batch.images * 2 - 1) * valid, valid, generator)
    assert torch.allclose((picture + 1) / 2, shown.parts["generated"][-1], atol=1e-5)


def test_divergences_are_those_of_the_paper_at_our_scale(recipe):
    rng = np.random.default_rng(0)
    valid = np.array([0.75, 0.5])
    batch = some_batch()
    masks = torch.zeros(2, 1, SIDE, SIDE)
    masks[0, :, : SIDE // 4] = masks[1, :, : SIDE // 2] = 1
    mean, scale = rng.normal(size=(2, 2, 4, 3, 3)), rng.uniform(0.2, 2, (2, 2, 4, 3, 3))
    posterior, prior = (Normal(torch.tensor(mean[n]), torch.tensor(scale[n])) for n in (0, 1))
    blank = [torch.zeros(2, 3, SIDE, SIDE)]
    parts = {"posterior": posterior, "prior": prior, "rebuilt": blank * 2, "generated": blank}
    terms = recipe.terms(replace(batch, masks=masks), Shown(blank[0], parts))

    def divergence(m1, s1, m2, s2):
        return (np.log(s2 / s1) + (s1**2 + (m1 - m2) ** 2) / (2 * s2**2) - 0.5).mean()

    target = (1 / (1 + np.exp(8 * (valid - 1e-5 - 0.8)))).reshape(2, 1, 1, 1)
    # The authors': 80 beside 20 for pictures in [-1, 1], which is 10 in [0, 1] here.
    expected = 20 * divergence(0, target, mean[0], scale[0])
    assert terms["posterior"].item() == pytest.approx(expected, rel=1e-5)
    expected = 20 * divergence(mean[0], scale[0], mean[1], scale[1])
    assert terms["prior"].item() == pytest.approx(expected, rel=1e-5)


def test_the_prior_learns_from_the_posterior_and_not_the_other_way_round(recipe):
    batch = some_batch()
    recipe.terms(batch, recipe.show(batch))["prior"].backward()
    found = learning(recipe.network)
    assert any(name.startswith("encoder.prior.") for name in found)
    assert not any(name.startswith("encoder.posterior.") for name in found)


def test_differences_are_summed_over_sizes_and_count_where_they_should():
    photo = torch.full((1, 3, 32, 32), 0.5)
    pictures = [torch.full((1, 3, side, side), 0.75) for side in (8, 32)]
    everywhere = torch.ones(1, 1, 32, 32)
    assert sum_of_l1(pictures, photo, everywhere).item() == pytest.approx(0.5)
    assert sum_of_l1(pictures, photo, 0 * everywhere).item() == 0
    assert sum_of_l1([photo], photo, everywhere).item() == 0
    left = everywhere.clone()
    left[..., 16:] = 0
    assert sum_of_l1(pictures[1:], photo, left).item() == pytest.approx(0.125)


def test_generated_pictures_are_compared_outside_of_the_hole_only(recipe):
    batch = some_batch()
    shown = recipe.show(batch)
    full = shown.parts["generated"][-1]
    full.retain_grad()
    recipe.terms(batch, shown)["l1_generated"].backward()
    assert torch.equal(full.grad != 0, (1 - batch.masks).expand_as(full) > 0)


def test_each_path_has_its_own_critic(recipe):
    batch = some_batch()
    terms = recipe.critic_terms(batch, recipe.show(batch))
    assert list(terms) == ["critic_reconstructive", "critic_generative"]
    terms["critic_generative"].backward()
    assert {name.split(".")[1] for name in learning(recipe.critic)} == {"generative"}


def test_weights_are_normalised_alike_at_half_precision():
    torch.manual_seed(0)
    layer = SpectralConvolution(8, 8)
    other = copy.deepcopy(layer)
    with torch.autocast("cpu", torch.bfloat16):
        half = layer.module()
    assert torch.equal(half, other.module())
    assert torch.equal(layer.module.weight_u, other.module.weight_u)
