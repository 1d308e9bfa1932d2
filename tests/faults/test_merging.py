"""Merging: killed, locked, without room, across file systems, and again after parts changed."""

import json
import os
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from bench.errors import BenchError, InputError
from bench.folder import fragments
from bench.folder.store import RunFolder
from bench.run.lock import only_writer
from bench.run.merge import merge
from bench.run.runner import run
from tests.faults import test_damaged_folder as damage


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos) -> Path:
    out = tmp_path_factory.mktemp("merging") / "whole"
    run(damage.request(out, photos))
    return out


@pytest.fixture
def parts(tmp_path, photos) -> list[Path]:
    """Two shards, in the folder that they are to be merged into, as those that Slurm ran."""
    found = [tmp_path / f"out/slurm/{index}-of-2" for index in range(2)]
    for index, part in enumerate(found):
        run(damage.request(part, photos, shard=(index, 2)))
    return found


def words(out: Path, parts: list[Path]) -> list[str]:
    return [sys.executable, "-m", "bench", "merge", str(out), *map(str, parts)]


def test_shards_are_merged_again_after_one_was_damaged(tmp_path, photos, parts, whole, capfd):
    out = tmp_path / "out"
    (out / "slurm/shards.sbatch").touch()
    merge(out, parts)
    damage.assert_equal(out, whole)
    picture = next((parts[0] / "outputs").rglob("*.png"))
    picture.unlink()
    picture.write_bytes(b"")
    capfd.readouterr()
    merge(out, parts)
    assert "1 fill of the parts have pictures that are damaged" in capfd.readouterr().err
    run(damage.request(parts[0], photos, shard=(0, 2)))
    merge(out, parts)
    damage.assert_equal(out, whole)
    assert all((part / "run.json").exists() for part in parts)


def test_files_are_linked_or_else_copied(tmp_path, parts, whole, monkeypatch):
    merge(tmp_path / "linked", parts)
    assert all(p.stat().st_nlink > 1 for p in (tmp_path / "linked/outputs").rglob("*.png"))

    def fails(*_):
        raise OSError(18, "Invalid cross-device link")

    monkeypatch.setattr(os, "link", fails)
    merge(tmp_path / "copied", parts)
    for out in (tmp_path / "linked", tmp_path / "copied"):
        damage.assert_equal(out, whole)


@pytest.mark.parametrize(
    "kills", [1, pytest.param(10, marks=[pytest.mark.nightly, pytest.mark.slow])]
)
def test_a_killed_merge_begins_anew(tmp_path, parts, whole, kills):
    out = tmp_path / "merged"
    for number in range(kills):
        process = subprocess.Popen(words(out, parts), stderr=subprocess.DEVNULL)
        while process.poll() is None and not (out / ".merging").exists():
            time.sleep(0.001)
        time.sleep(0.01 * number)
        process.send_signal(signal.SIGKILL)
        process.wait()
    merge(out, parts)
    damage.assert_equal(out, whole)
    assert not (out / ".merging").exists()


def test_nothing_else_writes_while_a_merge_does(tmp_path, parts):
    out = tmp_path / "merged"
    with only_writer(out), pytest.raises(BenchError, match="another run is writing"):
        merge(out, parts)


def test_a_full_disk_is_said_in_words_and_the_same_command_goes_on(tmp_path, parts, whole):
    out = tmp_path / "merged"

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1500, 1500))

    done = subprocess.run(
        words(out, parts), capture_output=True, text=True, preexec_fn=limit, timeout=300
    )
    assert done.returncode == 2
    assert "cannot write" in done.stderr
    assert "Traceback" not in done.stderr
    merge(out, parts)
    damage.assert_equal(out, whole)


def test_what_a_merge_did_not_write_is_not_touched(tmp_path, photos, parts, whole):
    own = Path(shutil.copytree(whole, tmp_path / "own"))
    other = tmp_path / "other"
    other.mkdir()
    (other / "thesis.txt").touch()
    for folder in (own, other):
        with pytest.raises(InputError, match="is not empty"):
            merge(folder, parts)
    damage.assert_equal(own, whole)
    merge(tmp_path / "merged", parts)
    run(damage.request(tmp_path / "merged", photos, methods=("telea",)))  # fills of its own
    with pytest.raises(InputError, match="own fills"):
        merge(tmp_path / "merged", parts)
    header = json.loads((tmp_path / "merged/run.json").read_text("utf-8"))
    assert {"mean", "noise", "telea"} <= header["methods"].keys()


def test_a_part_may_put_its_fragments_together_meanwhile(tmp_path, parts, whole, monkeypatch):
    take_over = RunFolder.take_over
    monkeypatch.setattr(fragments, "MANY", 1)

    def interfering(self, source, name):
        if source.is_relative_to(parts[0] / "fragments"):
            RunFolder(parts[0]).read_fragments(join=True)
            (source.parent / ".half.tmp").write_bytes(b"half a row")
        take_over(self, source, name)

    monkeypatch.setattr(RunFolder, "take_over", interfering)
    assert len([*(parts[0] / "fragments").iterdir()]) > 1
    merge(tmp_path / "merged", parts)
    damage.assert_equal(tmp_path / "merged", whole)
    assert not [*(tmp_path / "merged").rglob("*.tmp")]


def test_a_part_is_not_written_over(tmp_path, parts):
    merge(tmp_path / "merged", parts)
    before = (tmp_path / "merged/run.json").read_bytes()
    with pytest.raises(InputError, match="one of the parts"):
        merge(tmp_path / "merged", [tmp_path / "merged", *parts])
    assert (tmp_path / "merged/run.json").read_bytes() == before
