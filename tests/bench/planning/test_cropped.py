"""Plans of ``--size crop:N``: each photo is a square of it around its hole."""

import json

import numpy as np
import pytest
from PIL import Image
from skimage import data

from bench.errors import InputError
from bench.folder.store import RunFolder
from bench.planning import plan
from bench.planning.images import content_hash
from bench.planning.protocol import Protocol
from bench.run.request import Request
from bench.run.runner import run

SIZES = {"wide.png": (90, 60), "tall.png": (50, 110), "square.png": (48, 48)}


@pytest.fixture
def photos(tmp_path):
    folder = tmp_path / "photos"
    folder.mkdir()
    for number, (name, size) in enumerate(SIZES.items()):
        Image.fromarray(data.astronaut()[40 * number :]).resize(size).save(folder / name)
    return folder


def asked(photos, **changes):
    return Protocol(
        **{"photos": str(photos), "size": "crop:48", "tiers": ("lama-thick",), **changes}
    )


def test_a_square_of_the_scaled_photo_is_evaluated_and_kept(photos, tmp_path):
    store = RunFolder(tmp_path / "run")
    rows, _ = plan.make(asked(photos), store)
    assert {*rows["photo"]} == {*SIZES}
    for row in rows.to_dict("records"):
        width, height = SIZES[row["photo"]]
        scaled = Image.open(photos / row["photo"], formats=["PNG"]).resize(
            (max(round(width * 48 / min(width, height)), 48),
             max(round(height * 48 / min(width, height)), 48)), Image.Resampling.BICUBIC,
        )  # fmt: skip
        drawn = json.loads(row["parameters"])
        left, top = drawn["left"], drawn["top"]
        expected = np.array(scaled.crop((left, top, left + 48, top + 48)))
        kept = store.read_picture(f"photos/{row['photo_sha']}.png")
        assert np.array_equal(kept, expected)
        assert content_hash(expected) == row["photo_sha"]
        hole = store.read_picture(f"masks/{row['mask_sha']}.png")
        assert hole.shape == (48, 48) == (row["height"], row["width"])
        assert 0 < row["hole_share"] == hole.mean() <= 0.5
    assert {path.stem for path in (store.path / "photos").glob("*")} == {*rows["photo_sha"]}


def test_another_seed_cuts_elsewhere_and_names_change_nothing(photos, tmp_path):
    def shas(**changes):
        rows = plan.make(asked(photos, **changes), RunFolder(tmp_path / "run"), write=False)[0]
        return {*rows["photo_sha"]}

    before = shas()
    assert len(before & shas(seed=1)) <= 1  # the square one has no other place
    (photos / "wide.png").rename(photos / "a.png")
    assert shas() == before


def test_a_run_goes_on_with_more_photos(photos, tmp_path):
    def started(limit=None):
        protocol = asked(photos, limit=limit)
        run(Request(tmp_path / "run", protocol, ("mean",), ("l1_hole",), executor="inline"))
        rows = RunFolder(tmp_path / "run").read_table("cases.parquet")
        return {(row.photo, row.method): row.output_sha for row in rows.itertuples()}

    (photos / "tall.png").rename(tmp_path / "tall.png")
    before = started()
    (tmp_path / "tall.png").rename(photos / "tall.png")
    after = started()
    assert len(before) == 4  # fills of the method and the ceiling
    assert len(after) == 6
    assert before.items() <= after.items()


@pytest.mark.parametrize(
    "changes",
    [{"tiers": ("small",)}, {"tiers": ("lama-thin", "lama-thick")}, {"draws": 2}, {"masks": "m"}],
)
def test_what_gives_a_photo_no_part_or_several_is_refused(photos, changes):
    with pytest.raises(InputError, match=r"--size crop:48: a photo has one part, .*lama-thin, "):
        asked(photos, **changes)
