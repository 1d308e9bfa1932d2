"""Methods that are given the cases of a job together: a program in batch form, in real runs."""

import re
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import psutil
import pytest
from PIL import Image

from bench.cli import main
from methods.scene import scene
from tests.support import commands
from tests.support.environments import BATCH, calls, furnish, state

ROOT = Path(__file__).parents[3]
ONE_TIER = ["--tiers", "region"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """The program, and four photos of which one is dark."""
    folder = furnish(tmp_path_factory.mktemp("programs"))
    (folder / "photos").mkdir()
    for number, name in enumerate(("a", "b", "c", "dark")):
        photo = scene(64, 64, seed=number)[0]
        Image.fromarray(photo // 5 if name == "dark" else photo).save(
            folder / "photos" / f"{name}.png"
        )
    return folder


@pytest.fixture(autouse=True)
def _no_calls_yet(folder):
    (folder / "calls.txt").unlink(missing_ok=True)


def rows(out: Path, method: str = "mine") -> pd.DataFrame:
    return commands.cases(out).reset_index().query(f"method == '{method}'").set_index("photo")


def run_inline(out: Path, photos: Path, *more: str) -> int:
    """In this process, which has loaded everything."""
    return main([*commands.words(out, photos, *more), "--executor", "inline"])


def test_one_call_serves_a_job_and_its_seconds_are_shares(folder, tmp_path):
    out, asked = tmp_path / "out", state(folder, BATCH.format(how="good"))
    done = commands.run(out, folder / "photos", "--methods", asked, *ONE_TIER)
    assert done.returncode == 0, done.stderr
    found = rows(out)
    assert "mine: a made-up picture of 64x64 was filled" in done.stderr
    assert set(found["note"]) == {"seconds: a share of a batch of 4"}
    assert (found["seconds"] > 0).all()
    assert len(calls(folder)) == 3  # told ahead, loaded by the worker, the job
    assert run_inline(out, folder / "photos", "--methods", asked, *ONE_TIER) == 0
    same = rows(out)
    assert (same["worker"] == found["worker"]).sum() == 3  # each start makes one fill again


def test_a_photo_that_a_program_fails_on_costs_itself(folder, tmp_path):
    asked = state(folder, BATCH.format(how="fails"))
    assert run_inline(tmp_path / "out", folder / "photos", "--methods", asked, *ONE_TIER) == 1
    found = rows(tmp_path / "out")
    assert found["status"].to_dict() == {
        "a.png": "ok", "b.png": "ok", "c.png": "ok", "dark.png": "failed",
    }  # fmt: skip
    assert "exit status 3" in found.loc["dark.png", "reason"]
    assert "cannot take a dark picture" in found.loc["dark.png", "reason"]
    assert found.loc["a.png", "note"] == "seconds: a share of a batch of 1"


def test_a_call_that_hangs_is_ended_with_all_it_started_and_costs_its_case(folder, tmp_path):
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "dark.png"):
        shutil.copy(folder / "photos" / name, tmp_path / "photos")
    asked = state(folder, BATCH.format(how="hangs"))
    more = ["--methods", asked, *ONE_TIER, "--timeout", "4"]
    done = commands.run(tmp_path / "out", tmp_path / "photos", *more)
    assert done.returncode == 1, done.stderr
    found = rows(tmp_path / "out")
    assert found["status"].to_dict() == {"a.png": "ok", "dark.png": "timeout"}
    assert "took more than 4 s; tried 2 times" in found.loc["dark.png", "reason"]
    hung = [line.split()[1:] for line in calls(folder) if line.startswith("hanging")]
    assert len(hung) == 3  # in the job, and twice alone
    assert not any(psutil.pid_exists(int(pid)) for pids in hung for pid in pids)


SEES = ["[card]", 'title = "Remover"', 'sees = "visible"']


def test_what_sees_the_object_is_refused_where_the_photo_is_the_truth(folder, tmp_path, capsys):
    asked = state(folder, BATCH.format(how="good"), *SEES)
    assert run_inline(tmp_path / "out", folder / "photos", "--methods", asked) == 2
    said = capsys.readouterr().err
    assert "mine: sees = 'visible'" in said
    assert "--truth unknown" in said
    assert not (tmp_path / "out" / "run.json").exists()


def test_what_sees_the_object_is_shown_it_where_it_is_removed(folder, tmp_path):
    masks = tmp_path / "masks"
    masks.mkdir()
    for name in ("a", "b", "c", "dark"):
        Image.fromarray(scene(64, 64)[1]).save(masks / f"{name}.png")
    script = folder / "programs.py"
    before = script.read_text()
    try:  # it gives back what it is shown, less one grey level
        old = "picture[hole] = np.rint(picture[~hole].mean(0))"
        assert old in before
        script.write_text(before.replace(old, "picture[hole] -= 1"))
        asked = state(folder, BATCH.format(how="good"), *SEES)
        more = ["--methods", asked, "--masks", str(masks), "--truth", "unknown"]
        assert run_inline(tmp_path / "out", folder / "photos", *more) == 0
    finally:
        script.write_text(before)
    table = pd.read_parquet(tmp_path / "out" / "methods.parquet").set_index("method")
    assert table.loc["mine", "title"] == "Remover (sees the object)"
    found = rows(tmp_path / "out")
    assert set(found["status"]) == {"ok"}
    fill = np.array(Image.open(tmp_path / "out" / found.loc["a.png", "output"]))
    photo = np.array(Image.open(folder / "photos" / "a.png"))
    hole = scene(64, 64)[1]
    assert np.array_equal(fill[hole], photo[hole] - 1)


def test_the_examples_of_the_page_are_run(folder, tmp_path):
    page = (ROOT / "docs/methods/command.md").read_text("utf-8")
    for name, kind in (("mine", "toml"), ("fill", "py"), ("served", "toml"), ("serve", "py")):
        text = re.search(rf"`{name}.{kind}`.*?```\w+\n(.*?)```", page, re.DOTALL)
        (folder / f"{name}.{kind}").write_text(text[1])
    asked = f"mine=command:{folder / 'mine.toml'},served=command:{folder / 'served.toml'}"
    out = tmp_path / "out"
    assert run_inline(out, folder / "photos", "--methods", asked, *ONE_TIER) == 0
    one, other = rows(out), rows(out, "served")
    assert one["output_sha"].equals(other["output_sha"])
    assert set(one["status"]) == {"ok"}
    table = pd.read_parquet(out / "methods.parquet").set_index("method")
    assert table.loc["mine", "title"] == "Mean colour"
    assert "Python 3" in table.loc["mine", "implementation"]
