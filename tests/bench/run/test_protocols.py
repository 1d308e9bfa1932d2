"""Runs that follow published protocols, each on a tiny folder in its own layout."""

from pathlib import Path

import pytest

from bench.folder.read import Run, read_run
from bench.planning.geometry import Geometry
from bench.planning.layouts import READERS
from bench.planning.layouts.folders import BINS
from bench.planning.layouts.source_report import CASES
from bench.planning.protocol import Protocol
from bench.planning.scoring import Scoring
from bench.protocols.read import catalogue, get
from bench.run.request import Request
from bench.run.runner import run
from tests.support import protocol_folders

METHODS = ("telea", "mean")
# One of each layout, and of each size rule and way of scoring; all of them nightly.
DAILY = (
    "source-report", "lama-places-256-thin", "lama-prepared", "mat-celebahq-512-small",
    "migan-ffhq-256", "zits-places", "nvidia-irregular", "misato-512", "rord-val", "hdpainter-coco",
    "brushbench-inside-blended", "brushbench-outside-as-jpeg",
)  # fmt: skip


def followed(name: str, folder: Path, count: int) -> Run:
    """A run of quick methods on a tiny folder, laid out as a protocol says."""
    protocol_folders.write(get(name), folder / "data", count)
    protocol = Protocol.asked(str(folder / "data"), None, published=name)
    request = Request(folder / "run", protocol, methods=METHODS, executor="inline", offline=True)
    run(request)
    return read_run(folder / "run")


def see(name: str, folder: Path, count: int) -> None:
    """That a run is of what the protocol says."""
    published, found = get(name), followed(name, folder, count)
    per_photo = {"bins": len(BINS), "hdpainter": len(protocol_folders.CATEGORIES)}
    cases = count * per_photo.get(published.data.reader, 1)
    assert len(found.plan) == cases
    own = {"bins": BINS, "numbered": [*CASES.values()][:count]}
    tiers = {*own.get(published.data.reader, [name])}
    assert {*found.plan["tier"]} == tiers
    ours = found.cases[found.cases["method"].isin(METHODS)]
    assert len(ours) == cases * len(METHODS)
    assert {*ours["status"]} == {"ok"}
    assert found.header.protocol["published"] == name
    parts = found.header.fingerprint.parts
    assert parts["protocol"] == name
    assert parts["paste"] == str(Scoring(published.score.paste, published.score.quantise))
    size = Geometry.asked(published.size)
    if size.rule in ("cut", "pad", "stretch", "crop"):
        assert {*zip(found.plan["height"], found.plan["width"], strict=True)} == {
            (size.height, size.width)
        }
    assert {*published.metrics} <= {*found.metrics["metric"]}


def test_the_representative_ones_are_of_every_layout_size_and_scoring():
    everything, daily = (
        [(each.data.reader, Geometry.asked(each.size).rule, each.score) for each in map(get, names)]
        for names in (catalogue(), DAILY)
    )
    for part in range(3):
        assert {each[part] for each in everything} == {each[part] for each in daily}
    assert READERS.keys() == protocol_folders.LAYOUTS.keys() == {each[0] for each in everything}


@pytest.mark.parametrize("name", DAILY)
def test_a_run_follows_a_protocol(name, tmp_path):
    see(name, tmp_path, 1)


@pytest.mark.nightly
@pytest.mark.parametrize("name", catalogue())
def test_a_run_follows_every_protocol(name, tmp_path):
    see(name, tmp_path, 2)
