"""Training photos: what is read, what is left out."""

import io
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


def damaged_gzip(path):
    with tarfile.open(path, "w:gz") as tar:
        for number in range(90):
            data = picture(number)
            member = tarfile.TarInfo(f"{number:03}.png")
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    whole = bytearray(path.read_bytes())
    whole[len(whole) // 2] ^= 255
    path.write_bytes(whole)


def cut_gzip(path):
    damaged_gzip(path)
    path.write_bytes(path.read_bytes()[:-5000])


@pytest.mark.parametrize("make", [damaged_gzip, cut_gzip])
def test_an_archive_that_is_damaged_inside_is_refused(tmp_path, make):
    make(tmp_path / "x.tar")
    with pytest.raises(InputError, match=r"x\.tar: expected a tar archive"):
        photos.read([tmp_path / "x.tar"], SIDE)


def test_a_member_of_gaps_is_left_out_unread(archive, tmp_path):
    """A sparse file: ten kilobytes that say eight gigabytes."""
    path = tmp_path / "x.tar"
    path.write_bytes(archive.read_bytes())
    with tarfile.open(path, "a", format=tarfile.PAX_FORMAT) as tar:
        member = tarfile.TarInfo("GNUSparseFile.0/x.png")
        listed = b"1\n8589934591\n1\n".ljust(512, b"\0") + b"x"
        member.size = len(listed)
        member.pax_headers = {"GNU.sparse.major": "1", "GNU.sparse.minor": "0",
                              "GNU.sparse.name": "huge.png",
                              "GNU.sparse.realsize": str(2**33)}  # fmt: skip
        tar.addfile(member, io.BytesIO(listed))
    found = photos.read([path], SIDE)
    assert len(found.train) + len(found.held_out) == 90
    assert [line for line in found.left_out if "huge.png: expected a picture file" in line]
