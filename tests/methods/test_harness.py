import numpy as np
import pytest
import torch

from bench.errors import ContractError, Declined, InputError
from methods.base import CaseKey, Fill, Inpainter, PictureInpainter, to_float, to_uint8
from methods.card import Card, SizeRule
from methods.harness import fill, paste_back


class Plain(Inpainter):
    """Gives back what the test tells it to, and remembers what it saw."""

    card = Card("plain", "Plain", "floor")

    def __init__(self, give=lambda images, masks: images):
        super().__init__("plain")
        self.give = give
        self.seen = None
        self.begun = []

    def begin(self, case):
        self.begun.append(case)

    def infer(self, images, masks, generator):
        self.seen = images.clone(), masks.clone(), generator.initial_seed()
        return self.give(images, masks)


class Small(Plain):
    card = Card("small", "Small", "floor", size=SizeRule(minimum=10, maximum_pixels=300))


@pytest.fixture
def photo():
    return np.random.default_rng(0).integers(1, 256, (12, 18, 3), dtype=np.uint8)


@pytest.fixture
def hole():
    hole = np.zeros((12, 18), bool)
    hole[3:8, 5:11] = True
    return hole


def test_a_method_sees_floats_with_a_black_hole_and_the_seed(photo, hole):
    method = Plain()
    fill(method, photo, hole, seed=7)
    images, masks, seed = method.seen
    assert images.shape == (1, 3, 12, 18)
    assert images.dtype == masks.dtype == torch.float32
    assert np.array_equal(masks[0, 0].numpy(), hole)
    blanked = np.where(hole[..., None], 0, photo)
    assert np.array_equal(np.rint(images[0].permute(1, 2, 0).numpy() * 255), blanked)
    assert seed == 7


def test_known_pixels_are_those_of_the_photo_and_drift_is_seen_in_raw(photo, hole):
    filled = fill(Plain(lambda images, masks: torch.full_like(images, 0.5)), photo, hole, seed=0)
    assert np.array_equal(filled.picture[~hole], photo[~hole])
    assert (filled.picture[hole] == 128).all()  # 127.5, half to even
    assert (filled.raw == 0.5).all()


def test_values_outside_the_range_are_clipped_in_the_picture_and_kept_in_raw(photo, hole):
    filled = fill(Plain(lambda images, masks: images + 3 * masks - 1), photo, hole, seed=0)
    assert (filled.picture[hole] == 255).all()
    assert (filled.raw[hole] == 2).all()
    assert np.allclose(filled.raw[~hole], photo[~hole] / 255 - 1)


def test_steps_are_timed_by_name(photo, hole):
    filled = fill(Plain(), photo, hole, seed=0)
    assert list(filled.steps) == ["prepare", "infer", "finish"]
    assert all(step.wall > 0 and step.cpu >= 0 for step in filled.steps.values())
    assert all(np.isnan(step.device) for step in filled.steps.values())  # no CUDA device took part
    assert filled.seconds == pytest.approx(sum(step.wall for step in filled.steps.values()))
    assert filled.cpu_seconds >= 0


def test_counts_and_pictures_of_a_fill_come_through(photo, hole):
    def give(images, masks):
        return Fill(images, {"passes": 3}, {"flow": torch.ones(1, 3, 4, 5)})

    filled = fill(Plain(give), photo, hole, seed=0)
    assert filled.counts == {"passes": 3}
    assert filled.pictures["flow"].shape == (3, 4, 5)


def test_an_empty_hole_returns_the_photo_without_asking_the_method(photo, hole):
    method = Plain()
    filled = fill(method, photo, hole & False, seed=0)
    assert method.seen is None
    assert np.array_equal(filled.picture, photo)
    assert np.isnan(filled.cpu_seconds)
    assert np.isnan(filled.seconds)


def test_a_full_hole_is_declined_for_everyone(photo, hole):
    with pytest.raises(Declined, match="no known pixel"):
        fill(Plain(), photo, hole | True, seed=0)


def test_a_single_pixel_is_known_or_all_hole():
    dot = np.full((1, 1, 3), 9, np.uint8)
    assert np.array_equal(fill(Plain(), dot, np.zeros((1, 1), bool), seed=0).picture, dot)
    with pytest.raises(Declined):
        fill(Plain(), dot, np.ones((1, 1), bool), seed=0)


@pytest.mark.parametrize(("size", "reason"), [((9, 40), "at least 10"), ((20, 16), "at most 300")])
def test_sizes_outside_the_card_are_declined_with_both_sizes(size, reason):
    hole = np.zeros(size, bool)
    hole[0, 0] = True
    with pytest.raises(Declined, match=f"{reason} pixels, found {size[1]}x{size[0]}"):
        fill(Small(), np.zeros((*size, 3), np.uint8), hole, seed=0)


def test_the_case_is_announced_before_the_fill(photo, hole):
    method = Plain()
    fill(method, photo, hole, seed=0, case=CaseKey("a.png", "small", 1))
    assert method.begun == [CaseKey("a.png", "small", 1)]


@pytest.mark.parametrize(
    ("give", "complaint"),
    [
        (lambda images, masks: images[:, :, 1:], "expected a tensor"),
        (lambda images, masks: images.numpy(), "found ndarray"),
        (lambda images, masks: (images * 255).to(torch.uint8), "torch.uint8"),
        (lambda images, masks: images / 0, "not finite"),
    ],
)
def test_outputs_that_break_the_contract_are_refused(photo, hole, give, complaint):
    class Raw(Plain):
        def finish(self, fill, images, masks):
            return fill

    with pytest.raises(ContractError, match=complaint):
        fill(Raw(give), photo, hole, seed=0)


@pytest.mark.parametrize(
    ("photo", "hole", "name"),
    [
        (np.zeros((4, 4, 3), np.float32), np.zeros((4, 4), bool), "photo"),
        (np.zeros((4, 4), np.uint8), np.zeros((4, 4), bool), "photo"),
        (np.zeros((4, 4, 4), np.uint8), np.zeros((4, 4), bool), "photo"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 4), np.uint8), "hole"),
        (np.zeros((4, 4, 3), np.uint8), np.zeros((4, 5), bool), "hole"),
    ],
)
def test_inputs_that_do_not_fit_are_refused(photo, hole, name):
    with pytest.raises(InputError, match=f"^{name}: expected"):
        fill(Plain(), photo, hole, seed=0)


def test_a_method_that_writes_into_its_inputs_spoils_neither_photo_nor_mask(photo, hole):
    class Vandal(Plain):
        def prepare(self, images, masks):
            images.zero_()
            masks.zero_()
            return images, masks

        def finish(self, fill, images, masks):
            assert images.max() > 0
            assert masks.max() == 1
            return fill

    before = photo.copy()
    filled = fill(Vandal(), photo, hole, seed=0)
    assert np.array_equal(photo, before)
    assert np.array_equal(filled.picture[~hole], photo[~hole])


def test_rounding_goes_half_to_even_and_back_is_exact():
    levels = torch.tensor([0.5, 1.5, 2.5, 254.5, 300, -4]).div(255).reshape(1, 1, 1, 6)
    assert to_uint8(levels.expand(1, 3, 1, 6))[0, 0, :, 0].tolist() == [0, 2, 2, 254, 255, 0]
    every = np.arange(256, dtype=np.uint8).repeat(3).reshape(1, 16, 16, 3)
    assert np.array_equal(to_uint8(to_float(every)), every)


def test_paste_back_takes_the_hole_from_the_fill_only(photo, hole):
    other = 255 - photo
    pasted = paste_back(other, photo, hole)
    assert np.array_equal(pasted[hole], other[hole])
    assert np.array_equal(pasted[~hole], photo[~hole])


def test_a_picture_method_gets_eight_bits_and_a_bool_hole(photo, hole):
    class Checked(PictureInpainter):
        card = Card("checked", "Checked", "floor")

        def fill_picture(self, picture, hole_, generator):
            assert picture.dtype == np.uint8
            assert hole_.dtype == np.bool_
            assert np.array_equal(picture, np.where(hole[..., None], 0, photo))
            picture[hole_] = 77
            return picture

    assert (fill(Checked(), photo, hole, seed=0).picture[hole] == 77).all()


def test_file_names_of_cases_tell_tier_photo_draw_and_sample():
    assert CaseKey("sub/a.jpg", "large", 2).file_name == "large/sub/a.jpg-2.png"
    assert CaseKey("a", "small", 0, 3).file_name == "small/a-0-s3.png"


def fitted(images, masks):
    """The mean of the known pixels, found by gradient descent."""
    colour = torch.full((1, 3, 1, 1), 0.5, requires_grad=True)
    descent = torch.optim.SGD([colour], lr=1)
    for _ in range(50):
        descent.zero_grad()
        (((colour - images) * (1 - masks)) ** 2).mean().backward()
        descent.step()
    return images + masks * colour


class Fitted(Plain):
    gradients = True


def test_a_method_whose_class_says_so_has_gradients(photo, hole):
    filled = fill(Fitted(fitted), photo, hole, seed=0)
    expected = photo[~hole].mean(0)
    assert np.abs(filled.picture[hole] - expected).max() < 1
    assert fill(Fitted(lambda images, _: images), photo, hole, seed=0).raw.shape == photo.shape


@pytest.mark.parametrize("give", [fitted, torch.enable_grad()(fitted)])
def test_a_method_that_lacks_gradients_is_told_how_to_have_them(photo, hole, give):
    with pytest.raises(RuntimeError, match=r"grad.*their class says gradients = True"):
        fill(Plain(give), photo, hole, seed=0)


def test_other_errors_are_left_as_they_are(photo, hole):
    def give(images, masks):
        raise RuntimeError("grading failed")

    with pytest.raises(RuntimeError, match=r"^grading failed$"):
        fill(Plain(give), photo, hole, seed=0)
