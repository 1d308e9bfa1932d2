"""Filling and measuring one picture gives what a run gives."""

import math

import numpy as np
import pytest

import inpaint_bench as ib
from methods.conformance.subject import scene
from tests.inpaint_bench.own_method import Grey

PHOTO, HOLE = scene(64, 64)


def test_known_pixels_are_those_of_the_photo():
    filled = ib.fill(PHOTO, HOLE)
    assert filled.dtype == np.uint8
    assert np.array_equal(filled[~HOLE], PHOTO[~HOLE])
    assert not np.array_equal(filled[HOLE], PHOTO[HOLE])


def test_what_lies_under_the_hole_makes_no_difference():
    other = np.where(HOLE[..., None], np.uint8(0), PHOTO)
    assert np.array_equal(ib.fill(PHOTO, HOLE), ib.fill(other, HOLE))


def test_the_seed_decides_a_stochastic_fill():
    one, again, other = (ib.fill(PHOTO, HOLE, "noise", seed=seed) for seed in (1, 1, 2))
    assert np.array_equal(one, again)
    assert not np.array_equal(one, other)


def test_a_method_is_a_name_a_class_or_an_instance():
    instance = Grey()
    named = "grey=tests.inpaint_bench.own_method:Grey"
    fills = [ib.fill(PHOTO, HOLE, each) for each in (named, Grey, instance, ib.load(Grey))]
    assert all((each[HOLE] == 128).all() for each in fills)
    ib.fill(PHOTO, HOLE, instance)
    assert instance.loads == 1


@pytest.mark.parametrize("method", [3, int, Grey.infer])
def test_what_is_no_method_is_refused(method):
    with pytest.raises(ib.BenchError, match=r"inherits from inpaint_bench\.Inpainter"):
        ib.fill(PHOTO, HOLE, method)


def test_a_class_without_a_card_is_refused():
    class Bare(ib.Inpainter):
        pass

    with pytest.raises(ib.BenchError, match="Bare: expected a card"):
        ib.fill(PHOTO, HOLE, Bare)


def test_unknown_names_are_refused_with_a_hint():
    with pytest.raises(ib.BenchError, match="Did you mean telea"):
        ib.fill(PHOTO, HOLE, "telaea")
    with pytest.raises(ib.BenchError, match=r"(?i)did you mean psnr_db"):
        ib.measure(PHOTO, PHOTO, HOLE, ["psnr"])
    assert list(ib.measure(PHOTO, PHOTO, HOLE, ["PSNR_dB"])) == ["psnr_db"]


def test_a_hole_without_a_known_pixel_is_declined():
    with pytest.raises(ib.Declined, match="no known pixel"):
        ib.fill(PHOTO, np.ones((64, 64), bool))


def test_usual_metrics_come_without_a_download_and_not_of_sets():
    found = ib.measure(ib.fill(PHOTO, HOLE), PHOTO, HOLE)
    table = ib.metrics()
    assert {"psnr_db", "ssim_hole", "seam"} <= set(found)
    assert set(table.loc[list(found), "scope"]) == {"case"}
    assert "lpips" in found or "lpips_untrained" in found
    # Pasted back, and too small for five scales.
    assert {name for name, value in found.items() if math.isnan(value)} == {"drift", "ms_ssim"}


def test_drift_is_of_what_the_method_returned():
    class Drifts(Grey):
        card = ib.Card("drifts", "Drifts", "other")

        def infer(self, images, masks, generator):
            return images * 0.5 + masks * 0.2

    names = ["l1", "drift"]
    known = ib.measure(ib.fill_details(PHOTO, HOLE, Drifts), PHOTO, HOLE, names)
    pasted = ib.measure(ib.fill(PHOTO, HOLE, Drifts), PHOTO, HOLE, names)
    raw = ib.measure(np.where(HOLE[..., None], np.uint8(51), PHOTO // 2), PHOTO, HOLE, names)
    assert known["drift"] > 0
    assert math.isnan(pasted["drift"])
    assert raw["drift"] == pytest.approx(known["drift"], rel=0.02)
    assert known["l1"] == pasted["l1"] == raw["l1"]


def test_drift_counts_what_lies_beyond_black_and_white():
    class Bright(Grey):
        card = ib.Card("bright", "Bright", "other")

        def infer(self, images, masks, generator):
            return images + 2

    found = ib.measure(ib.fill_details(PHOTO, HOLE, Bright), PHOTO, HOLE, ["drift"])
    assert found["drift"] == pytest.approx(2)


def test_metrics_of_sets_are_refused_before_their_weights_are_looked_for():
    with pytest.raises(ib.BenchError, match="fid: of whole sets"):
        ib.measure(PHOTO, PHOTO, HOLE, ["psnr_db", "fid"])


def test_one_name_is_a_list_of_one():
    assert ib.measure(PHOTO, PHOTO, HOLE, "l1") == {"l1": 0}


def test_another_size_is_refused():
    with pytest.raises(ib.InputError, match=r"output: expected \(64, 64, 3\) as the photo"):
        ib.measure(PHOTO[:-1], PHOTO, HOLE)
    with pytest.raises(ib.InputError, match="never stretched"):
        ib.fill(PHOTO[:-1], HOLE)
