"""Folders of published protocols in which somebody left or put what does not belong there."""

import json
import os
import re
import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from bench.cli import main
from bench.errors import BenchError
from bench.planning.layouts import READERS, laid_out
from bench.protocols.read import catalogue
from bench.protocols.record import Published
from tests.support import protocol_folders

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="names and pipes as on Unix")

ONE_OF_EACH = {each.data.reader: each for each in reversed(catalogue().values())}
NAMES = (
    b"\xff\xfe", b"-rf", b"a\nb", b"\x1b[31mred", b"\xe2\x80\xaenohp", b"o" * 240, b"%s{x}",
    b"<script>", b"..", b" ", b"a b;c", b"\xf0\x9f\xa6\x86", b"*", b"[!a]", b"A\xcc\x88",
)  # fmt: skip
PATHS = ("../outside.png", "/etc/passwd", "", ".", "..", "a\0b.png", "\ud800.png", "x" * 5000)


def pictures(folder: Path) -> list[Path]:
    return sorted(path for path in folder.rglob("*") if path.suffix in (".png", ".jpg"))


def texts(folder: Path) -> list[Path]:
    found = (path for path in folder.rglob("*") if path.is_file())
    return sorted(path for path in found if path.suffix not in (".png", ".jpg"))


def odd_names(folder: Path) -> None:
    for path in pictures(folder):
        for name in NAMES:
            odd = os.path.join(os.fsencode(path.parent), name + os.fsencode(path.suffix))
            shutil.copy(path, odd)


def instead(put: Callable[[Path], object]) -> Callable[[Path], None]:
    """In the place of the first picture of each folder."""

    def change(folder: Path) -> None:
        for path in {each.parent: each for each in reversed(pictures(folder))}.values():
            path.unlink()
            put(path)

    return change


def links(folder: Path) -> None:
    """To nowhere, to themselves, to where they lie, and out of the folder."""
    for place in {path.parent for path in pictures(folder)}:
        (place / "nowhere.png").symlink_to(place / "gone")
        (place / "itself.png").symlink_to("itself.png")
        (place / "back").symlink_to(folder)
        (place / "outside.png").symlink_to("/etc/passwd")


def lines(path: Path, made: list[str]) -> None:
    path.write_bytes("\n".join(made).encode("utf-8", "surrogatepass"))


def listed_paths(folder: Path) -> None:
    for path in texts(folder):
        if path.suffix != ".json":
            lines(path, [*path.read_text().splitlines(), *PATHS, *(f"{p},{p}" for p in PATHS)])


def long_lists(folder: Path) -> None:
    for path in texts(folder):
        if path.suffix != ".json":
            lines(path, [*path.read_text().splitlines(), *(f"{n},{n}.png" for n in range(50_000))])


def replaced(value: object) -> Callable[[Path], None]:
    """In the place of each value of the JSON files, one after the other in turn."""

    def walk(found: object) -> object:
        if isinstance(found, dict):
            return {key: walk(each) for key, each in found.items()}
        if isinstance(found, list) and found and isinstance(found[0], dict):
            return [walk(each) for each in found]
        return value

    def change(folder: Path) -> None:
        for path in folder.rglob("*.json"):
            path.write_text(json.dumps(walk(json.loads(path.read_text()))))

    return change


def content(data: bytes) -> Callable[[Path], None]:
    """Of each file that is no picture."""

    def change(folder: Path) -> None:
        for path in texts(folder):
            path.write_bytes(data)

    return change


def folders_for_files(folder: Path) -> None:
    for path in texts(folder):
        path.unlink()
        path.mkdir()


OF_PICTURES: dict[str, Callable[[Path], None]] = {
    "nothing": lambda _: None,
    "odd names": odd_names,
    "links": links,
    "empty pictures": instead(lambda path: path.write_bytes(b"")),
    "pipes": instead(os.mkfifo),
    "folders named as pictures": instead(Path.mkdir),
}
OF_TEXTS: dict[str, Callable[[Path], None]] = {
    "paths in lists": listed_paths,
    "long lists": long_lists,
    "folders for files": folders_for_files,
    **{f"text {data[:12]!r}": content(data) for data in (
        b"", b"\0" * 100, b"\xff\xfe\x00", b"[" * 200_000, b"{}", b"[]", b"null", b"NaN", b"1e999",
        b'{"0": 1}', b'{"0": {}}', b'{"images": 1, "annotations": [], "categories": []}',
        b"image_idx,segment_idx\n-1,-1\n0,99999999999999999999\n",
        b"image_idx,segment_idx\n0,0\n0,0\n", b'image_idx,segment_idx\n"' + b"a" * 200_000,
    )},
    **{f"JSON of {value!r:.20}": replaced(value) for value in (
        None, True, -1, 10**30, float("nan"), "", "../outside.png", [], [-1, 5], [[]], {}, ["a"],
        [1, 10**12], "\ud800", "x" * 50_000,
    )},
}  # fmt: skip


@pytest.fixture
def folder(tmp_path) -> Path:
    protocol_folders.save(tmp_path / "outside.png", protocol_folders.photo(0))
    (tmp_path / "data").mkdir()
    return tmp_path / "data"


def damaged(published: Published, folder: Path) -> Iterator[str]:
    """Lay the folder out and damage it, each time in another way, by its name."""
    protocol_folders.write(published, folder)
    # Of lists and annotations, for layouts that have them.
    for name, change in (OF_PICTURES | (OF_TEXTS if texts(folder) else {})).items():
        shutil.rmtree(folder)
        folder.mkdir()
        protocol_folders.write(published, folder)
        change(folder)
        yield name


def check_said(said: str, name: str, most: int) -> None:
    assert "this is a bug" not in said, f"{name}: {said[-2000:]}"
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f\u202e]", said), f"{name}: {said!r:.500}"
    assert len(said) < most, f"{name}: {len(said)} letters, {said[:500]}"


@pytest.mark.parametrize("published", ONE_OF_EACH.values(), ids=list(ONE_OF_EACH))
def test_what_is_damaged_is_told_and_never_a_bug(published: Published, folder, capfd):
    for name in damaged(published, folder):
        status = main(["protocols", "check", str(folder), "--protocol", published.name])
        assert status in (0, 1, 2), name
        check_said("".join(capfd.readouterr()), name, 10_000)


@pytest.mark.parametrize("published", ONE_OF_EACH.values(), ids=list(ONE_OF_EACH))
def test_nothing_outside_of_the_folder_is_read_by_a_list(published: Published, folder):
    for name in damaged(published, folder):
        try:
            laid = laid_out(published, folder)
        except BenchError:
            continue
        for each in laid.photos:
            paths = [folder / each.name, *(mask.path for mask in each.masks or ())]
            paths += [each.truth_path] if each.truth_path else []
            for path in paths:
                inside = Path(os.path.normpath(path))  # where links lead is their owner's choice
                assert inside.is_relative_to(folder), f"{name}: {path}"
                assert inside != folder, f"{name}: {path}"


@pytest.mark.nightly
@pytest.mark.parametrize("published", ONE_OF_EACH.values(), ids=list(ONE_OF_EACH))
def test_a_plan_of_what_is_damaged_is_made_or_refused(published: Published, folder, capfd):
    for name in damaged(published, folder):
        status = main(["plan", "--images", str(folder), "--protocol", published.name])
        assert status in (0, 2), name
        check_said("".join(capfd.readouterr()), name, 10**6)


def test_every_layout_is_damaged():
    assert set(ONE_OF_EACH) == set(READERS)
