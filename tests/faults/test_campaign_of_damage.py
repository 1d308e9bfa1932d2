"""The campaign of damage: bytes of every kind of file of a run folder, changed at random.

Whatever reads the folder then says what it said before, or refuses with a message of ours; and the
same command makes whole what can be made whole, or says what to do. What each kind of file leads
to, one damage after another, is in ``test_damaged_folder.py``; here are many at random places.
``pytest tests/faults/test_campaign_of_damage.py -m nightly -s`` prints the counts, of
``CAMPAIGN_DAMAGES`` damages of each kind of file (4 if it is not set).
"""

import contextlib
import io
import os
import shutil
from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from bench.cli import main
from tests.faults.test_campaign_of_kills import result
from tests.support import commands

pytestmark = pytest.mark.nightly
METHODS = "telea,noise,Tells=tests.support.phases:Tells,Raises=tests.support.faulty:Raises"
DAMAGES = int(os.environ.get("CAMPAIGN_DAMAGES", "4"))
METRICS = "psnr_db,ssim_hole,drift,swd,fid_untrained"
# Each kind of file of a run folder. `report` is written anew as a whole by whoever asks for it.
TABLES = ("plan", "inputs", "cases", "sets", "samples", "metrics", "methods", "training",
          "receptive", "latency", "latency-samples")  # fmt: skip
KINDS = (
    "run.json", "latency.json", "verdict.json", *(f"{name}.parquet" for name in TABLES),
    "photos/*.png", "masks/*.png", "outputs/*.png", "pictures/*.png", "thumbs/*.webp",
    "fragments/*.parquet", "features/*.npz", "tracebacks/*.txt", "receptive/*.npy",
    "report/*",
)  # fmt: skip
EMPTY = (".lock", ".report.lock")


def kind(folder: Path, path: Path) -> str:
    """The kind of a file of a run folder."""
    first, *more = path.relative_to(folder).parts
    if first == "report":
        return "report/*"
    return f"{first}/*{path.suffix}" if more else first


def call(*words: object) -> tuple[int, str, str]:
    """A command in this process: its status, what it printed, and what it complained of."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(word) for word in words])
    return status, out.getvalue(), err.getvalue()


def the_run(folder: Path, photos: Path) -> tuple[int, str, str]:
    words = commands.words(folder, photos, "--methods", METHODS, "--samples", "2")
    words[words.index("--metrics") + 1] = METRICS
    return call(*words, "--executor", "inline", "--limit", "2", "--tiers", "region,large")


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos) -> Path:
    """A run folder with a file of every kind."""
    folder = tmp_path_factory.mktemp("whole") / "run"
    status, _, said = the_run(folder, photos)
    assert status == 1, said  # as a method raises
    words = ("--methods", "mean", "--sizes", "32", "--tiers", "region", "--short", "--limit", "1")
    assert call("latency", *words, "--device", "cpu", "--out", folder, "--no-report")[0] == 0
    words = ("Tells=tests.support.phases:Tells", "--side", "64", "--limit", "1", "--out", folder)
    assert call("receptive", *words)[0] == 0
    assert call("gate", folder, folder)[0] in (0, 4)
    assert call("report", folder)[0] == 0
    return folder


def compared(folder: Path, whole: Path) -> tuple[int, object, str]:
    return call("compare", folder, "--metrics", "all")


def judged(folder: Path, whole: Path) -> tuple[int, object, str]:
    return call("gate", whole, folder)


def reported(folder: Path, whole: Path) -> tuple[int, object, str]:
    status, _, said = call("report", folder)
    data = {path.name: path.read_text() for path in sorted((folder / "report/data").glob("*.*"))
            if path.suffix != ".parquet"}  # fmt: skip
    return status, data, said


def merged(folder: Path, whole: Path) -> tuple[int, object, str]:
    out = folder.with_name("merged")
    shutil.rmtree(out, ignore_errors=True)
    status, _, said = call("merge", out, folder)
    return status, commands.quality(out).to_csv() if status == 0 else "", said


# The report before the gate, which writes the verdict anew.
READERS = {"compare": compared, "report": reported, "gate": judged, "merge": merged}


def damaged(data: bytes, rng: np.random.Generator) -> tuple[str, bytes]:
    """One damage: cut off, a stretch of zeros, or one bit of it the other way."""
    at = int(rng.integers(len(data)))
    way = str(rng.choice(["cut", "zeros", "bit"]))
    if way == "cut":
        return way, data[:at]
    if way == "zeros":
        to = min(at + int(rng.integers(1, 512)), len(data))
        return way, data[:at] + bytes(to - at) + data[to:]
    changed = bytearray(data)
    changed[at] ^= 1 << int(rng.integers(8))
    return way, bytes(changed)


def outcome(found: tuple[int, object, str], expected: tuple[int, object, str]) -> str:
    """How a command took a damage: as if there were none, refused, or as it must not."""
    if found[:2] == expected[:2]:
        return "as before"
    if "this is a bug" in found[2]:
        return f"TRACEBACK {found[2].strip().splitlines()[-2]}"
    if found[0] == expected[0] and "cases lack features" in str(found[1]):
        return "said"
    return "refused" if found[0] == 2 else "OTHER"


@pytest.fixture(scope="module")
def expected(whole, tmp_path_factory):
    """Where a copy is damaged, and what is said of it while it is whole."""
    copy = tmp_path_factory.mktemp("damaged") / "run"
    shutil.copytree(whole, copy)
    return copy, {name: read(copy, whole) for name, read in READERS.items()}


def test_every_kind_of_file_is_covered(whole):
    kinds = {kind(whole, path) for path in whole.rglob("*") if path.is_file()}
    assert kinds == {*KINDS, *EMPTY}
    assert all((whole / name).stat().st_size == 0 for name in EMPTY)


def campaign(of: str, count: int, whole: Path, expected, photos: Path) -> Counter[tuple[str, str]]:
    """Damage files of a kind so often; gives how each command took it."""
    copy, before = expected
    rng = np.random.default_rng(KINDS.index(of))
    paths = sorted(p for p in whole.rglob("*") if p.is_file() and kind(whole, p) == of)
    counts: Counter[tuple[str, str]] = Counter()
    for _ in range(count):
        shutil.rmtree(copy)
        shutil.copytree(whole, copy)
        path = copy / paths[rng.integers(len(paths))].relative_to(whole)
        way, data = damaged(path.read_bytes(), rng)
        path.write_bytes(data)
        for name, read in READERS.items():
            counts[name, outcome(read(copy, whole), before[name])] += 1
        status, _, said = the_run(copy, photos)
        counts["run", outcome((status, held(copy, whole), said), (1, "", ""))] += 1
        if status == 2:
            assert str(path) in said or path.name in said, f"{way} of {path} is not named: {said}"
    return counts


def held(copy: Path, whole: Path) -> str:
    """In what a continued run differs from the whole one; empty if in nothing."""
    try:
        (tables, files, facts), (others, other_files, other_facts) = result(copy), result(whole)
    except Exception as error:  # of a folder that stays damaged
        return repr(error)
    differing = [name for name in tables if not tables[name].equals(others[name])]
    lasting = [name for name in other_files if not name.startswith("tracebacks/")]  # they stay
    differing += [name for name in lasting if files.get(name) != other_files[name]]
    return ", ".join(differing + [key for key in facts if facts[key] != other_facts[key]])


def judge(of: str, counts: Counter[tuple[str, str]]) -> None:
    for (name, how), count in sorted(counts.items()):
        print(f"\n{of:24} {name:8} {how:10} {count}", end="")
    assert not [key for key in counts if key[1] not in ("as before", "refused", "said")], counts


@pytest.mark.parametrize("of", KINDS)
def test_damages_at_random_places(of, whole, expected, photos):
    judge(of, campaign(of, DAMAGES, whole, expected, photos))
