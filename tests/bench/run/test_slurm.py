"""The scripts for Slurm, run by bash as anybody can; tests/faults/test_slurm.py has a Slurm."""

import json
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bench.cli import main
from bench.cli import slurm as command
from bench.run import slurm
from tests.support import commands

METHODS = ("--methods", "telea,Raises=tests/support/faulty.py:Raises", "--samples", "2")


def bash(script: Path, *words: str, **environment: str) -> subprocess.CompletedProcess[str]:
    # Elsewhere than the command was given, and nowhere in a job.
    there = {k: v for k, v in os.environ.items() if not k.startswith("SLURM")}
    return subprocess.run(
        ["bash", str(script), *words], cwd="/", env={**there, **environment},
        capture_output=True, text=True, timeout=300,
    )  # fmt: skip


@pytest.fixture(scope="module")
def whole(tmp_path_factory, photos) -> Path:
    out = tmp_path_factory.mktemp("whole") / "out"
    assert main(commands.words(out, photos, *METHODS, "--executor", "inline")) == 1
    return out


@pytest.mark.slow
def test_shards_by_hand_are_merged_to_the_whole_and_what_is_missing_is_said(
    tmp_path, photos, whole, monkeypatch, capsys
):
    odd = tmp_path / "a 'very' \"odd\" 50% $HOME #name"
    odd.mkdir()
    os.symlink(photos, odd / "photos")
    out = odd / "out"
    with monkeypatch.context() as patch:
        patch.setenv("PATH", "/nowhere")
        words = commands.words(out, odd / "photos", *METHODS, "--executor", "slurm")
        assert main([*words, "--shards", "2"]) == 0
    shards, joined = out / "slurm/shards.sbatch", out / "slurm/merge.sbatch"
    assert f"by hand: bash {shlex.quote(str(shards))} 0" in capsys.readouterr().out
    nothing = bash(joined)
    assert nothing.returncode == 1
    assert "shards not finished: 0,1;" in nothing.stderr
    first = bash(shards, "0")
    assert first.returncode in (0, 1), first.stderr
    half = bash(joined)
    assert half.returncode == 1
    assert "shards not finished: 1;" in half.stderr
    assert "--array=1 " in half.stderr
    assert 0 < len(commands.cases(out)) < len(commands.cases(whole))
    second = bash(shards, SLURM_ARRAY_TASK_ID="1", SLURM_JOB_ID="1", SLURM_CPUS_PER_TASK="2")
    assert {first.returncode, second.returncode} == {0, 1}, second.stderr  # one has what fails
    assert commands.header(out / "slurm/1-of-2")["starts"][-1]["workers"] == 2
    again = bash(joined)
    assert again.returncode == 1, again.stderr  # as the whole
    assert "not finished" not in again.stderr
    pd.testing.assert_frame_equal(commands.quality(out), commands.quality(whole))
    for key in ("state", "fingerprint", "counts"):
        assert commands.header(out)[key] == commands.header(whole)[key]


# What a user may write, and Slurm or bash may not take for something else.
_WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])))


@settings(max_examples=12, deadline=None)
@given(words=_WORDS, folder=st.text("a %'\"$`#!~*;&|<>()[]{}é-", min_size=1, max_size=12))
def test_words_reach_the_shard_as_they_were_given(tmp_path_factory, words, folder):
    out = tmp_path_factory.mktemp("any") / f".{folder}"
    echo = out.parent / "echo"
    echo.write_text(
        f"#!{sys.executable}\nimport json, os, sys\nprint(json.dumps([os.getcwd(), *sys.argv[1:]]))"
    )
    echo.chmod(0o755)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys, "executable", str(echo))
        scripts = slurm.write(
            out, ["run", *words], ["--no-report"], count=3, sbatch=["--comment=it's 1 # 2"],
            threads=4,
        )  # fmt: skip
    for script in (scripts.shards, scripts.merge):
        subprocess.run(["bash", "-n", str(script)], check=True)
    done = bash(scripts.shards, "1", SLURM_JOB_ID="7", SLURM_CPUS_PER_TASK="9")
    here, *given = json.loads(done.stdout)
    part = str(out / "slurm/1-of-3")
    assert here == os.getcwd()
    assert given == [
        "-P", "-m", "bench", "run", *words, "--workers", "3", "--executor", "local",
        "--shard", "1/3", "--out", part, "--no-report",
    ]  # fmt: skip
    for number in ("0", "2"):
        (out / f"slurm/{number}-of-3").mkdir()
        (out / f"slurm/{number}-of-3/run.json").write_text(' "state": "incomplete",')
    done = bash(scripts.merge)
    assert json.loads(done.stdout)[1:] == [
        "-P", "-m", "bench", "merge", "--no-report", str(out),
        str(out / "slurm/0-of-3"), str(out / "slurm/2-of-3"),
    ]  # fmt: skip
    assert done.returncode == 1
    assert "not finished: 1;" in done.stderr


@pytest.mark.parametrize("spelt", [["--out", "x"], ["--out=x"]])
def test_only_what_is_the_scripts_own_is_left_out_of_the_command(spelt):
    given = ["run", *spelt, "--executor=slurm", "--methods", "telea,", "mean", "--seed", "-1",
             "--shards", "4", "--no-report", "--prompt=--out", "--sbatch=-t1", "--workers", "3",
             "--images", "--a b"]  # fmt: skip
    words, counted = command._words(given)
    assert counted
    assert words == ["run", "--methods", "telea,", "mean", "--seed", "-1", "--prompt=--out",
                     "--images", "--a b", "--workers", "3"]  # fmt: skip
    assert command._words(["run"]) == (["run"], False)


@pytest.mark.parametrize(
    ("more", "said"),
    [
        (["--latency"], "sbatch --exclusive"),
        (["--shard", "0/2"], "--shards says how many"),
        (["--sbatch=--array=0-3"], "--array is set by the scripts"),
        (["--sbatch=-a0-3"], "-a is set by the scripts"),
        (["--sbatch=--comment='x"], "No closing quotation"),
        (["--sbatch=--comment='x\ny'"], "in one line"),
        (["--methods", "telia"], "telea"),
        (["--metrics", "mine=nowhere.py:f"], "nowhere.py"),
        (["--methods", "theirs=folder:nowhere"], "nowhere"),
        (["--images", "nowhere"], "nowhere"),
        (["--images", "torn"], "no photo can be used: 'torn/torn.png'"),
        (["--timeout", "0"], "--timeout"),
        (["--out", "a\nb"], "give another --out"),
        (["--out", "a\\b"], "give another --out"),
        (["--out", "photos/out"], "inside the photos' folder"),
        (["--out", "strange"], "is no run folder"),
        (["--executor", "local", "--shards", "2"], "for --executor slurm only"),
    ],
)
def test_mistakes_are_found_before_anything_is_written(
    more, said, tmp_path, photos, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("PATH", "/nowhere")
    os.symlink(photos, "photos")
    for folder, file in (("torn", "torn.png"), ("strange", "letter.txt")):
        (tmp_path / folder).mkdir()
        (tmp_path / folder / file).write_text("no picture")
    before = sorted(tmp_path.rglob("*"))
    words = ["run", "--images", "photos", "--methods", "telea", "--executor", "slurm"]
    assert main([*words, *more]) == 2
    assert said in capsys.readouterr().err
    assert sorted(tmp_path.rglob("*")) == before


def test_another_count_of_shards_is_refused_in_one_folder(tmp_path, photos, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    words = commands.words(tmp_path / "out", photos, "--methods", "mean", "--executor", "slurm")
    assert main([*words, "--shards", "4"]) == 0
    (tmp_path / "out/slurm/3-of-4").mkdir()
    assert main([*words, "--shards", "5"]) == 2
    assert "3-of-4" in capsys.readouterr().err


def test_a_run_made_without_slurm_is_left_alone(tmp_path, photos, whole, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    before = sorted(whole.rglob("*"))
    assert main(commands.words(whole, photos, *METHODS, "--executor", "slurm")) == 2
    assert "give another --out" in capsys.readouterr().err
    assert sorted(whole.rglob("*")) == before


def test_weights_that_are_not_there_are_told(tmp_path, photos, monkeypatch, capsys):
    monkeypatch.setenv("PATH", "/nowhere")
    monkeypatch.setenv("INPAINT_BENCH_WEIGHTS", str(tmp_path))
    lama = ("--methods", "mean,lama:big-lama", "--executor", "slurm")
    assert main(commands.words(tmp_path / "out", photos, *lama)) == 0
    assert "lama:big-lama would not run: no weights here; run: inpaint-bench weights" in (
        capsys.readouterr().err
    )
