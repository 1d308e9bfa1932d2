"""Files that are not read, and what looks wrong with all masks."""

import cv2
import numpy as np
import pytest
from PIL import Image

from bench.errors import InputError
from bench.folder.store import RunFolder
from bench.planning import plan
from bench.planning.protocol import Protocol

HOLE = np.zeros((64, 64), bool)
HOLE[20:40, 16:36] = True


@pytest.fixture
def folder(tmp_path):
    """Two photos with their masks."""
    noise = np.random.default_rng(0).integers(0, 256, (2, 8, 8, 3), dtype=np.uint8)
    for name, pixels in zip("ab", noise, strict=True):
        save(tmp_path / "photos" / f"{name}.png", cv2.resize(pixels, (64, 64)))
        save(tmp_path / "masks" / f"{name}.png", HOLE)
    return tmp_path


def save(path, array, **options):
    path.parent.mkdir(exist_ok=True)
    picture = array.astype(np.uint8) * 255 if array.dtype == bool else array
    Image.fromarray(picture).save(path, **options)


def made(folder, **asked):
    given = {"photos": str(folder / "photos"), "masks": str(folder / "masks"), "size": None}
    cases, inputs = plan.make(Protocol(**given | asked), RunFolder(folder / "run"))
    return cases, inputs.set_index("path")


def notes(folder, **asked):
    _, inputs = made(folder, **asked)
    return inputs[inputs["kind"] == "mask"]["note"].tolist()


def test_every_file_has_a_row_but_what_systems_leave_behind(folder):
    unread = {
        "photos/film.mp4": "is a film",
        "photos/photo.CR2": "is a raw photo",
        "photos/plan.pdf": "is a drawing",
        "photos/all.zip": "is an archive",
        "photos/README": "a name without a suffix is no kind that is read",
        "photos/deep/labels.csv": ".csv is no kind that is read",
        "masks/arrays.npz": "numpy.save",
        "masks/notes.txt": "is no annotation",
        "masks/b\udcff.doc": ".doc is no kind that is read",
    }
    left_behind = ["photos/Thumbs.db", "masks/desktop.ini", "photos/.DS_Store", "masks/.x/a.doc",
                   "masks/classes.txt", "photos/__MACOSX/a.png"]  # fmt: skip
    for name in (*unread, *left_behind):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text("Some words.")
    cases, inputs = made(folder)
    assert len(cases) == 2
    others = inputs[inputs["kind"] == "other"]
    assert set(others["status"]) == {"refused"}
    expected = {
        name.removeprefix("photos/").replace("\udcff", "\\udcff"): reason
        for name, reason in unread.items()
    }
    found = {name.replace(f"{folder}/", ""): why for name, why in others["reason"].items()}
    assert found.keys() == expected.keys()
    assert all(expected[name] in found[name] for name in found)


def test_a_kind_that_needs_a_package_says_which(folder):
    (folder / "photos" / "c.heic").write_bytes(b"x")
    _, inputs = made(folder, masks=None)
    reason = inputs.loc["c.heic", "reason"]
    assert "pip install 'inpaint-bench[heic]'" in reason or "not a picture" in reason


def test_photos_and_masks_in_one_folder_have_one_row_each(folder):
    for name in "ab":
        (folder / "masks" / f"{name}.png").rename(folder / "photos" / f"{name}_mask.png")
    (folder / "photos" / "notes.doc").touch()
    (folder / "masks").rmdir()
    _, inputs = made(folder, masks=str(folder / "photos"))
    assert len(inputs) == 5
    assert inputs.index.is_unique


def test_masks_that_look_inverted_are_noted_if_most_do(folder):
    assert notes(folder) == ["", ""]
    assert all("leave out --invert-masks" in note for note in notes(folder, invert_masks=True))
    for name in "ab":
        save(folder / "masks" / f"{name}.png", ~HOLE)
    assert all("give --invert-masks" in note for note in notes(folder))
    assert notes(folder, invert_masks=True) == ["", ""]
    save(folder / "masks" / "a.png", HOLE)
    assert not any("invert" in note for note in notes(folder))


@pytest.mark.parametrize("half", [np.s_[:, :40], np.s_[:40], np.s_[1:-1, 1:-1]])
def test_a_large_hole_that_leaves_an_edge_alone_is_not_inverted(folder, half):
    hole = np.zeros_like(HOLE)
    hole[half] = True
    for name in "ab":
        save(folder / "masks" / f"{name}.png", hole)
    assert not any("invert" in note for note in notes(folder))


@pytest.mark.parametrize("suffix", ["png", "jpg"])
@pytest.mark.parametrize("colour", [(255, 255, 255), (0, 0, 0), (127, 130, 128)])
def test_photos_that_were_painted_under_their_holes_are_noted(folder, suffix, colour):
    for name in "ab":
        photo = np.array(Image.open(folder / "photos" / f"{name}.png"))
        photo[HOLE] = colour
        (folder / "photos" / f"{name}.png").unlink()
        options = {"quality": 80} if suffix == "jpg" else {}
        save(folder / "photos" / f"{name}.{suffix}", photo, **options)
    assert all("as if painted over" in note for note in notes(folder))
    assert all("--truth unknown" in note for note in notes(folder))
    assert notes(folder, truth="unknown") == ["", ""]


def test_one_photo_with_a_hole_in_paint_or_holes_in_a_plain_wall_are_not_noted(folder):
    photo = np.array(Image.open(folder / "photos" / "a.png"))
    photo[HOLE] = 255
    save(folder / "photos" / "a.png", photo)
    assert notes(folder) == ["", ""]
    photo[10:] = 255  # a wall, as for the most part of the photo
    for name in "ab":
        save(folder / "photos" / f"{name}.png", photo)
    assert notes(folder) == ["", ""]


def test_nothing_but_empty_holes_is_an_error(folder):
    for name in "ab":
        save(folder / "masks" / f"{name}.png", np.zeros_like(HOLE))
    with pytest.raises(InputError, match="the 2 masks that were read have no hole"):
        made(folder)
    save(folder / "masks" / "b.png", HOLE)
    assert made(folder)[0]["tier"].tolist() == [plan.NO_HOLE, "small"]


def test_a_mask_drawn_on_what_is_stored_is_told_of_the_turn(folder):
    exif = Image.Exif()
    exif[0x0112] = 6
    photo = np.random.default_rng(0).integers(0, 256, (64, 96, 3), dtype=np.uint8)
    for name in ("a", "b", "c"):
        turned = {"exif": exif} if name != "c" else {}
        save(folder / "photos" / f"{name}.png", photo if name != "c" else photo[:48], **turned)
    hole = np.zeros((64, 96), bool)
    hole[5:9, 5:9] = True
    save(folder / "masks" / "a.png", hole)
    save(folder / "masks" / "b.png", hole.T)
    save(folder / "masks" / "c.png", hole[:48].T)
    _, inputs = made(folder)
    reasons = inputs[inputs["kind"] == "mask"]["reason"].tolist()
    assert "EXIF turns the photo" in reasons[0]
    assert reasons[1] == ""
    assert "nearest neighbour" in reasons[2]
    assert inputs.loc["a.png", "note"] == "turned as its EXIF says"
