"""Effective receptive fields: the measure."""

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import nn

from bench.errors import ContractError, Declined, InputError
from bench.receptive.field import Field, centred_hole, measure
from methods import learnable
from methods.base import Fill, Inpainter
from methods.card import Card, SizeRule
from methods.classical import Telea
from methods.floors import MeanFill, NoiseFill
from methods.layers.ffc_lean import Lean

SIDE = 32


class Blur(Inpainter):
    """A box of 21 x 21 pixels, which reaches 6 pixels beyond a hole of 8."""

    card = Card("blur", "Blur", "CNN")
    reach = 10

    def infer(self, images, masks, generator):
        kernel = torch.ones(3, 1, 2 * self.reach + 1, 2 * self.reach + 1)
        return F.conv2d(images, kernel / kernel[0].numel(), padding=self.reach, groups=3)


class Blanking(Blur):
    """The same fill for every blanked picture."""

    def infer(self, images, masks, generator):
        filled = super().infer(images * (1 - masks), masks, generator)
        return Fill(filled, {"boxes": 1})


class Near(Blur):
    reach = 2


class Padded(Blur):
    card = Card("padded", "Padded", "CNN", size=SizeRule("multiple", of=24, padding="constant"))


class Fixed(Blur):
    card = Card("fixed", "Fixed", "CNN", size=SizeRule("fixed", side=64))


class Reusing(Inpainter):
    """Writes over what the gradient needs, as networks made for inference do."""

    card = Card("reusing", "Reusing", "CNN")

    def infer(self, images, masks, generator):
        images += masks
        squared = images.sum((2, 3), keepdim=True).square() + 0 * images
        roots = squared.sqrt_()
        roots *= 2
        return roots


class Detached(MeanFill):
    def infer(self, images, masks, generator):
        return super().infer(images.detach(), masks, generator)


class Learned(Detached):
    """Cut off from the picture, but not from weights of its own."""

    def infer(self, images, masks, generator):
        return super().infer(images, masks, generator) * nn.Parameter(torch.ones(1))


class Half(MeanFill):
    """Cut off where it fills, not where it keeps."""

    def infer(self, images, masks, generator):
        filled = super().infer(images.detach(), masks, generator)
        return (1 - masks) * images + masks * filled


class Infinite(MeanFill):
    def infer(self, images, masks, generator):
        return super().infer(images, masks, generator) + (images * 0).sqrt()


class Cropped(MeanFill):
    def infer(self, images, masks, generator):
        return super().infer(images, masks, generator)[..., 1:]


class Reading(MeanFill):
    """A network whose weights are at hand: the seed's."""

    card = Card("reading", "Reading", "CNN")

    def load(self):
        torch.manual_seed(0)
        self.network = nn.Sequential(
            nn.Conv2d(3, 4, 5, padding=12, dilation=6), nn.Tanh(), nn.Conv2d(4, 3, 3, padding=1)
        )

    def infer(self, images, masks, generator):
        return self.network(images)


def photos(count=1, side=SIDE, seed=0):
    rng = np.random.default_rng(seed)
    return list(rng.integers(0, 256, (count, side, side, 3), np.uint8))


def distances(shape, centre):
    rows, columns = np.indices(shape)
    return np.hypot(rows - centre[0], columns - centre[1])


# -- the measure --------------------------------------------------------------------------------


def box_of_block(reach, side=SIDE, middle=(12, 20)):
    """How many outputs of the block each pixel reaches, squared."""
    rows = np.arange(side)
    counts = sum(abs(rows - at) <= reach for at in range(*middle)).astype(float)
    return np.outer(counts, counts) ** 2


def test_a_convolution_has_exactly_the_support_of_its_kernel():
    field = measure(Blur(), photos(2), SIDE)
    assert field.block == (slice(12, 20), slice(12, 20))  # as large as the hole here
    expected = box_of_block(Blur.reach)
    assert np.allclose(field.energy, expected / expected[field.known].sum())
    assert field.box == (12, 20, 12, 20)
    assert field.known_share == pytest.approx(expected[field.known].sum() / expected.sum())


def test_the_block_is_in_the_middle_of_a_larger_hole_and_no_larger_than_it():
    assert measure(Blur(), photos(side=64), 64).block == (slice(28, 36), slice(28, 36))
    known = np.ones((20, 20), bool)
    known[7:12, 4:17] = False
    assert Field(known[None], known).block == (slice(7, 12), slice(6, 14))


@pytest.mark.parametrize("share", [0.5, 0.9, 0.99])
def test_radii_of_a_box_are_those_counted_by_hand(share):
    field = measure(Blur(), photos(), SIDE)
    away = distances((SIDE, SIDE), (15.5, 15.5))[field.known]
    energy = field.energy[field.known]
    sums = [(energy[away <= d].sum(), d) for d in np.unique(away)]
    expected = next(d for total, d in sums if total >= share * (1 - 1e-9))
    assert field.radii(share) == [expected]


def test_a_share_that_is_met_exactly_needs_no_further_pixel():
    energy, known = np.zeros((9, 9)), np.ones((9, 9), bool)
    known[4, 4] = False
    energy[4, [2, 3, 5, 6, 7]] = [0.1, 0.2, 0.3, 0.3, 0.1]
    field = Field(energy[None], known)
    assert [field.radii(share)[0] for share in (0.5, 0.6, 0.9, 1)] == [1, 2, 2, 3]


def test_a_mean_sees_all_pixels_alike():
    field = measure(MeanFill(), photos(), SIDE)
    assert np.ptp(field.energy) == pytest.approx(0, abs=1e-12)
    away = distances((SIDE, SIDE), (15.5, 15.5))[field.known]
    assert field.radii(0.5) == pytest.approx(np.median(away), abs=0.2)
    for share in (0.5, 0.9, 1):
        assert field.radii(share) == [field.even(share)]
    assert field.even(1) == away.max()
    assert field.nearest == away.min()


def test_methods_that_fill_alike_have_the_same_field_on_known_pixels():
    one, other = (measure(kind(), photos(3), SIDE) for kind in (Blur, Blanking))
    assert np.array_equal(one.energy[one.known], other.energy[other.known])
    assert np.array_equal(one.radii(0.9), other.radii(0.9))
    assert one.known_share < other.known_share == pytest.approx(1)


def test_every_photo_counts_alike_and_has_radii_of_its_own():
    method = Reading()
    method.load()
    given = photos(3)
    alone = [measure(method, [photo], SIDE) for photo in given]
    together = measure(method, given, SIDE)
    assert np.allclose(together.energy, np.mean([each.energy for each in alone], axis=0))
    assert np.allclose(together.energies[:, together.known].sum(1), 1)
    assert together.radii(0.5).tolist() == [each.radii(0.5)[0] for each in alone]
    assert np.array_equal(together.energies, measure(method, iter(given), SIDE).energies)
    assert not np.allclose(alone[0].energy, alone[1].energy)


def test_a_photo_without_influence_has_no_radius_and_takes_none_away():
    known = ~centred_hole(16)
    energies = np.stack([known / known.sum(), np.zeros(known.shape)])
    field = Field(energies, known)
    assert np.isfinite(field.radii(0.9)).tolist() == [True, False]
    assert field.known_share == pytest.approx(1)


def test_a_padded_picture_is_measured_as_the_network_sees_it():
    field = measure(Padded(), photos(), SIDE)
    assert field.energy.shape == (48, 48)
    assert field.box == (12, 20, 12, 20)
    assert field.block == (slice(12, 20), slice(12, 20))
    assert field.radii(0.9) == measure(Blur(), photos(), SIDE).radii(0.9)


def test_a_resized_picture_is_measured_at_the_networks_size():
    field = measure(Fixed(), photos(), SIDE)
    assert field.energy.shape == (64, 64)
    assert field.block == (slice(28, 36), slice(28, 36))
    assert np.flatnonzero(field.energy.any(0)).tolist() == list(range(18, 46))


def test_memory_that_a_network_reuses_does_not_change_the_gradient():
    field = measure(Reusing(), photos(), SIDE)
    assert np.allclose(field.energy, 1 / field.known.sum())


@pytest.mark.slow
def test_the_form_made_for_inference_has_the_field_of_the_trained_network():
    torch.manual_seed(0)
    method = learnable("lama").untrained("small", "lama")
    method.network = method.build(method.config).eval()
    given = photos(1, 64)
    trained = measure(method, given, 64)
    method.network = Lean(method.network.model)
    lean = measure(method, given, 64)
    assert np.abs(lean.energy - trained.energy).sum() < 1e-3 * trained.energy.sum()
    assert lean.radii(0.9) == pytest.approx(trained.radii(0.9), abs=1)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (Telea, "8-bit pictures, which no gradient passes"),
        (NoiseFill, "no known pixel has any influence"),
        (Near, "sees no farther than the hole"),
        (Half, "detached from the input"),
    ],
)
def test_what_has_no_field_declines_with_the_reason(method, words):
    with pytest.raises(Declined, match=words):
        measure(method(), photos(side=64), 64)


@pytest.mark.parametrize(
    ("method", "words"),
    [
        (Detached, r"cut off; look for detach\(\)"),
        (Learned, r"cut off; look for detach\(\)"),
        (Infinite, "finite"),
        (Cropped, r"expected \(1, 3, 32, 32\)"),
    ],
)
def test_a_gradient_that_cannot_be_had_is_an_error_not_zero(method, words):
    with pytest.raises(ContractError, match=words):
        measure(method(), photos(), SIDE)


def test_ict_says_why_a_gradient_would_mislead():
    with pytest.raises(Declined, match="token by token"):
        measure(learnable("ict").untrained("small", "ict"), photos(), SIDE)


def test_the_rules_of_the_card_hold():
    class Large(MeanFill):
        card = Card("large", "Large", "CNN", size=SizeRule(minimum=64))

    with pytest.raises(Declined, match="at least 64"):
        measure(Large(), photos(), SIDE)
    with pytest.raises(InputError, match="at least 8"):
        measure(MeanFill(), photos(1, 4), 4)
    with pytest.raises(InputError, match="found none"):
        measure(MeanFill(), [], SIDE)
