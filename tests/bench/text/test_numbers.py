"""Numbers and names as a reader sees them."""

from __future__ import annotations

import numpy as np
import pytest

from bench.text import numbers
from tests.support.sample_run import HOSTILE_NAMES


def test_signed_numbers_have_a_plus_only_above_zero_as_shown():
    found = [numbers.signed(v, 2) for v in (0.123, -0.5, 0.001, 0.0, np.inf, np.nan)]
    assert found == ["+0.12", "\N{MINUS SIGN}0.50", "0.00", "0.00", "+\N{INFINITY}", "\N{EN DASH}"]


def test_names_break_where_their_parts_end():
    assert numbers.pieces("animals/animals_01 .png") == ["animals/", "animals_", "01 .", "png"]
    for name in (*HOSTILE_NAMES, "", "...", "a\\b"):
        assert "".join(numbers.pieces(name)) == name


def test_numbers_without_interval_have_four_digits():
    found = [numbers.four_digits(v) for v in ([0.5], [3.1, 2.0], [114.65, 3.1], [1e6], [])]
    assert found == [4, 3, 1, 0, 4]


@pytest.mark.parametrize(
    ("half_widths", "unit", "decimals"),
    [
        ([0.0123], "", 3), ([0.99], "", 2), ([1.2], "dB", 1), ([24.0], "dB", 0),
        ([float("nan"), 0.0], "", 4), ([], "dB", 2), ([1e-12], "", 6),
    ],
)  # fmt: skip
def test_two_digits_of_the_half_width_decide_the_decimals(half_widths, unit, decimals):
    assert numbers.decimals_for(half_widths, unit=unit) == decimals


def test_numbers_have_a_true_minus_and_no_negative_zero():
    assert numbers.number(-1.25, 1) == "\N{MINUS SIGN}1.2"
    assert numbers.number(-0.0001, 2) == "0.00"
    assert numbers.number(float("nan"), 2) == "\N{EN DASH}"
    assert numbers.number(float("inf"), 2) == "\N{INFINITY}"
