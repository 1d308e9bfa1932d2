"""Training recipes: what holds for all of them, then what is special to some."""

import copy
import math
from dataclasses import replace
from pathlib import Path

import pytest
import torch
import torch.nn.functional as F

import methods
from bench.training.job import TrainingJob
from bench.training.recipe import Shown
from bench.training.recipes import _TABLE, recipe_for
from bench.training.stream import Batch
from tests.support.trainings import learner_of

SIDE = 128
STAGES = [(name, stage) for name in _TABLE for stage in recipe_for(name).stages]


def batch_of(progress: float = 0.0, seed: int = 0) -> Batch:
    """Two smooth pictures, one with a hole at its edge and one with two holes."""
    generator = torch.Generator().manual_seed(seed)
    coarse = torch.rand(2, 3, 6, 6, generator=generator)
    images = F.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=True)
    masks = torch.zeros(2, 1, SIDE, SIDE)
    masks[0, :, :40, 30:90] = 1
    masks[1, :, 60:80, 20:50] = masks[1, :, 90:120, 70:120] = 1
    return Batch(images, masks, 0, progress, 0, generator)


def middle_of(name: str, stage: str) -> float:
    """The share of the budget behind when a stage is half over."""
    stages = recipe_for(name).stages
    before = list(stages).index(stage)
    return sum(list(stages.values())[:before]) + stages[stage] / 2


def recipe_of(name: str):
    torch.manual_seed(0)
    method = methods.learnable(name).untrained("small", name)
    return recipe_for(name).make(method.build(method.config), 0)


def tensors(network):
    return {name: each.detach().clone() for name, each in network.named_parameters()}


def step(learner, batch):
    torch.manual_seed(batch.start)
    return learner.step(batch)


def changed(before, network):
    return any(not torch.equal(before[name], each) for name, each in tensors(network).items())


@pytest.mark.parametrize("name", _TABLE)
def test_the_small_configuration_has_1_to_1_8_million_parameters(name):
    method = methods.learnable(name).untrained("small", name)
    network = method.build(method.config)
    assert 1e6 < sum(each.numel() for each in network.parameters()) < 1.8e6
    assert method.card.size.side in (0, SIDE)


@pytest.mark.parametrize("name", _TABLE)
def test_stages_share_the_whole_budget(name):
    assert sum(recipe_for(name).stages.values()) == pytest.approx(1)


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_a_step_changes_network_and_critic_and_all_terms_are_finite(name, stage):
    job = TrainingJob(name, (), Path(), 8, precision="bf16-mixed")
    learner = learner_of(job)
    recipe = learner.recipe
    criticised = recipe.critic is not None
    before = tensors(recipe.network), tensors(recipe.critic) if criticised else {}
    terms, finite = learner.step(batch_of(middle_of(name, stage)))
    assert finite
    assert terms
    assert all(math.isfinite(value) for value in terms.values())
    assert changed(before[0], recipe.network)
    if any(term.startswith("critic") for term in terms):
        assert changed(before[1], recipe.critic)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_a_restored_training_goes_on_exactly(name, stage):
    job = TrainingJob(name, (), Path(), 8, precision="bf16-mixed")
    one, other = learner_of(job), learner_of(replace(job, seed=1))
    place = middle_of(name, stage)
    step(one, batch_of(place))
    other.restore(copy.deepcopy(one.state()))
    first, second = (step(each, batch_of(place, seed=1)) for each in (one, other))
    assert first == second
    kept = one.average.network.state_dict()
    found = other.average.network.state_dict()
    assert all(torch.equal(kept[name], found[name]) for name in kept)


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_the_photo_under_the_hole_is_shown_only_where_the_recipe_says_so(name, stage):
    recipe = recipe_of(name)
    batch = batch_of(middle_of(name, stage))
    other = replace(
        batch_of(middle_of(name, stage)),
        images=torch.where(batch.masks > 0, 1 - batch.images, batch.images),
    )
    pictures = []
    for each in (batch, other):
        torch.manual_seed(0)
        pictures.append(copy.deepcopy(recipe).show(each).picture)
    if pictures[0] is None:
        assert pictures[1] is None
        return
    assert pictures[0].shape == batch.images.shape
    assert pictures[0].min() > -0.1
    assert pictures[0].max() < 1.1
    assert torch.equal(*pictures) == ("hidden" not in recipe.notes)


@pytest.mark.parametrize(("name", "stage"), STAGES)
def test_what_the_critic_learns_does_not_reach_into_the_network(name, stage):
    recipe = recipe_of(name)
    batch = batch_of(middle_of(name, stage))
    terms = recipe.critic_terms(batch, recipe.show(batch)) if recipe.critic is not None else {}
    if terms:
        torch.stack(list(terms.values())).sum().backward()
    assert all(each.grad is None for each in recipe.network.parameters())


class Fixed(torch.nn.Module):
    """A critic that gives each picture the mean of its values."""

    def forward(self, pictures):
        return pictures.mean((1, 2, 3))


def test_pen_net_s_terms_are_those_of_its_authors_at_our_scale():
    recipe = recipe_for("pennet")(None, Fixed())
    batch = batch_of()
    pyramid = [torch.zeros(2, 3, SIDE >> level, SIDE >> level) for level in range(1, 6)]
    grey = torch.full_like(batch.images, 0.5)
    terms = recipe.terms(batch, Shown(grey, {"pyramid": pyramid}))
    signed = batch.images * 2 - 1
    composite = signed * (1 - batch.masks)
    # The authors': 0.5 and 0.1 beside 1 for known pixels in [-1, 1], which is 10 in [0, 1] here.
    expected = sum(
        F.interpolate(signed, each.shape[-2:], mode="bilinear", align_corners=True).abs().mean()
        for each in pyramid
    )
    assert terms["pyramid"].item() == pytest.approx(5 * 0.5 * expected.item())
    assert terms["adversarial"].item() == pytest.approx(-5 * 0.1 * composite.mean().item())
    taught = recipe.critic_terms(batch, Shown(grey))
    real, made = signed.mean((1, 2, 3)), composite.mean((1, 2, 3))
    assert taught["critic_real"].item() == pytest.approx((1 - real).clamp_min(0).mean().item() / 2)
    assert taught["critic_fake"].item() == pytest.approx((1 + made).clamp_min(0).mean().item() / 2)


def test_pen_net_s_critic_has_a_say_in_the_hole_only():
    recipe = recipe_for("pennet")(None, Fixed())
    batch = batch_of()
    picture = torch.rand_like(batch.images).requires_grad_()
    recipe.terms(batch, Shown(picture, {"pyramid": [picture]}))["adversarial"].backward()
    assert torch.equal(picture.grad != 0, batch.masks.expand_as(picture) > 0)


def test_context_encoder_s_adversary_weighs_what_it_does_in_the_paper():
    recipe = recipe_for("context_encoder_any")(None, Fixed())
    batch = batch_of()
    shown = Shown(torch.full_like(batch.images, 0.5))
    ln2 = torch.log(torch.tensor(2.0)).item()
    # At the paper's mean error the slope of its 0.999 * (2 e)^2 is 0.826; 10 is our weight for it.
    weight = 0.001 / 0.826 * 10
    assert recipe.terms(batch, shown)["adversarial"].item() == pytest.approx(weight * ln2, rel=1e-3)
    assert recipe.critic_terms(batch, shown)["critic_fake"].item() == pytest.approx(ln2)
