from dataclasses import asdict

import numpy as np
import pytest
from PIL import Image

from bench.folder.store import RunFolder
from bench.planning import plan as planning
from bench.planning.case_keys import case_keys
from bench.planning.protocol import Protocol
from methods.case_key import CaseKey


@pytest.fixture
def given(tmp_path):
    """Two photos of 50 x 40 pixels; of three masks one is empty."""
    pick = np.random.default_rng(0)
    hole = np.zeros((40, 50), bool)
    hole[10:20, 10:20] = True
    for folder in ("photos/x", "masks/x"):
        (tmp_path / folder).mkdir(parents=True)
    for name in ("a.jpg", "x/b.png"):
        Image.fromarray(pick.integers(0, 256, (40, 50, 3), np.uint8)).save(
            tmp_path / "photos" / name
        )
    for name, mask in {"a": hole, "x/b_mask000": hole & False, "x/b_mask001": hole}.items():
        Image.fromarray(mask).save(tmp_path / "masks" / f"{name}.png")
    return tmp_path


def told(given, samples=1, **asked) -> list[CaseKey]:
    protocol = Protocol(str(given / "photos"), **asked)
    plan, inputs = planning.make(protocol, RunFolder(given / "out"))
    return case_keys(plan, inputs, asdict(protocol), str(protocol.geometry), samples)


def test_cases_with_a_hole_tell_their_mask_and_size(given):
    rule = "short-32-centre, photo 50x40 before"
    assert told(given, masks=str(given / "masks"), size=32) == [
        CaseKey("a.jpg", "small", 0, 0, "a.png", (32, 32), rule),
        CaseKey("x/b.png", "small", 0, 0, "x/b_mask001.png", (32, 32), rule),
    ]


def test_a_photo_that_was_not_brought_to_a_size_tells_the_rule_alone(given):
    found = told(given, samples=2, size=None, tiers=("large",))
    assert found == [
        CaseKey(photo, "large", 0, sample, "", (40, 50), "native")
        for photo in ("a.jpg", "x/b.png")
        for sample in (0, 1)
    ]


def test_one_mask_for_all_photos_is_named_alike(given):
    found = told(given, masks=str(given / "masks" / "a.png"), size=32)
    assert [key.mask for key in found] == ["a.png", "a.png"]
