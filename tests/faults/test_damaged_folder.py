"""No single damaged file blocks a run folder: the same command makes it anew, or says what to do.

Each kind of file of a run folder, damaged in each way, then the same request again: the tables must
be those of the whole run, and each kept picture what its row says.
"""

import hashlib
import json
import random
import shutil
from pathlib import Path

import pandas as pd
import pytest

from bench.folder.read import read_run
from bench.folder.store import RunFolder
from bench.planning.images import content_hash
from bench.planning.protocol import Protocol
from bench.run.request import Request
from bench.run.runner import run
from tests.support import commands

SEED = random.Random(0)
PATTERNS = {
    "run.json": "run.json",
    "inputs": "inputs.parquet",
    "plan": "plan.parquet",
    "metrics": "metrics.parquet",
    "methods": "methods.parquet",
    "training": "training.parquet",
    "cases": "cases.parquet",
    "sets": "sets.parquet",
    "samples": "samples.parquet",
    "photo": "photos/*.png",
    "hole": "masks/*.png",
    "fragment": "fragments/*.parquet",
    "features": "features/*/*.npz",
    "output": "outputs/noise/*/*.png",
    "thumbnail": "thumbs/*/*.webp",
    "lock": ".lock",
}


def zeroed(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def emptied(path: Path) -> None:
    path.write_bytes(b"")


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])


def flipped(path: Path) -> None:
    data = bytearray(path.read_bytes())
    if data:  # unlike the lock
        data[len(data) // 2] ^= 8
    path.write_bytes(data)


def random_bit(path: Path) -> None:
    data = bytearray(path.read_bytes())
    if data:
        data[SEED.randrange(len(data))] ^= 1 << SEED.randrange(8)
    path.write_bytes(data)


def deleted(path: Path) -> None:
    path.unlink()


def request(out: Path, photos: Path, **changes) -> Request:
    standard = {
        "protocol": Protocol(photos=str(photos), size=64, tiers=("small", "region")),
        "methods": ("mean", "noise"),
        "metrics": ("psnr_db", "drift", "fid_untrained"),
        "samples": 2,
        "executor": "inline",
        "offline": True,
    }
    return Request(out, **{**standard, **changes})


def tables(out: Path) -> dict[str, pd.DataFrame]:
    """What must not depend on how a run came about."""
    found = read_run(out)
    assert found.complete
    every = {
        name: getattr(found, name) for name in ("plan", "inputs", "sets", "samples", "metrics")
    }
    every["sets"] = every["sets"].drop(columns="seconds")
    return {**every, "methods": found.methods, "cases": commands.quality(out)}


def assert_equal(out: Path, whole: Path) -> None:
    expected = tables(whole)
    for name, table in tables(out).items():
        pd.testing.assert_frame_equal(table, expected[name], obj=name)
    store = RunFolder(out)
    for row in store.read_table("cases.parquet").to_dict("records"):
        assert content_hash(store.read_picture(row["output"])) == row["output_sha"]
    for path in (out / "thumbs").rglob("*.webp"):
        assert hashlib.sha256(path.read_bytes()).hexdigest().startswith(path.stem)
    assert not list(out.rglob(".*.tmp"))


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos) -> Path:
    out = tmp_path_factory.mktemp("damage") / "whole"
    run(request(out, photos))
    return out


def victim(folder: Path, kind: str) -> Path:
    (path, *_) = sorted(folder.glob(PATTERNS[kind]))
    return path


QUICK = [
    ("run.json", cut), ("run.json", flipped), ("methods", flipped), ("plan", zeroed),
    ("photo", flipped), ("hole", deleted), ("fragment", flipped), ("features", emptied),
    ("output", zeroed), ("output", flipped), ("output", deleted), ("thumbnail", flipped),
]  # fmt: skip
NIGHTLY = [
    pytest.param(kind, way, marks=pytest.mark.nightly)
    for kind in PATTERNS
    for way in (zeroed, emptied, cut, flipped, random_bit, deleted)
    if (kind, way) not in QUICK
]


@pytest.mark.parametrize(("kind", "way"), [*QUICK, *NIGHTLY])
def test_the_same_command_mends_a_damaged_file(kind, way, tmp_path, photos, whole, capfd):
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    path = victim(out, kind)
    way(path)
    run(request(out, photos))
    assert_equal(out, whole)
    said = capfd.readouterr().err
    if kind in ("output", "thumbnail"):
        assert "whose kept pictures were damaged or gone are made anew" in said
    if kind in ("fragment", "features") and way is not deleted:
        assert "set aside" in said
        assert (out / "quarantine" / path.relative_to(out)).exists()
    run(request(out, photos))  # and then there is nothing more to do or to say
    assert "damaged" not in capfd.readouterr().err
    assert_equal(out, whole)


def test_a_picture_that_another_was_put_in_place_of_is_made_anew(tmp_path, photos, whole):
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    first, second, *_ = sorted(out.glob(PATTERNS["output"]))
    first.write_bytes(second.read_bytes())  # a whole PNG, of other pixels, younger than its row
    run(request(out, photos))
    assert_equal(out, whole)


def test_methods_not_asked_for_come_back_after_their_cards_were_lost(
    tmp_path, photos, whole, capfd
):
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    made = tmp_path / "plug.py"
    made.write_text(
        "from methods.base import Card, Inpainter\n"
        "class Grey(Inpainter):\n"
        "    card = Card('grey', 'Grey', 'other')\n"
        "    def infer(self, images, masks, generator):\n"
        "        return images + 0.5 * masks\n"
    )
    own = (*request(out, photos).methods, f"grey={made}:Grey")
    run(request(out, photos, methods=own))
    before = commands.quality(out)
    flipped(out / "methods.parquet")
    run(request(out, photos))
    assert "grey: left out until asked for" in capfd.readouterr().err
    assert_equal(out, whole)
    run(request(out, photos, methods=own))
    pd.testing.assert_frame_equal(commands.quality(out), before)


def test_continuing_imports_nothing_that_it_is_not_asked_for(tmp_path, photos, whole, capfd):
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    mark = tmp_path / "imported"
    (tmp_path / "evil.py").write_text(f"open({str(mark)!r}, 'w')\n")
    header = json.loads((out / "run.json").read_text("utf-8"))
    header["methods"]["mean"] = f"mean={tmp_path / 'evil.py'}:Mean"
    del header["checksum"]
    (out / "run.json").write_text(json.dumps(header), "utf-8")
    run(request(out, photos, methods=("noise",)))
    assert not mark.exists()
    assert set(commands.cases(out).loc["mean"]["status"]) == {"ok"}  # what it has stays


def test_a_reader_says_that_pictures_are_gone(tmp_path, whole, capfd):
    out = Path(shutil.copytree(whole, tmp_path / "out"))
    read_run(out)
    assert not capfd.readouterr().err
    cut(victim(out, "output"))
    flipped(victim(out, "thumbnail"))
    read_run(out)
    assert "2 kept pictures are gone or damaged, first outputs/noise" in capfd.readouterr().err
