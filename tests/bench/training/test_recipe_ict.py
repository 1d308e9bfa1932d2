"""ICT's training: what its stages look at, and what they change."""

from dataclasses import replace

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import methods
from bench.errors import InputError
from bench.training.recipe import Shown
from bench.training.recipes.ict import ICT, alike, even_palette
from bench.training.stream import Batch
from methods import harness
from methods.networks.ict import tokens
from methods.networks.ict.network import Stages

SIDE = 64
CONFIG = {
    "grid": 8, "layers": 2, "width": 32, "heads": 4, "upsampler_width": 8, "upsampler_blocks": 1
}  # fmt: skip
STAGES = {"transformer": 0.3, "upsampler": 0.8}


@pytest.fixture
def recipe():
    torch.manual_seed(0)
    return ICT.make(Stages(**CONFIG), 0)


def batch_at(progress):
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 5, 5, generator=generator)
    images = F.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=True)
    # As photos are: whole numbers of 1/255.
    images = (images * 255).round() / 255
    masks = torch.zeros(2, 1, SIDE, SIDE)
    masks[0, :, 10:30, 12:41] = 1
    masks[1, :, 50:, 3:20] = 1
    return Batch(images, masks, 0, progress, 0, generator)


def seen_by(network, act):
    """What the transformer is given when something is done for the first time."""
    calls = []
    hook = network.transformer.register_forward_pre_hook(lambda _, given: calls.append(given))
    act()
    hook.remove()
    return calls[0]


def test_the_palette_is_even_from_black_to_white():
    palette = even_palette(512).numpy().astype(int)
    assert len(np.unique(palette, axis=0)) == 512
    assert [*palette[0], *palette[-1]] == [0] * 3 + [255] * 3
    colours = np.random.default_rng(0).integers(0, 256, (2000, 3))
    nearest = palette[tokens.nearest_colours(colours.astype(np.uint8), palette)]
    assert np.abs(nearest - colours).max() <= 19  # half a step of 255 / 7, rounded


@pytest.mark.parametrize("colours", [0, 1, 500])
def test_a_palette_of_no_cube_of_colours_is_refused(colours):
    with pytest.raises(InputError, match=f"a cube such as 512 colours, found {colours}"):
        even_palette(colours)


def test_like_colours_start_alike_as_a_gaussian_kernel_says(recipe):
    palette = even_palette(512)
    features = alike(palette, 4000, 0).double().numpy()
    colours = palette.double().numpy() / 255
    apart = ((colours[:, None] - colours[None]) ** 2).sum(-1)
    kernel = np.exp(-apart / (2 * 0.25**2))
    assert np.abs(features @ features.T / 4000 - kernel).max() < 0.15
    assert not torch.equal(alike(palette, 8, 0), alike(palette, 8, 1))
    network = recipe.network.transformer
    assert torch.equal(network.tok_emb.weight, network.head.weight)
    assert network.head.weight.std().item() == pytest.approx(0.02, rel=0.1)


def test_the_transformer_never_sees_what_is_under_the_hole(recipe):
    batch = batch_at(STAGES["transformer"])
    other = replace(batch, images=torch.where(batch.masks > 0, 1 - batch.images, batch.images))
    one, two = recipe.show(batch), recipe.show(other)
    assert torch.equal(one.parts["logits"], two.parts["logits"])
    assert not torch.equal(one.parts["true"], two.parts["true"])


def test_the_transformer_is_given_in_training_what_it_is_given_in_a_fill(recipe):
    batch = batch_at(STAGES["transformer"])
    adapter = methods.learnable("ict").untrained("small", "ict@onepass")
    adapter.card = replace(adapter.card, size=replace(adapter.card.size, side=SIDE))
    adapter.network = recipe.network
    trained_on, trained_mask = seen_by(recipe.network, lambda: recipe.show(batch))
    for number in range(2):
        photo = (batch.images[number] * 255).byte().permute(1, 2, 0).numpy()
        hole = batch.masks[number, 0].bool().numpy()
        given, mask, _ = seen_by(
            recipe.network, lambda photo=photo, hole=hole: harness.fill(adapter, photo, hole, 0)
        )
        assert torch.equal(mask[0], trained_mask[number])
        assert torch.equal(given[0][~mask[0]], trained_on[number][~mask[0]])


def test_masked_tokens_alone_count_and_they_are_those_of_the_photo(recipe):
    batch = batch_at(STAGES["transformer"])
    shown = recipe.show(batch)
    palette = recipe.network.palette.numpy()
    expected = []
    for image, mask in zip(batch.images, batch.masks, strict=True):
        photo = (image * 255).byte().permute(1, 2, 0).numpy()
        cells = tokens.nearest_colours(tokens.squeezed(photo, 8), palette)
        expected += list(cells[tokens.covering_mask(mask[0].bool().numpy(), 8)])
    assert shown.parts["true"].tolist() == expected
    logits = shown.parts["logits"].detach().double().numpy()
    chances = np.exp(logits) / np.exp(logits).sum(-1, keepdims=True)
    likelihood = np.log(chances[np.arange(len(expected)), expected]).mean()
    assert float(recipe.terms(batch, shown)["tokens"].detach()) == pytest.approx(-likelihood, 1e-5)


@pytest.mark.parametrize("stage", STAGES)
def test_each_stage_trains_its_own_network(recipe, stage):
    batch = batch_at(STAGES[stage])
    shown = recipe.show(batch)
    torch.stack(list(recipe.terms(batch, shown).values())).sum().backward()
    learning = {
        name.partition(".")[0]
        for name, weight in recipe.network.named_parameters()
        if weight.grad is not None
    }
    assert learning == {stage}


def test_the_upsampler_learns_with_the_photo_s_colours_in_the_hole(recipe):
    batch = batch_at(STAGES["upsampler"])
    priors = []
    recipe.network.upsampler.register_forward_pre_hook(lambda _, given: priors.append(given[2]))
    recipe.show(batch)
    (prior,) = priors
    far = ((prior - batch.images) * batch.masks).abs().sum() / (3 * batch.masks.sum())
    assert far < 0.08  # the palette's steps are 1/7


def test_the_critic_weighs_as_much_as_the_hole_is_large(recipe):
    class Fixed(torch.nn.Module):
        def forward(self, pictures):
            return pictures.mean((1, 2, 3))

    recipe.critic = Fixed()
    batch = batch_at(STAGES["upsampler"])
    shown = Shown(torch.zeros_like(batch.images))
    share = batch.masks.mean().item()
    # The paper: 1 / share for the whole picture, which is 10 here, and 0.1.
    expected = np.log(2) * 0.1 * 10 * share
    assert recipe.terms(batch, shown)["adversarial"].item() == pytest.approx(expected, rel=1e-5)
    assert recipe.critic_terms(batch, shown)["critic_fake"].item() == pytest.approx(np.log(2) / 2)
