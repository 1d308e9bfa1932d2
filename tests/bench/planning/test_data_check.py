"""What is said of a protocol's files before anything runs: each fault is named, if there is one."""

from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from bench.planning.data_check import check
from bench.protocols.read import catalogue, get
from tests.support import protocol_folders as folders

COUNT = 3


def complete(name):
    """The protocol, expecting as many pictures as its tiny folder has."""
    published = get(name)
    each = {"hdpainter": len(folders.CATEGORIES), "bins": folders.BINS}
    count = COUNT * each.get(published.data.reader, 1)
    return replace(published, expects=count if published.expects else 0)


def checked(name, folder, spoil=lambda folder: None):
    published = complete(name)
    folders.write(published, folder, COUNT)
    spoil(folder)
    return check(published, folder)


@pytest.mark.parametrize("name", catalogue())
def test_a_whole_folder_is_whole(name, tmp_path):
    found = checked(name, tmp_path)
    assert (found.photos, found.complaints, found.doubts) == (COUNT, (), ())


def renamed(old, new):
    return lambda folder: (folder / old).rename(folder / new)


def gone(*paths):
    return lambda folder: [(folder / path).unlink() for path in paths]


def redrawn(path, pixels):
    return lambda folder: Image.fromarray(pixels).save(folder / path)


def damaged(path, data=b"\x89PNG nothing"):
    return lambda folder: (folder / path).write_bytes(data)


SMALL = np.zeros((20, 30), np.uint8)
FAULTS = {
    "a mask less, by place": (
        "mat-places-512-small", gone("masks/mask_00001.png"), "3 photos and 2 masks"),
    "no photos": (
        "mat-places-512-small",
        gone(*(f"images/{n:05}.jpg" for n in range(COUNT))), "expected photos as images/*"),
    "a photo less": ("lama-places-256-thin", gone("00001.jpg"), "pictures to score, found 2"),
    "a mask less, by name": (
        "migan-ffhq-256", gone("masks/00001.png"), "images/00001.jpg: no mask 00001"),
    "a photo less, by name": (
        "misato-512", gone("image/0499.png"), "no photo has the name of this mask"),
    "a marked mask less": (
        "lama-prepared", gone("000001_mask000.png"), "no mask 000001_mask*.png"),
    "a marked photo less": ("lama-prepared", gone("000001.png"), "its photo is not there"),
    "a truth less": ("rord-val", gone("gt/001.png"), "001.png: no truth of its name"),
    "a listed photo less": (
        "lama-celebahq-256-thick", gone("data256x256/00001.jpg"), "00001: listed in val_shuffled"),
    "no list": ("zits-places", gone("places_val.txt"), "expected the file places_val.txt"),
    "one listed twice": (
        "zits-places", damaged("places_val.txt", b"00001.jpg\n00001.jpg\n"), "several times 00001"),
    "masks of a wrong number": (
        "nvidia-irregular", gone("masks/00011.png"), "as many masks in each of 6 bins"),
    "a mask of another size": (
        "rord-val", redrawn("masks/001.png", SMALL), "expected 64x72 or 512x512, found 30x20"),
    "a truth of another size": (
        "removalbench", redrawn("gt/002.png", SMALL), "expected 64x72, found 30x20"),
    "a damaged photo": ("misato-1k", damaged("image/0998.png"), "0998.png"),
    "a damaged mask": ("mat-celebahq-512-large", damaged("masks/mask_00002.png"), "mask_00002"),
    "a damaged list": ("brushbench-inside", damaged("mapping_file.json"), "is not JSON"),
    "another list": (
        "brushbench-inside", damaged("mapping_file.json", b'{"0": {"image": "a.jpg"}}'),
        "mapping_file.json"),
    "a listed picture less": (
        "brushbench-outside", gone("images/000000001.jpg"), "listed in mapping_file.json"),
    "a list without columns": (
        "hdpainter-coco", damaged("mscoco_testset_10000.csv", b"a,b\n1,2\n"), "image_idx"),
    "segments that are not there": (
        "hdpainter-coco", damaged("mscoco_testset_10000.csv", b"image_idx,segment_idx\n0,7\n9,0\n"),
        "row 2: it has no segment 7"),
}  # fmt: skip


@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_is_named(fault, tmp_path):
    name, spoil, said = FAULTS[fault]
    assert said in "\n".join(checked(name, tmp_path, spoil).complaints)


def test_another_number_than_published_is_said(tmp_path):
    published = get("repaint-places-256-nn2")
    folders.write(published, tmp_path, COUNT)
    found = check(published, tmp_path)
    assert found.cases == COUNT
    assert found.complaints[0].startswith("expected 100 pictures to score, found 3")


def test_black_and_white_that_are_swapped_are_doubted(tmp_path):
    def swapped(folder):
        for path in (folder / "masks").iterdir():
            Image.fromarray(255 - np.asarray(Image.open(path).convert("L"))).save(path)

    found = checked("mat-places-512-large", tmp_path, swapped)
    assert found.complaints == ()
    assert "to mat-places-512-large black is hole" in found.doubts[0]


def test_a_shift_that_counts_do_not_tell_is_doubted(tmp_path):
    """A photo and a mask are missing, at different places: each is paired, with a wrong one."""

    def shifted(folder):
        gone("images/00001.jpg", "masks/mask_00002.png")(folder)

    published = replace(complete("mat-places-512-small"), expects=3)
    folders.write(published, tmp_path, 4)
    shifted(tmp_path)
    found = check(published, tmp_path)
    assert found.complaints == ()
    assert [line.split(":")[0] for line in found.doubts] == [
        "the numbers of the photos leave out 1",
        "the numbers of the masks leave out 2",
    ]


def test_masks_in_an_order_of_their_own_are_doubted(tmp_path):
    def turned(folder):
        paths = sorted((folder / "masks").iterdir())
        pictures = [path.read_bytes() for path in paths]
        for path, picture in zip(paths, pictures[::-1], strict=True):
            path.write_bytes(picture)

    found = checked("nvidia-irregular", tmp_path, turned)
    assert "18 of 18 masks have another share than the bin" in found.doubts[0]


def test_names_alone_read_no_picture(tmp_path):
    published = complete("misato-512")
    folders.write(published, tmp_path, COUNT)
    for path in tmp_path.rglob("*.png"):
        path.write_bytes(b"")
    assert check(published, tmp_path, names_only=True).complaints == ()
    assert check(published, tmp_path).complaints != ()
