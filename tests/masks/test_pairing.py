import json
import unicodedata

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from bench.errors import InputError
from masks.files import MaskFile
from masks.listing import drawn, find_masks, in_order, natural
from masks.pairing import pair
from tests.support.annotation_files import coco
from tests.support.labelme import SQUARE, annotate
from tests.support.mask_files import read_mask

WHITE = np.full((10, 14), 255, np.uint8)
RING = {"segmentation": [[10, 10, 20, 10, 20, 20]], "category_id": 1}


def lay(folder, *names, value=255):
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        Image.fromarray(np.full((10, 14), value, np.uint8)).save(path, "PNG")
    return folder


@pytest.fixture
def masks(tmp_path):
    (tmp_path / "masks").mkdir()
    return tmp_path / "masks"


def pairs(photos, masks, home=None):
    """Names of the masks of each photo, with what else the pairing says."""
    found = pair(photos, home or masks.parent / "photos", masks)
    return {
        photo: [file.path.relative_to(masks).as_posix() for file in files]
        for photo, files in found.masks.items()
    }, found


def refused(found):
    return {file.path.name: reason for file, reason in found.unused.items()}


def test_masks_pair_with_photos_by_name(masks):
    lay(masks, "a/b.png", "c_mask.PNG", "d-mask.png", "e_mask001.png", "e_mask000.png",
        "e_mask010.png", "f_crop000_mask000.png", "stray.png")  # fmt: skip
    photos = ["a/b.jpg", "c.png", "d.JPG", "e.jpg", "f_crop000.png", "b.jpg", "g.png"]
    names, found = pairs(photos, masks)
    assert names == {
        "a/b.jpg": ["a/b.png"],
        "c.png": ["c_mask.PNG"],
        "d.JPG": ["d-mask.png"],
        "e.jpg": ["e_mask000.png", "e_mask001.png", "e_mask010.png"],
        "f_crop000.png": ["f_crop000_mask000.png"],
    }
    assert list(found.missing) == ["b.jpg", "g.png"]
    assert refused(found) == {"stray.png": "no photo has the name of this mask"}
    assert found.notes == {}


@pytest.mark.parametrize(
    ("mask", "noted"),
    [
        ("DSC_01.png", False),
        ("DSC_01.JPG.png", False),
        ("DSC_01.JPG_mask.png", False),
        ("DSC_01_mask_1.png", False),
        ("DSC_01 mask.png", False),
        ("DSC_01.mask.png", False),
        ("DSC_01_MASK.PNG", False),
        ("DSC_01-mask-2.png", False),
        ("dsc_01.png", True),
        ("mask_DSC_01.png", True),
        ("Mask-dsc_01.png", True),
    ],
)
def test_usual_names_are_known_and_unusual_ones_noted(masks, mask, noted):
    names, found = pairs(["DSC_01.JPG"], lay(masks, mask))
    assert names == {"DSC_01.JPG": [mask]}
    assert [*found.notes.values()] == ["taken for a mask of photo 'DSC_01.JPG'"] * noted


@pytest.mark.parametrize("mask", ["DSC_01_m.png", "DSC_01_msk_3.png", "DSC01.png", "DSC-1.png"])
def test_a_similar_name_is_asked_after_and_not_taken(masks, mask):
    names, found = pairs(["DSC_01.JPG", "DSC_02.JPG"], lay(masks, mask))
    assert names == {}
    assert found.missing["DSC_01.JPG"].endswith(f"; did you mean '{mask}'?")
    assert "did you mean" not in found.missing["DSC_02.JPG"]
    assert all(why.startswith("no mask in ") for why in found.missing.values())


def test_the_naming_rule_is_told_once(masks):
    _, found = pairs(["one.jpg", "two.jpg"], masks)
    assert "expected 'one.png', 'one_mask.png', 'one_mask000.png'" in found.missing["one.jpg"]
    assert found.missing["two.jpg"].endswith("is named after this photo")


def test_a_photo_has_the_mask_of_its_own_name_before_a_marked_one(masks):
    lay(masks, "face.png", "face_mask.png")
    names, found = pairs(["face.png", "face_mask.png"], masks)
    assert names == {"face.png": ["face.png"], "face_mask.png": ["face_mask.png"]}
    assert found.unused == {}
    lay(masks.parent / "photos", "face.png", value=9)
    names, found = pairs(["face.png"], masks)
    assert names == {"face.png": ["face.png"]}
    assert "photo 'face.png' has" in refused(found)["face_mask.png"]


def test_a_copy_of_the_photo_is_no_mask_where_there_is_another(masks):
    lay(masks.parent / "photos", "face.png", value=9)
    lay(masks, "face.png", value=9)
    lay(masks, "face_mask.png")
    names, _ = pairs(["face.png"], masks)
    assert names == {"face.png": ["face_mask.png"]}


def test_a_mask_that_fits_two_photos_is_refused_with_both_names(masks):
    lay(masks, "a.png", "b.png")
    names, found = pairs(["a.jpg", "a.png", "b.jpg"], masks)
    assert names == {"b.jpg": ["b.png"]}
    assert refused(found) == {
        "a.png": "'a.png' fits photos 'a.jpg' and 'a.png' alike; name it 'a.jpg.png' or 'a.png.png'"
    }
    assert found.missing["a.jpg"].endswith("; 'a.png' fits photos 'a.jpg' and 'a.png' alike")
    lay(masks, "a.jpg.png", "a.png.png")
    names, _ = pairs(["a.jpg", "a.png"], masks)
    assert names == {"a.jpg": ["a.jpg.png"], "a.png": ["a.png.png"]}


def test_suffixes_decide_where_each_photo_has_a_mask_of_its_whole_name(masks):
    lay(masks, "a.png", "a.jpg")
    names, _ = pairs(["a.jpg", "a.png"], masks)
    assert names == {"a.jpg": ["a.jpg"], "a.png": ["a.png"]}


def test_capitals_decide_where_they_differ(masks):
    lay(masks, "a.png", "A.png")
    names, found = pairs(["a.jpg", "A.jpg"], masks)
    assert names == {"a.jpg": ["a.png"], "A.jpg": ["A.png"]}
    assert found.notes == {}
    lay(masks, "b.png")
    assert (
        "fits photos 'B.JPG' and 'B.jpg' alike"
        in refused(pairs(["B.JPG", "B.jpg"], masks)[1])["b.png"]
    )


@given(st.text(st.characters(categories=["L", "M", "N"], codec="utf-8"), min_size=1, max_size=8))
@settings(max_examples=60, deadline=None)
def test_composed_and_decomposed_letters_are_the_same(tmp_path_factory, text):
    folder = tmp_path_factory.mktemp("names")
    nfc, nfd = (unicodedata.normalize(form, text) for form in ("NFC", "NFD"))
    for photo, mask in ((nfc, nfd), (nfd, nfc)):
        lay(folder / "masks", f"{mask}_mask0.png")
        found = pair([f"{photo}.jpg"], folder / "photos", folder / "masks")
        assert list(found.masks) == [f"{photo}.jpg"]
        assert found.notes == {}
        (folder / "masks" / f"{mask}_mask0.png").unlink()


NAMES = st.sampled_from(["a", "A", "a_mask", "a_mask1", "mask_a", "a.jpg", "b", "d/a", "d/a-mask"])


@given(
    st.lists(st.tuples(NAMES, st.sampled_from([".jpg", ".png"])), max_size=5, unique=True),
    st.lists(NAMES, max_size=6, unique=True),
)
@settings(max_examples=150, deadline=None)
def test_each_file_is_told_of_once(tmp_path_factory, photos, masks):
    folder = tmp_path_factory.mktemp("pairs")
    lay(folder / "masks", *(f"{name}.png" for name in masks), ".keep.png")
    lay(folder / "photos", *(ids := ["".join(parts) for parts in photos]), value=9)
    found = pair(ids, folder / "photos", folder / "masks")
    used = [file for files in found.masks.values() for file in files]
    assert sorted([*used, *found.unused], key=str) == sorted(
        (MaskFile(folder / "masks" / f"{name}.png") for name in masks), key=str
    )
    assert sorted([*found.masks, *found.missing]) == sorted(ids)
    for photo in ids:  # nothing keeps a photo from a mask of just its name
        alike = [other for other in ids if other.rsplit(".", 1)[0] == photo.rsplit(".", 1)[0]]
        if photo.rsplit(".", 1)[0] in masks and alike == [photo]:
            assert photo in found.masks


def test_photos_and_masks_may_share_a_folder(masks):
    lay(masks, "x.png", "x_mask.png", "x_mask_mask.png", "lonely.png")
    photos = ["lonely.png", "x.png", "x_mask.png", "x_mask_mask.png"]
    names, found = pairs(photos, masks, home=masks)
    assert names == {"x.png": ["x_mask.png"], "x_mask.png": ["x_mask_mask.png"]}
    assert found.unused == {}
    assert list(found.missing) == ["lonely.png"]


def test_photos_that_share_a_folder_and_a_name_are_not_each_others_masks(masks):
    photos = ["a.jpg", "a.png", "b.png", "B.png", "c.png", "sub/c.png"]
    lay(masks, *photos)
    names, found = pairs(photos, masks, home=masks)
    assert (names, found.unused) == ({}, {})
    assert list(found.missing) == photos
    names, _ = pairs(photos, masks / "sub", home=masks)
    assert names == {"c.png": ["c.png"]}


def test_hidden_files_and_other_types_are_no_masks(masks):
    for name in (".hidden.png", "._a.png", "Thumbs.db", "notes.txt", "table.csv", ".cache/b.png"):
        (masks / name).parent.mkdir(exist_ok=True)
        (masks / name).write_bytes(b"x")
    assert find_masks(masks) == []


def test_masks_are_listed_in_order(masks):
    lay(masks, "z.png", "b/a.png", "a.tif", "A1.bmp")
    assert [mask.name for mask in find_masks(masks)] == sorted(["z", "b/a", "a", "A1"])


def test_annotations_and_exports_are_masks_and_not_their_photos(masks):
    lay(masks, "one.jpg", "two_v1_json/label.png", "three/mask.png", "three/img.png")
    annotate(masks / "one.json", [SQUARE])
    annotate(masks / "two.v1.json", [SQUARE])
    names, found = pairs(["one.jpg", "two.v1.jpg", "three.jpg"], masks)
    assert names["one.jpg"] == ["one.json"]
    assert names["three.jpg"] == ["three"]
    assert found.missing == {}
    assert read_mask(masks / names["two.v1.jpg"][0]).any()


def test_text_beside_a_mask_is_none(masks):
    lay(masks, "a.png")
    (masks / "a.txt").write_text("a cat on a mat")
    assert pairs(["a.jpg"], masks)[0] == {"a.jpg": ["a.png"]}


def test_two_masks_that_differ_by_extension_are_refused(masks):
    lay(masks, "a.png", "a.bmp")
    with pytest.raises(InputError, match=r"both belong to photo 'a\.jpg'; remove one or number"):
        pairs(["a.jpg"], masks)


def test_absent_folder_is_refused(tmp_path):
    with pytest.raises(InputError, match="expected a folder of masks"):
        pair(["a.png"], tmp_path, tmp_path / "gone")


def write_coco(path, *names):
    path.write_text(json.dumps(coco({name: [RING] for name in names})), "utf-8")
    return path


def test_annotations_of_many_photos_are_found_in_a_folder_or_given(masks):
    path = write_coco(masks / "instances.json", "img/p0.png", "p1.png", "img/p_2.png")
    for source in (masks, path):
        found = pair(["p0.png", "p1.png", "p2.png"], masks.parent / "photos", source)
        assert found.masks == {
            "p0.png": [MaskFile(path, "img/p0.png")],
            "p1.png": [MaskFile(path, "p1.png")],
        }
        assert found.missing["p2.png"].endswith("; did you mean 'img/p_2.png'?")
        assert refused(found)["instances.json"].startswith("1 of 3 photos in it ")


def test_masks_of_their_own_name_come_before_annotations_of_many_photos(masks):
    lay(masks, "p0.png")
    lay(masks, "p1.png", value=9)
    lay(masks.parent / "photos", "p0.png", "p1.png", value=9)
    write_coco(masks / "instances.json", "p0.png", "p1.png")
    names, _ = pairs(["p0.png", "p1.png"], masks)
    assert names == {"p0.png": ["p0.png"], "p1.png": ["instances.json"]}  # p1 is the photo again


def test_two_annotations_of_a_photo_and_broken_ones_are_told(masks):
    write_coco(masks / "one.json", "p0.png")
    write_coco(masks / "two.json", "p0.png")
    (masks / "three.json").write_text("{")
    names, found = pairs(["p0.png"], masks)
    assert names == {}
    assert "one.json#p0.png and " in found.missing["p0.png"]
    assert "give one as --masks" in found.missing["p0.png"]
    assert "not JSON" in refused(found)["three.json"]


# In order, and pools


def test_order_counts_and_takes_annotations_apart(masks):
    lay(masks, "m10.png", "m2.png")
    write_coco(masks / "m3.json", "x.png", "y.png")
    assert [str(file.path.name) + file.entry for file in in_order(masks)] == [
        "m2.png", "m3.jsonx.png", "m3.jsony.png", "m10.png",
    ]  # fmt: skip
    assert sorted(["a10", "a9", "b1", "a010"], key=natural) == ["a9", "a010", "a10", "b1"]


POOL = [MaskFile(masks) for masks in map("m{}".format, range(7))]


@given(st.text(max_size=5), st.integers(1, 7))
def test_a_draw_repeats_nothing_and_grows_by_its_end(seed, count):
    chosen = drawn(POOL, seed, count)
    assert len(set(chosen)) == count
    assert chosen == drawn(POOL, seed, 7)[:count]
    assert set(drawn(POOL, seed, 7)) == set(POOL)


def test_each_mask_of_a_pool_is_drawn_about_as_often():
    counts = np.bincount([POOL.index(drawn(POOL, str(seed), 1)[0]) for seed in range(1400)])
    assert 0 < ((counts - 200) ** 2 / 200).sum() < 22.5  # chi-square, 6 degrees, p = 0.001


def test_a_pool_that_is_too_small_is_refused():
    with pytest.raises(InputError, match="--draws 8: the pool has 7 masks"):
        drawn(POOL, "", 8)


@pytest.mark.parametrize(
    ("photo", "mask"),
    [
        ("images/train/a.jpg", "labels/train/a.png"),
        ("train/images/a.jpg", "train/masks/a_mask.png"),
        ("a.jpg", "masks/a.png"),
    ],
)
def test_masks_may_lie_in_a_folder_of_their_own_beside_the_photos(masks, photo, mask):
    lay(masks, photo, value=9)
    lay(masks, mask)
    names, found = pairs([photo, mask], masks, home=masks)
    assert names == {photo: [mask]}
    assert [*found.notes.values()] == [f"taken for a mask of photo '{photo}'"]


def test_a_picture_that_gives_way_to_an_annotation_is_told_of(masks):
    annotate(masks / "a.json", SQUARE)
    lay(masks, "a.png")
    lay(masks.parent / "photos", "a.jpg", value=9)
    _, found = pairs(["a.jpg"], masks)
    assert [*found.notes.values()] == ["'a.png' beside it left aside"]


def test_links_are_followed_but_not_in_circles(masks, tmp_path):
    lay(tmp_path / "elsewhere", "a.png")
    (masks / "b").symlink_to(tmp_path / "elsewhere")
    (masks / "up").symlink_to(tmp_path)
    (tmp_path / "elsewhere" / "back").symlink_to(masks)
    (masks / "c.png").symlink_to(tmp_path / "nowhere.png")
    assert [mask.name for mask in find_masks(masks)] == ["b/a", "c"]
