"""Whose folder it is, and what a run in it was asked for: said before anything is written."""

import shutil

import numpy as np
import pytest
from PIL import Image

from bench.cli import main
from bench.errors import BenchError, InputError
from bench.run.lock import only_writer
from bench.training import state
from masks.pack import make_pack
from tests.support import commands

QUICK = ["--executor", "inline", "--methods", "telea"]


def write_mask(path, first, side=64):
    path.parent.mkdir(exist_ok=True)
    hole = np.zeros((side, side), np.uint8)
    hole[first : first + 20, 10:30] = 255
    Image.fromarray(hole).save(path)


@pytest.fixture
def told(capsys):
    """Runs a command that must be refused, and gives what it prints."""

    def run(words):
        assert main([str(word) for word in words]) == 2
        return capsys.readouterr().err

    return run


def test_another_request_is_told_in_words(tmp_path, photos, told):
    def words(*more):
        return [*commands.words(tmp_path / "out", photos), *QUICK, "--limit", "2", *more]

    assert main(words()) == 0
    before = {path: path.read_bytes() for path in (tmp_path / "out").glob("*.parquet")}
    write_mask(tmp_path / "masks" / "a.png", 10, side=128)
    for more, said in (
        (["--seed", "1"], "(seed: 0 there, 1 now)"),
        (["--size", "32", "--draws", "2"], "(size: 64 there, 32 now; draws: 1 there, 2 now)"),
        (["--tiers", "small,large"], "(tiers: small,region,large there, small,large now)"),
        (["--limit", "1"], "(limit: 2 there, 1 now)"),
    ):
        message = told(words(*more))
        assert said in message
        assert "give another --out, or the options of that run" in message
    assert "masks: generated there" in told([*words(), "--masks", tmp_path / "masks"])
    assert before == {path: path.read_bytes() for path in before}


def test_files_that_changed_are_counted_and_named(tmp_path, told):
    folder = tmp_path / "photos"
    folder.mkdir()
    rng = np.random.default_rng(0)
    for name in "abc":
        Image.fromarray(rng.integers(0, 256, (64, 64, 3), np.uint8)).save(folder / f"{name}.png")
        write_mask(tmp_path / "masks" / f"{name}.png", 10)
    words = commands.words(tmp_path / "out", folder, *QUICK, "--masks", str(tmp_path / "masks"))
    assert main(words) == 0
    write_mask(tmp_path / "masks" / "b.png", 11)
    assert "(holes: 1 that differ (of b.png))" in told(words)
    Image.open(folder / "a.png").transpose(Image.Transpose.ROTATE_90).save(folder / "a.png")
    (folder / "c.png").rename(folder / "d.png")
    (tmp_path / "masks" / "c.png").rename(tmp_path / "masks" / "d.png")
    message = told(words)
    for said in ("only there (c.png)", "only now (d.png)", "with other content (a.png)"):
        assert f"photos: 1 {said}" in message
    shutil.copytree(folder, tmp_path / "copy")  # where they lie is part of what was asked for
    words[words.index(str(folder))] = str(tmp_path / "copy")
    message = told(words)
    assert f"images: {folder} there, {tmp_path / 'copy'} now" in message
    assert "with other content (a.png)" in message


def test_runs_side_by_side_say_what_was_asked_for(tmp_path, photos, told):
    runs = [tmp_path / name for name in ("one", "two")]
    for seed, out in enumerate(runs):
        assert (
            main([*commands.words(out, photos), *QUICK, "--limit", "2", "--seed", str(seed)]) == 0
        )
    for words in (
        ["merge", tmp_path / "both"],
        ["compare"],
        ["report", "--out", tmp_path / "page"],
    ):
        assert "seed: 0 in A, 1 in B" in told([*words, *runs])
    assert not (tmp_path / "both").exists()


def test_a_folder_of_something_else_is_refused_and_stays_as_it_was(tmp_path, photos, told):
    out = tmp_path / "thesis"
    out.mkdir()
    for name in ("chapter.tex", "data.csv", "notes.txt", "zoo.png"):
        (out / name).write_text("mine")
    message = told([*commands.words(out, photos), *QUICK])
    assert (
        "thesis is no run folder: it holds chapter.tex, data.csv, notes.txt and 1 more" in message
    )
    assert "thesis is no run folder" in told(["latency", "--out", out, "--methods", "telea"])
    with pytest.raises(InputError, match="holds something else than a pack"):
        make_pack(out, tiers=["small"], count=1, height=32, width=32, seed=0)
    with pytest.raises(InputError, match=r"that of a training, found chapter\.tex"):
        state.read(out, {}, out / "lama.jsonl")
    assert sorted(each.name for each in out.iterdir()) == [
        "chapter.tex", "data.csv", "notes.txt", "zoo.png",
    ]  # fmt: skip


def test_an_empty_folder_and_what_a_killed_start_left_are_taken(tmp_path):
    for name in ("new", "empty", "hidden", "left"):
        out = tmp_path / name
        if name != "new":
            out.mkdir()
        if name == "hidden":
            (out / ".gitignore").write_text("*\n")
        if name == "left":
            (out / ".lock").touch()
            (out / "photos").mkdir()
        with only_writer(out):
            assert (out / ".lock").exists()
    file = tmp_path / "file"
    file.write_text("mine")
    with pytest.raises(BenchError, match="cannot write into"), only_writer(file):
        pass


def test_a_pack_is_written_again_over_itself(tmp_path):
    for seed in (0, 1):
        make_pack(tmp_path, tiers=["small"], count=1, height=32, width=32, seed=seed)
    assert len(list(tmp_path.glob("small/*.png"))) == 1
