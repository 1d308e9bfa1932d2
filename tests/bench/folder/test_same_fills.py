"""One method by all that is known of it, two pictures of one case: refused wherever runs meet."""

from pathlib import Path

import pytest

from bench.compare.runs import compare_between
from bench.errors import BenchError
from bench.folder import header as headers
from bench.folder.read import read_run
from bench.folder.side_by_side import join
from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.run.merge import merge
from bench.run.request import Request
from bench.run.runner import run
from tests.support import commands, reading

HIDDEN = """
from pathlib import Path
from methods.base import Card, Inpainter

class Net(Inpainter):
    card = Card("net", "Net", "other")
    def infer(self, images, masks, generator):
        return images + float(Path(__file__).with_name("level.txt").read_text()) * masks
"""


@pytest.fixture(scope="module")
def runs(tmp_path_factory, photos) -> tuple[Path, Path]:
    """Two runs of a method that opens a file at every fill, which changed in between."""
    folder = tmp_path_factory.mktemp("hidden")
    (folder / "net.py").write_text(HIDDEN)
    for name, level in (("a", "0.2"), ("b", "0.8")):
        (folder / "level.txt").write_text(level)
        run(
            Request(
                folder / name,
                Protocol(photos=str(photos), size=64, tiers=("region",)),
                methods=(f"net={folder / 'net.py'}:Net", "mean"),
                metrics=("psnr_db",),
                executor="inline",
            )
        )
    return folder / "a", folder / "b"


WORDS = r"same method, other pictures: net on .*\(region, draw 0\): picture \w{16} and \w{16}"


def test_compare_refuses_and_says_it_when_told_to_go_on(runs):
    a, b = map(read_run, runs)
    with pytest.raises(BenchError, match=WORDS):
        compare_between(a, b)
    notes = compare_between(a, b, anyway=True).notes
    assert any("3 pictures of net differ between" in note for note in notes)
    assert not any("pictures of mean" in note for note in notes)


def test_a_joined_report_refuses(runs, tmp_path):
    with pytest.raises(BenchError, match=WORDS):
        join(tmp_path, runs)
    assert not list(tmp_path.iterdir())


def test_merging_refuses_and_leaves_nothing(runs, tmp_path):
    out = tmp_path / "out"
    with pytest.raises(BenchError, match=WORDS):
        merge(out, runs)
    assert not out.exists()
    assert all(read_run(each).complete for each in runs)


def test_machines_that_are_not_alike_are_a_note(runs):
    a, b = map(read_run, runs)
    store = RunFolder(b.folder)
    file = store.file(headers.FILE)
    before = file.read_text()
    reading.change_header(
        b.folder, starts=[s | {"threads": 2} for s in commands.header(b.folder)["starts"]]
    )
    try:
        notes = compare_between(a, read_run(b.folder)).notes
    finally:
        file.write_text(before)
    assert any("with settings that are not alike" in note for note in notes)


def test_runs_that_agree_are_compared(runs):
    a = read_run(runs[0])
    assert len(compare_between(a, a).pairs)
