"""Training photos: what is read, what is left out."""

import tarfile

import pytest

from bench.errors import InputError
from bench.training import photos
from tests.support.trainings import SIDE, picture


def test_photos_come_from_archives_and_folders_alike(archive, tmp_path):
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    one, other = photos.read([archive], SIDE), photos.read([tmp_path], SIDE)
    assert one.sha == other.sha
    assert len(one.train) + len(one.held_out) == 90
    assert not {p.name for p in one.train} & {p.name for p in one.held_out}


def test_what_cannot_be_trained_on_is_left_out_with_its_reason(archive, tmp_path):
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path, filter="data")
    (tmp_path / "broken.png").write_bytes(b"no picture")
    (tmp_path / "small.png").write_bytes(picture(0, 20, 70))
    found = photos.read([tmp_path], SIDE)
    assert len(found.train) + len(found.held_out) == 90
    assert sorted(line.split(": ")[0].rpartition("/")[2] for line in found.left_out) == [
        "broken.png", "small.png",
    ]  # fmt: skip


@pytest.mark.parametrize("content", [None, b"", b"this is no archive"])
def test_photos_that_are_not_there_are_refused(tmp_path, content):
    path = tmp_path / "x.tar"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(InputError, match=r"training photos|tar archive"):
        photos.read([path], SIDE)
