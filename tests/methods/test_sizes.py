import numpy as np
import pytest
import torch

from methods import sizes
from methods.card import SizeRule


def pair(height, width, batch=1):
    generator = torch.Generator().manual_seed(0)
    masks = torch.zeros(batch, 1, height, width)
    masks[..., : (height + 1) // 2, : (width + 1) // 2] = 1
    if height == width == 1:
        masks[:] = 0
    return torch.rand(batch, 3, height, width, generator=generator) * (1 - masks), masks


@pytest.mark.parametrize("size", [(16, 24), (97, 131), (5, 3), (1, 7), (1, 1)])
@pytest.mark.parametrize("padding", ["reflect", "symmetric", "replicate", "constant"])
def test_padding_reaches_the_multiple_and_is_undone(size, padding):
    rule = SizeRule("multiple", of=8, padding=padding)
    images, masks = pair(*size)
    fitted, fitted_masks = sizes.fit(images, masks, rule)
    assert fitted.shape[-2] % 8 == fitted.shape[-1] % 8 == 0
    assert fitted_masks.shape[-2:] == fitted.shape[-2:]
    assert torch.equal(sizes.unfit(fitted, *size, rule), images)


@pytest.mark.parametrize(
    ("padding", "numpy_mode"),
    [
        ("reflect", "reflect"),
        ("symmetric", "symmetric"),
        ("replicate", "edge"),
        ("constant", "constant"),
    ],
)
@pytest.mark.parametrize("size", [(13, 21), (3, 2)])
def test_padding_agrees_with_numpy_also_where_it_exceeds_the_picture(padding, numpy_mode, size):
    images, masks = pair(*size)
    fitted, _ = sizes.fit(images, masks, SizeRule("multiple", of=16, padding=padding))
    missing = [(0, 0), (0, 0), *((0, -side % 16) for side in size)]
    assert np.array_equal(fitted.numpy(), np.pad(images.numpy(), missing, mode=numpy_mode))


def test_a_size_that_fits_is_left_alone():
    images, masks = pair(16, 24)
    for rule in (SizeRule(), SizeRule("multiple", of=8)):
        fitted, fitted_masks = sizes.fit(images, masks, rule)
        assert torch.equal(fitted, images)
        assert torch.equal(fitted_masks, masks)
    square, hole = pair(32, 32)
    assert torch.equal(sizes.fit(square, hole, SizeRule("fixed", side=32))[0], square)


@pytest.mark.parametrize("size", [(64, 64), (97, 131), (20, 20)])
def test_a_fixed_size_is_reached_blank_in_the_hole_and_left_again(size):
    rule = SizeRule("fixed", side=32)
    images, masks = pair(*size)
    fitted, holes = sizes.fit(images, masks, rule)
    assert fitted.shape == (1, 3, 32, 32)
    assert set(holes.unique().tolist()) <= {0.0, 1.0}
    assert (fitted * holes == 0).all()
    assert sizes.unfit(fitted, *size, rule).shape == images.shape


def test_a_resized_hole_covers_every_pixel_that_saw_some_hole():
    images, masks = torch.rand(1, 3, 64, 64), torch.zeros(1, 1, 64, 64)
    masks[..., 31, 17] = 1
    _, holes = sizes.fit(images * (1 - masks), masks, SizeRule("fixed", side=32))
    assert holes[0, 0, 15, 8] == 1


def test_the_blank_of_the_hole_does_not_bleed_into_resized_known_pixels():
    masks = torch.zeros(1, 1, 64, 64)
    masks[..., 20:41, 20:41] = 1
    images = torch.full((1, 3, 64, 64), 0.8) * (1 - masks)
    fitted, holes = sizes.fit(images, masks, SizeRule("fixed", side=48))
    assert fitted[(1 - holes).expand_as(fitted) > 0].min() == pytest.approx(0.8, abs=1e-5)


def test_filling_from_neighbours_keeps_known_pixels_and_their_range():
    images, masks = pair(33, 47)
    filled = sizes.from_neighbours(images, masks)
    known = (masks == 0).expand_as(images)
    assert torch.equal(filled[known], images[known])
    assert filled.min() >= images[known].min() - 1e-5
    assert filled.max() <= images[known].max() + 1e-5


def test_filling_from_neighbours_ignores_what_lies_under_the_hole():
    images, masks = pair(33, 47)
    other = images + masks * torch.rand(images.shape)
    filled = sizes.from_neighbours(images, masks)
    assert torch.equal(sizes.from_neighbours(other, masks), filled)


def test_filling_from_neighbours_treats_a_batch_as_its_pictures():
    images, masks = pair(33, 47, batch=3)
    masks[1] = 0
    masks[2, ..., 1:, :] = 1
    images = images * (1 - masks)
    together = sizes.from_neighbours(images, masks)
    single = [sizes.from_neighbours(images[i : i + 1], masks[i : i + 1]) for i in range(3)]
    assert torch.allclose(together, torch.cat(single), atol=1e-6)


def test_a_picture_without_known_pixels_becomes_black_and_stays_finite():
    filled = sizes.from_neighbours(torch.rand(1, 3, 9, 5), torch.ones(1, 1, 9, 5))
    assert (filled == 0).all()


@pytest.mark.parametrize("least", [1, 63, 64, 97, 300])
@pytest.mark.parametrize(
    "rule",
    [
        SizeRule(), SizeRule(minimum=100), SizeRule("multiple", of=8),
        SizeRule("multiple", of=48, minimum=70), SizeRule("fixed", side=512),
    ],
)  # fmt: skip
def test_a_length_is_the_least_that_a_rule_takes_as_it_is(rule, least):
    fits = [n for n in range(1, 600) if n % rule.of == 0 and n >= max(least, rule.minimum)]
    assert rule.length(least) == (rule.side or fits[0])
    picture = torch.zeros(1, 3, rule.length(least), rule.length(least + rule.of))
    assert sizes.fit(picture, picture[:, :1], rule)[0].shape == picture.shape
