"""Which photo gets which mask, truth, prompt and tier where a published protocol is followed."""

import csv
import json
import shutil
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.errors import BenchError, InputError
from bench.folder.store import RunFolder
from bench.planning import fingerprints, plan
from bench.planning.layouts import READERS, TOGETHER, laid_out
from bench.planning.protocol import Protocol
from bench.protocols.read import catalogue, get
from bench.protocols.record import Data, Holes
from masks import files
from masks.mask_file import MaskFile
from tests.support import protocol_folders as folders


def laid(name, folder, count=2):
    published = get(name)
    folders.write(published, folder, count)
    return laid_out(published, folder)


def planned(name, folder, **more):
    """The plan's rows, and what is said of the files."""
    protocol = Protocol.asked(str(folder), None, published=name, **more)
    return plan.make(protocol, RunFolder(folder / "run"), write=False)


def test_every_protocol_has_a_layout_that_gives_every_case_its_tier(tmp_path):
    for name, published in catalogue().items():
        for each in laid(name, tmp_path / name, 1).photos:
            assert len(each.tiers) == (1 if each.masks is None else len(each.masks)), name
            assert (each.masks is None) == bool(published.holes.generator), name
            assert (each.truth_path is not None) == (published.task == "removal"), name
        shutil.rmtree(tmp_path / name)


def test_places_are_those_of_code_points(tmp_path):
    """Where 10 comes before 2, and capitals before small letters, as authors' programs sort."""
    published = get("mat-places-512-small")
    photos, masks = (
        ("b/10.jpg", "b/2.jpg", "a.jpg", "Z.jpg"),
        ("m10.png", "m2.png", "M.png", "é.png"),
    )
    published = replace(published, data=Data("folders", "images/**/*", "masks/*.png"))
    for name in (*(f"images/{each}" for each in photos), *(f"masks/{each}" for each in masks)):
        folders.save(tmp_path / name, folders.photo(0))
    pairs = [(each.name, each.masks[0].path.name) for each in laid_out(published, tmp_path).photos]
    assert pairs == [
        ("images/Z.jpg", "M.png"), ("images/a.jpg", "m10.png"), ("images/b/10.jpg", "m2.png"),
        ("images/b/2.jpg", "é.png"),
    ]  # fmt: skip


def test_a_shift_is_refused_and_not_run(tmp_path):
    folders.write(get("mat-places-512-large"), tmp_path, 3)
    (tmp_path / "images/00000.jpg").unlink()
    with pytest.raises(InputError, match="found 2 photos and 3 masks"):
        planned("mat-places-512-large", tmp_path)


def test_masks_may_lie_elsewhere_unless_they_lie_with_the_photos(tmp_path):
    for name in ("mat-places-512-small", "misato-512", "zits-places", "nvidia-irregular"):
        published, here, there = get(name), tmp_path / name, tmp_path / f"{name} masks"
        before = laid(name, here)
        shutil.move(here / published.data.masks.partition("/")[0], there)
        after = laid_out(published, here, there)
        assert [[mask.path.name for mask in each.masks] for each in after.photos] == [
            [mask.path.name for mask in each.masks] for each in before.photos
        ]
    for name in ("lama-prepared", "hdpainter-coco", "brushbench-inside"):
        assert get(name).data.reader in TOGETHER
        laid(name, tmp_path / name)
        with pytest.raises(BenchError, match="leave --masks out"):
            laid_out(get(name), tmp_path / name, tmp_path)
    with pytest.raises(BenchError, match="generated holes"):
        Protocol.asked(str(tmp_path), str(tmp_path), published="lama-places-256-thin")


def test_several_masks_of_a_photo_are_cases_of_their_own(tmp_path):
    folders.write(get("lama-prepared"), tmp_path)
    folders.save(tmp_path / "000000_mask001.png", folders.hole(5, share=0.3))
    folders.save(tmp_path / "a_mask_of_gold.png", folders.photo(1))  # a photo of that name
    folders.save(tmp_path / "a_mask_of_gold_mask000.png", folders.hole(5))
    rows, _ = planned("lama-prepared", tmp_path)
    assert rows["photo"].value_counts().to_dict() == {
        "000000.png": 2, "000001.png": 1, "a_mask_of_gold.png": 1,
    }  # fmt: skip
    assert {*rows["tier"]} == {"lama-prepared"}


def test_any_level_but_black_is_hole_to_lama(tmp_path):
    folders.write(get("lama-prepared"), tmp_path, 1)
    faint = folders.hole(0).astype(np.uint8) * 3
    Image.fromarray(faint).save(tmp_path / "000000_mask000.png")
    rows, _ = planned("lama-prepared", tmp_path)
    assert rows["hole_share"].tolist() == [(faint > 0).mean()]


@pytest.mark.parametrize(
    "name", ["mat-celebahq-512-small", "migan-places-256", "repaint-places-256-thin"]
)
def test_black_is_hole_where_masks_say_what_is_kept(name, tmp_path):
    folders.write(get(name), tmp_path, 1)
    rows, _ = planned(name, tmp_path)
    assert 0.08 < rows["hole_share"].item() < 0.12


def test_the_list_says_which_and_in_which_order(tmp_path):
    assert [each.name for each in laid("lama-celebahq-256-thin", tmp_path, 3).photos] == [
        f"data256x256/{number:05}.jpg" for number in (2, 1, 0)
    ]
    (tmp_path / "val_shuffled.flist").write_text("somewhere/else/00001.jpg\n\n")
    found = laid_out(get("lama-celebahq-256-thin"), tmp_path)
    assert [each.name for each in found.photos] == ["data256x256/00001.jpg"]


def test_a_listed_photo_that_is_not_there_shifts_no_other(tmp_path):
    before = {each.name: each.masks for each in laid("zits-places", tmp_path, 6).photos}
    assert len({*before.values()}) == 3
    (tmp_path / "images/00004.jpg").unlink()
    found = laid_out(get("zits-places"), tmp_path)
    del before["images/00004.jpg"]
    assert {each.name: each.masks for each in found.photos} == before
    assert found.lost == [("00004", "photo", "listed in places_val.txt, and not there")]


def test_each_bin_gives_each_photo_a_mask_of_its_share(tmp_path):
    folders.write(get("nvidia-irregular"), tmp_path, 3)
    rows, _ = planned("nvidia-irregular", tmp_path)
    assert len(rows) == 18
    for tier, share in zip(rows["tier"], rows["hole_share"], strict=True):
        low, high = map(float, tier.split("-"))
        assert low <= share <= high
    again, _ = planned("nvidia-irregular", tmp_path)
    assert again.equals(rows)


def test_the_number_tells_the_category(tmp_path):
    for number in (0, 499, 500, 1499, 1500, 1999):
        for kind, pixels in (("image", folders.photo(0)), ("mask", folders.hole(0))):
            folders.save(tmp_path / f"{kind}/{number:04}.png", pixels)
    groups = [each.group for each in laid_out(get("misato-512"), tmp_path).photos]
    assert groups == ["landscape", "landscape", "indoor", "building", "background", "background"]
    assert {each.group for each in laid_out(get("misato-1k"), tmp_path).photos} == {""}


def test_fills_of_removal_are_held_against_the_picture_without_the_object(tmp_path):
    folders.write(get("removalbench"), tmp_path)
    rows, inputs = planned("removalbench", tmp_path)
    assert (rows["truth"] != "").all()
    assert (rows["truth"] != rows["photo_sha"]).all()
    assert inputs["kind"].value_counts().to_dict() == {"photo": 2, "mask": 2, "truth": 2}


SIDE = 12


@given(st.lists(st.booleans(), min_size=SIDE * SIDE, max_size=SIDE * SIDE).filter(any))
@settings(max_examples=30, deadline=None)
def test_run_lengths_count_from_one_row_by_row(tmp_path_factory, pixels):
    hole = np.reshape(pixels, (SIDE, SIDE))
    path = tmp_path_factory.mktemp("brushbench") / "mapping_file.json"
    pairs = folders.run_lengths(hole)
    record = {
        "image": "a.jpg",
        "inpainting_mask": pairs,
        "outpainting_mask": " ".join(map(str, pairs)),
    }
    path.write_text(json.dumps({"0": record}))
    for label in ("inpainting_mask", "outpainting_mask"):
        rules = files.Rules(labels=(label,))
        read = files.read(MaskFile(path, "a.jpg"), rules, (SIDE, SIDE)).mask
        assert (read == hole).all()


def test_inside_and_outside_are_two_masks_of_one_picture(tmp_path):
    folders.write(get("brushbench-inside"), tmp_path)
    inside, outside = (planned(f"brushbench-{side}", tmp_path)[0] for side in ("inside", "outside"))
    assert (inside["hole_share"] + outside["hole_share"] == 1).all()
    assert inside["prompt"].tolist() == ["astronaut 0", "astronaut 1"]
    assert inside["photo"].tolist() == outside["photo"].tolist()


def test_a_segment_is_its_convex_hull_and_its_class_the_prompt(tmp_path):
    folders.write(get("hdpainter-coco"), tmp_path)
    rows, _ = planned("hdpainter-coco", tmp_path)
    assert rows["prompt"].tolist() == ["dog", "cat"] * 2
    # A square of 20 x 20 with a notch, which the hull closes.
    assert rows["hole_share"].tolist() == pytest.approx([20 * 20 / (72 * 64)] * 4, rel=0.02)


def test_rows_count_images_and_segments_from_zero_in_the_order_of_the_file(tmp_path):
    folders.write(get("hdpainter-coco"), tmp_path, 3)
    with (tmp_path / "mscoco_testset_10000.csv").open("w", newline="") as file:
        csv.writer(file).writerows((("image_idx", "segment_idx"), (2, 1), (0, 0)))
    rows, _ = planned("hdpainter-coco", tmp_path)
    assert rows["photo"].tolist() == ["val2017/000000000002.jpg", "val2017/000000000000.jpg"]
    assert rows["prompt"].tolist() == ["cat", "dog"]


@pytest.mark.parametrize("name", ["../secret.jpg", "/etc/hostname", "a/../../secret.jpg", "\0.jpg"])
def test_a_list_names_nothing_outside_of_the_folder(name, tmp_path):
    folder = tmp_path / "data"
    folders.write(get("brushbench-inside"), folder)
    folders.save(tmp_path / "secret.jpg", folders.photo(0))
    path = folder / "mapping_file.json"
    records = json.loads(path.read_text())
    records["1"]["image"] = name
    path.write_text(json.dumps(records))
    found = laid_out(get("brushbench-inside"), folder)
    assert [each.name for each in found.photos] == ["images/000000000.jpg"]
    assert found.lost[0][1] == "photo"


@pytest.mark.parametrize("reader", READERS)
def test_an_empty_folder_is_refused_in_words(reader, tmp_path):
    published = next(each for each in catalogue().values() if each.data.reader == reader)
    with pytest.raises(InputError, match="expected"):
        laid_out(published, tmp_path)


DECIDED = {
    "size": "native", "tiers": ["small"], "draws": 7, "pairing": "order", "seed": 7,
    "invert_masks": True, "mask_threshold": 7, "truth": "unknown", "pairs": "a.csv",
    "clusters": "folder", "groups": "folder", "prompt": "a cat", "mask_labels": ("cat",),
}  # fmt: skip


@pytest.mark.parametrize("option", DECIDED)
def test_what_a_protocol_decides_is_refused(option, tmp_path):
    with pytest.raises(BenchError, match=f"--{option.replace('_', '-')}: .* leave --"):
        Protocol.asked(str(tmp_path), None, published="misato-512", **{option: DECIDED[option]})


def test_a_plan_holds_until_a_file_or_the_layout_changes(tmp_path, monkeypatch):
    folders.write(get("zits-places"), tmp_path)
    protocol = Protocol.asked(str(tmp_path), None, published="zits-places")
    keys = [fingerprints.inputs_key(protocol), fingerprints.inputs_key(protocol)]
    other = replace(get("zits-places"), holes=Holes(pairing="pool", threshold=1))
    with monkeypatch.context() as patched:
        patched.setattr(fingerprints.protocols, "get", lambda _: other)
        keys.append(fingerprints.inputs_key(protocol))
    (tmp_path / "places_val.txt").write_text("00001.jpg\n")
    keys.append(fingerprints.inputs_key(protocol))
    assert keys[0] == keys[1]
    assert len({*keys}) == 3
