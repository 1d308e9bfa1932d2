"""Recipes of DeepFill and HiFill: both have a coarse stage and a critic without bounds."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F

import methods
from bench.training.critics import WassersteinCritic, slope_penalty
from bench.training.recipe import Shown
from bench.training.recipes import recipe_for
from bench.training.recipes.deepfill import discount, random_corners
from bench.training.stream import Batch
from methods import harness
from methods.networks.hifill.attention import AttentionScores

SIDE = 128
BOTH = ("deepfill", "hifill")


@pytest.fixture
def batch() -> Batch:
    generator = torch.Generator().manual_seed(0)
    coarse = torch.rand(2, 3, 6, 6, generator=generator)
    images = F.interpolate(coarse, (SIDE, SIDE), mode="bilinear", align_corners=True)
    masks = torch.zeros(2, 1, SIDE, SIDE)
    masks[0, :, 20:60, 30:90] = masks[1, :, 60:80, 20:50] = 1
    return Batch(images, masks, 0, 0.0, 0, generator)


class Linear(torch.nn.Module):
    """A critic whose slope is the same everywhere."""

    def __init__(self, *slopes):
        super().__init__()
        self.slopes = slopes

    def forward(self, *pictures):
        each = zip(self.slopes, pictures, strict=True)
        return sum(slope * given.sum((1, 2, 3)) for slope, given in each)


def adapter_of(name):
    torch.manual_seed(0)
    method = methods.learnable(name).untrained("small", name)
    network = method.build(method.config)
    recipe = recipe_for(name).make(network, 0)
    method.network = network
    return method, recipe


@pytest.mark.parametrize("name", BOTH)
def test_training_shows_the_network_what_the_method_does(name, batch):
    method, recipe = adapter_of(name)
    with torch.no_grad():
        shown = recipe.show(batch).picture
        filled = method.infer(batch.blanked, batch.masks, batch.generator).images
    torch.testing.assert_close(filled * batch.masks, shown * batch.masks)


@pytest.mark.parametrize("name", BOTH)
def test_first_weights_keep_the_size_of_signals(name, batch):
    _, recipe = adapter_of(name)
    with torch.no_grad():
        shown = recipe.show(batch)
    for picture in (shown.picture, shown.parts["coarse"]):
        assert 0.002 < picture.std() < 0.5


def coarse_of_grey(name, batch, critic):
    grey = torch.full_like(batch.images, 0.5)
    corners = [[10, 20], [40, 0]]
    recipe = recipe_for(name)(None, critic)
    return recipe.terms(batch, Shown(grey, {"coarse": grey, "corners": corners}))


def test_deepfill_s_terms_are_those_of_the_official_code_at_our_scale(batch):
    terms = coarse_of_grey("deepfill", batch, Linear(1.0, 2.0))
    signed, known = batch.images * 2 - 1, 1 - batch.masks
    # The official code's, on [-1, 1]: 1.2 for the fine stage, which is 10 on [0, 1] here.
    ours = 10 / (1.2 * 2)
    outside = (signed.abs() * known).mean() / known.mean()
    inside = (signed.abs() * discount(batch.masks)).mean() / batch.masks.mean()
    made = signed * known
    values = made.sum((1, 2, 3)).mean()
    squares = [made[0, :, 10:74, 20:84], made[1, :, 40:104, 0:64]]
    values = values + 2 * torch.stack(squares).sum((1, 2, 3)).mean()
    assert terms["coarse_known"].item() == pytest.approx(ours * 1.2 * 1.2 * outside.item())
    assert terms["coarse_hole"].item() == pytest.approx(ours * 1.2 * 1.2 * inside.item())
    assert terms["adversarial"].item() == pytest.approx(-ours * 0.001 * values.item(), rel=1e-4)


def test_hifill_s_terms_are_those_of_the_author_s_code_at_our_scale(batch):
    terms = coarse_of_grey("hifill", batch, Linear(1.0))
    signed, known = batch.images * 2 - 1, 1 - batch.masks
    ours = 10 / (1.2 * 2)
    outside = (signed.abs() * known).mean() / known.mean()
    inside = (signed.abs() * batch.masks).mean()
    values = (signed * known).sum((1, 2, 3)).mean()
    assert terms["coarse_known"].item() == pytest.approx(ours * 1.2 * 1.2 * outside.item())
    assert terms["coarse_hole"].item() == pytest.approx(ours * 1.2 * 1.2 * inside.item())
    assert terms["adversarial"].item() == pytest.approx(-ours * 0.001 * values.item(), rel=1e-4)


def test_the_discount_of_a_box_is_that_of_the_paper():
    mask = torch.zeros(1, 1, 40, 50)
    mask[..., 5:25, 10:40] = 1
    rows, columns = np.minimum(np.arange(20), 19 - np.arange(20)), np.arange(30)
    columns = np.minimum(columns, 29 - columns)
    expected = np.maximum(0.9 ** rows[:, None], 0.9 ** columns[None])
    found = discount(mask)
    np.testing.assert_allclose(found[0, 0, 5:25, 10:40], expected, rtol=1e-5)
    assert ((found > 0) == (mask > 0)).all()


def test_the_border_of_a_picture_does_not_count_as_known():
    mask = torch.zeros(1, 1, 16, 16)
    mask[..., :8] = 1
    row = discount(mask)[0, 0, 0, :8]
    np.testing.assert_allclose(row, 0.9 ** np.arange(7, -1, -1.0), rtol=1e-5)
    assert discount(torch.ones(1, 1, 16, 16)).max() < 1e-6


def test_squares_lie_in_the_picture_and_hold_a_pixel_of_the_hole(batch):
    seen = set()
    for _ in range(30):
        corners = random_corners(batch.masks, batch.generator)
        for mask, (top, left) in zip(batch.masks, corners, strict=True):
            square = mask[:, top : top + 64, left : left + 64]
            assert square.shape == (1, 64, 64)
            assert square.any()
        seen.add(tuple(corners[0]))
    assert len(seen) > 10


@pytest.mark.parametrize("covered", [None, 0.25])
def test_the_penalty_is_the_distance_of_the_slope_from_1(batch, covered):
    where = None
    count = 3 * SIDE**2
    if covered is not None:
        where = torch.zeros(2, 1, SIDE, SIDE)
        where[..., : SIDE // 2, : SIDE // 2] = 1
        count *= covered
    slope = torch.tensor(0.03, requires_grad=True)
    made = torch.zeros_like(batch.images, requires_grad=True)
    penalty = slope_penalty(Linear(slope), batch.images, made, batch.generator, where)
    assert penalty.item() == pytest.approx((0.03 * count**0.5 - 1) ** 2, rel=1e-3)
    penalty.backward()
    assert slope.grad != 0
    assert made.grad is None


def test_values_are_precise_in_half_precision():
    torch.manual_seed(0)
    critic = WassersteinCritic(32, (4, 8))
    with torch.autocast("cpu", torch.bfloat16):
        assert critic(torch.rand(2, 3, 32, 32)).dtype == torch.float32


def test_attention_is_scored_precisely_in_half_precision():
    torch.manual_seed(0)
    features, covered = 3 * torch.randn(2, 16, 8, 8), torch.zeros(2, 1, 4, 4)
    features = features.bfloat16()
    expected = AttentionScores()(features.float(), covered)
    with torch.autocast("cpu", torch.bfloat16):
        found = AttentionScores()(features, covered.bfloat16())
    torch.testing.assert_close(found, expected)


def test_small_hifill_fills_photos_of_any_size_at_its_own():
    method, _ = adapter_of("hifill")
    method.network.eval()
    picture = np.random.default_rng(0).integers(0, 256, (150, 200, 3)).astype(np.uint8)
    hole = np.zeros((150, 200), bool)
    hole[40:80, 100:150] = True
    images = torch.from_numpy(picture).permute(2, 0, 1)[None] / 255
    small, _ = method.prepare(images, torch.from_numpy(hole)[None, None].float())
    assert small.shape == (1, 3, SIDE, SIDE)
    filled = harness.fill(method, picture, hole, 0).picture
    assert (filled[~hole] == picture[~hole]).all()
    assert (filled[hole] != 0).any()
