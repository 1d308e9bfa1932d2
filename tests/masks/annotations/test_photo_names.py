import unicodedata

import pytest

from masks.annotations import match


@pytest.mark.parametrize(
    "written",
    [
        "a/b c.jpg",
        "b c.jpg",
        "./a/b c.jpg",
        "images/train/a/b c.jpg",
        "C:\\data\\a\\b c.jpg",
        "a/b%20c.jpg",
        "https://host.example/data/a/b%20c.jpg",
        "file:///data/b c.jpg",
        "other/b c.png",
        "b c",
    ],
)
def test_photos_are_found_under_the_names_of_tools(written):
    assert match([written, "z.jpg"], ["a/b c.jpg", "d.jpg"]) == ({"a/b c.jpg": written}, {})


def test_accents_may_be_composed_or_not():
    photo = unicodedata.normalize("NFD", "à.jpg")
    name = unicodedata.normalize("NFC", "à.jpg")
    assert match([name], [photo]) == ({photo: name}, {})


def test_the_longest_common_path_decides():
    names = ["root/train/1.jpg", "root/val/1.jpg", "1.jpg", "2.png", "2.jpg"]
    photos = ["train/1.jpg", "val/1.jpg", "1.jpg", "2.jpg", "2.png"]
    found, unclear = match(names, photos)
    assert found == dict(
        zip(photos, ["root/train/1.jpg", "root/val/1.jpg", "1.jpg", "2.jpg", "2.png"], strict=True)
    )
    assert not unclear


def test_what_is_unclear_is_left_to_nobody():
    found, unclear = match(
        ["a/1.jpg", "b/1.jpg", "2.jpg"], ["1.jpg", "x/2.jpg", "y/2.jpg", "3.jpg"]
    )
    assert not found
    assert unclear.keys() == {"1.jpg", "x/2.jpg", "y/2.jpg"}
    assert "'a/1.jpg', 'b/1.jpg'" in unclear["1.jpg"]
    assert "2 photos are called so" in unclear["x/2.jpg"]


def test_every_photo_and_name_is_used_once():
    names = [f"set{n % 3}/{n % 50}.jpg" for n in range(150)]
    photos = [f"{n % 50}.jpg" for n in range(50)] + [f"set{n % 3}/{n % 50}.jpg" for n in range(150)]
    found, unclear = match(names, photos)
    assert len(set(found.values())) == len(found)
    assert not set(found) & set(unclear)
    assert all(found[name] == name for name in names)


def test_odd_names_are_no_reason_to_stop():
    assert match(["", "/", "..", "a%"], ["a%", "b"]) == ({"a%": "a%"}, {})
