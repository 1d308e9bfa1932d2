"""Size rules: what becomes of a photo and its hole."""

import numpy as np

from bench.planning.geometry import Geometry


def test_the_evaluated_picture_is_the_centre_square_of_the_given_side():
    wide = np.zeros((50, 200, 3), np.uint8)
    wide[:, 75:125] = 255
    assert Geometry.asked(25).photo(wide).shape == (25, 25, 3)
    assert (Geometry.asked("50").photo(wide) == 255).all()
    assert Geometry.asked("native").photo(wide) is wide


def test_masks_stay_binary_and_follow_their_photo():
    mask = np.zeros((100, 60), bool)
    mask[40:60, 20:40] = True
    small = Geometry.asked(30).mask(mask)
    assert small.dtype == np.bool_
    assert small.shape == (30, 30)
    assert small[10:20, 10:20].all()
    assert small.sum() == 100
