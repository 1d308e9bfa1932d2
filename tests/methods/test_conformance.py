"""All built-in methods keep the contract, and each rule catches who breaks it, and only that."""

import sys

import numpy as np
import pytest
import torch

import methods
from bench.errors import BenchError, Declined
from methods.base import Inpainter, to_float
from methods.card import Card, SizeRule
from methods.conformance import check
from methods.conformance.rules import RULES
from methods.conformance.subject import Subject

RULE_NAMES = [rule.__name__ for rule in RULES]


class Honest(Inpainter):
    """Fill with the mean of the known pixels; the broken ones change one thing."""

    card = Card("mine", "Mine", "floor")

    def infer(self, images, masks, generator):
        known = (1 - masks).sum((2, 3), keepdim=True)
        mean = images.sum((2, 3), keepdim=True) / known
        return images + masks * mean


class Peeks(Honest):
    """Looks for the photo in the variables of whoever calls it."""

    def infer(self, images, masks, generator):
        frame = sys._getframe()
        while frame is not None and "photo" not in frame.f_locals:
            frame = frame.f_back
        photo = frame.f_locals["photo"] if frame else None
        return super().infer(images, masks, generator) if photo is None else to_float(photo[None])


class TakesOneForKnown(Honest):
    def infer(self, images, masks, generator):
        return super().infer(images * masks, 1 - masks, generator).nan_to_num()


class OddSides(Honest):
    def infer(self, images, masks, generator):
        if min(images.shape[-2:]) > 16 and images.shape[-1] % 16:
            raise RuntimeError("sizes of tensors must match")
        return super().infer(images, masks, generator)


class NeedsEight(Honest):
    def infer(self, images, masks, generator):
        if min(images.shape[-2:]) < 8:
            raise RuntimeError("kernel size cannot be greater than input")
        return super().infer(images, masks, generator)


class NeedsManyKnown(Honest):
    def infer(self, images, masks, generator):
        if (1 - masks).sum() < 2:
            raise IndexError("no patch to copy")
        return super().infer(images, masks, generator)


class NeedsContrast(Honest):
    def infer(self, images, masks, generator):
        filled = super().infer(images, masks, generator)
        spread = images.amax() - images[masks.expand_as(images) == 0].amin()
        return filled / spread * spread


class MixesBatch(Honest):
    def infer(self, images, masks, generator):
        return super().infer(images, masks, generator).lerp(images.mean(0, keepdim=True), 0.1)


class ExchangesColours(Honest):
    def infer(self, images, masks, generator):
        return super().infer(images, masks, generator).flip(1)


class ShiftsByOne(Honest):
    def infer(self, images, masks, generator):
        return super().infer(images, masks, generator).roll(1, 3)


class ClaimsChance(Honest):
    card = Card("mine", "Mine", "floor", stochastic=True)


class IgnoresDevice(Honest):
    def __init__(self, name="", *, device="cpu"):
        super().__init__(name)


class TooBright(Honest):
    def infer(self, images, masks, generator):
        return super().infer(images, masks, generator) + masks


class WritesInput(Honest):
    def infer(self, images, masks, generator):
        filled = super().infer(images, masks, generator)
        return images.copy_(filled)


class SeedsGlobally(Honest):
    def infer(self, images, masks, generator):
        torch.manual_seed(0)
        return super().infer(images, masks, generator) + 0.1 * masks * torch.rand(1)


class Unrepeatable(Honest):
    """Uses its own generator with fresh entropy: nothing can be compared."""

    def infer(self, images, masks, generator):
        shift = np.random.default_rng().uniform(0, 0.1)
        return super().infer(images, masks, generator) + masks * shift


class Remembers(Honest):
    """Keeps the last picture it saw and mixes it in, hole by hole."""

    last = None

    def infer(self, images, masks, generator):
        filled = super().infer(images, masks, generator)
        mixed = filled if self.last is None else filled.lerp(self.last, 0.1 * masks)
        self.last = images.clone()
        return mixed


BREAKERS = {
    "leak": Peeks,
    "polarity": TakesOneForKnown,
    "channel_order": ExchangesColours,
    "shift": ShiftsByOne,
    "odd_sizes": OddSides,
    "tiny": NeedsEight,
    "full_and_empty": NeedsManyKnown,
    "grey": NeedsContrast,
    "batch": MixesBatch,
    "determinism": ClaimsChance,
    "device": IgnoresDevice,
    "value_range": TooBright,
    "inputs_kept": WritesInput,
    "global_random": SeedsGlobally,
}


def failed(asked):
    return [result.rule for result in check(asked) if result.status == "failed"]


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(name, marks=pytest.mark.slow) if name in ("patchmatch", "shift_map") else name
        for name in (
            "telea", "navier_stokes", "biharmonic", "patchmatch", "shift_map", "mean", "noise",
            "original",
        )
    ],
)  # fmt: skip
def test_built_in_methods_keep_every_rule(name):
    results = check(name)
    assert [result.rule for result in results] == RULE_NAMES
    assert [result for result in results if result.status == "failed"] == []
    assert all(result.detail for result in results)
    skipped = [result.rule for result in results if result.status == "skipped"]
    assert skipped == (["leak"] if name == "original" else [])


def test_every_rule_has_a_method_that_breaks_it():
    assert list(BREAKERS) == RULE_NAMES


def test_the_honest_method_behind_the_broken_ones_passes():
    assert {result.status for result in check(Honest)} == {"passed"}


@pytest.mark.parametrize("rule", RULE_NAMES)
def test_a_method_that_breaks_one_rule_fails_that_rule_and_no_other(rule):
    assert failed(BREAKERS[rule]) == [rule]


def test_what_cannot_be_compared_is_skipped_not_passed():
    results = {result.rule: result.status for result in check(Unrepeatable)}
    assert results["determinism"] == "failed"
    assert {results[rule] for rule in ("leak", "batch", "global_random")} == {"skipped"}


def test_memory_of_earlier_cases_is_caught():
    assert "determinism" in failed(Remembers)


def test_a_hidden_use_of_global_random_numbers_is_caught():
    class Listens(Honest):
        def infer(self, images, masks, generator):
            with torch.random.fork_rng(devices=[]):  # puts the state back, yet depends on it
                noise = torch.rand(1)
            return super().infer(images, masks, generator) + 0.1 * masks * noise

    assert failed(Listens) == ["global_random"]


@pytest.mark.parametrize("draw", [np.random.rand, torch.rand])
def test_drawing_from_global_generators_is_caught(draw):
    class Draws(Honest):
        def infer(self, images, masks, generator):
            return super().infer(images, masks, generator) + 0.1 * masks * float(draw(1)[0])

    assert failed(Draws) == ["determinism"]  # as the state moves, no two calls agree


def test_the_caller_keeps_its_global_random_state():
    torch.manual_seed(5)
    before = torch.get_rng_state(), np.random.get_state()[1].copy()
    check(Honest)
    assert torch.equal(torch.get_rng_state(), before[0])
    assert np.array_equal(np.random.get_state()[1], before[1])


def test_a_refusal_is_declined_with_the_method_s_reason():
    class Choosy(Honest):
        def infer(self, images, masks, generator):
            raise Declined("only on Sundays")

    results = {result.rule: result for result in check(Choosy)}
    assert results["polarity"].status == results["tiny"].status == "declined"
    assert results["polarity"].detail == "only on Sundays"


def test_a_refusal_of_some_sizes_is_a_pass_that_says_so():
    class Choosy(Honest):
        card = Card("mine", "Mine", "floor", size=SizeRule(minimum=65))

    results = {result.rule: result for result in check(Choosy)}
    assert results["odd_sizes"].status == "passed"
    assert "1 of 2 filled; declined: takes sides of at least 65" in results["odd_sizes"].detail
    assert results["tiny"].status == "declined"


@pytest.mark.parametrize(
    ("rule", "side"),
    [
        (SizeRule(), 64),
        (SizeRule("fixed", side=96), 96),
        (SizeRule("multiple", of=8, minimum=100), 104),
    ],
)
def test_the_test_picture_has_a_size_that_the_method_takes(rule, side):
    class Sized(Honest):
        card = Card("mine", "Mine", "floor", size=rule)

    assert Subject(Sized).side == side


@pytest.mark.parametrize(
    ("rule", "change", "words"),
    [
        ("channel_order", lambda out, images, masks: images + masks * out.flip(1), "as BGR"),
        ("shift", lambda out, images, masks: out.flip(3), "mirrored"),
        ("value_range", lambda out, images, masks: images + masks * (2 * out - 1), "-1 to 1"),
        ("value_range", lambda out, images, masks: 255 * out, "0 to 255"),
        ("value_range", lambda out, images, masks: 1 - out, "1 to 0"),
    ],
)
def test_what_is_wrong_with_an_output_is_told_also_where_only_the_hole_tells(rule, change, words):
    class Paints(Honest):
        def infer(self, images, masks, generator):
            coloured = images.sum((2, 3), keepdim=True) / (1 - masks).sum((2, 3), keepdim=True)
            lines = torch.linspace(-0.05, 0.05, images.shape[-1])
            return change(images + masks * (coloured + lines), images, masks)

    results = {result.rule: result for result in check(Paints)}
    assert [name for name, each in results.items() if each.status == "failed"] == [rule]
    assert words in results[rule].detail


def test_a_method_is_told_of_a_case_before_each_fill():
    class NeedsACase(Honest):
        case = None

        def begin(self, case):
            self.case = case

        def infer(self, images, masks, generator):
            assert self.case.size != (0, 0)
            return super().infer(images, masks, generator)

    assert failed(NeedsACase) == []


def test_a_method_of_one_picture_at_a_time_is_none_that_fails():
    class OfOne(Honest):
        def infer(self, images, masks, generator):
            (image,) = images
            return super().infer(image[None], masks, generator)

    class FirstOnly(Honest):
        def infer(self, images, masks, generator):
            return super().infer(images[:1], masks[:1], generator)

    for method in (OfOne, FirstOnly):
        batch = next(result for result in check(method) if result.rule == "batch")
        assert batch.status == "declined"
        assert "takes one picture at a time" in batch.detail
        assert failed(method) == []


def test_arguments_are_given_by_place_as_in_a_run():
    class Renamed(Honest):
        def infer(self, pictures, holes, rng):
            return super().infer(pictures, holes, rng)

    assert failed(Renamed) == []


def test_outputs_made_elsewhere_cannot_be_checked(tmp_path):
    with pytest.raises(BenchError, match="made elsewhere cannot be checked"):
        check(f"theirs=folder:{tmp_path}")


def test_a_method_is_checked_by_name_as_by_class():
    assert check("mean") == check(type(methods.get("mean")))
