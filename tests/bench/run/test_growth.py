"""Photos and holes added to a run that was finished, interrupted or killed: what was made stays."""

import os
import shutil
import signal
import subprocess
import time
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.cli import main
from bench.errors import BenchError
from bench.folder import header as headers
from bench.folder.store import RunFolder
from bench.planning.protocol import Protocol
from bench.run import growth
from bench.run.merge import merge
from bench.run.request import Request
from bench.run.runner import run
from tests.support import commands, removals

METRICS = ("psnr_db", "ssim_hole", "drift", "swd")
NOT_KEPT = ["worker", *commands.NOT_QUALITY]


@pytest.fixture
def folder(tmp_path, photos):
    """A folder of photos that will grow."""
    (tmp_path / "photos").mkdir()
    return add(tmp_path / "photos", photos, "b.png")


def add(folder, photos, name):
    shutil.copy(photos / name, folder / name)
    return folder


def request(out, folder, **changes):
    asked = {
        "protocol": Protocol(photos=str(folder), size=64, tiers=("small", "large")),
        "methods": ("mean", "noise"),
        "metrics": METRICS,
        "samples": 2,
        "executor": "inline",
        "offline": True,
    }
    return Request(out, **{**asked, **changes})


def made(out):
    """Fills by case and method, as often as they were made."""
    rows = RunFolder(out).read_fragments()
    return rows.groupby(["method", "photo", "tier", "sample"]).size()


def same_tables(out, other):
    """Everything but times is the same in two runs."""
    tables = [commands.quality(each).drop(columns=["output"]) for each in (out, other)]
    pd.testing.assert_frame_equal(*tables)
    for name in ("plan", "sets", "samples", "inputs"):
        tables = [pd.read_parquet(each / f"{name}.parquet") for each in (out, other)]
        pd.testing.assert_frame_equal(*(t.drop(columns="seconds", errors="ignore") for t in tables))
    one, other = (headers.read(RunFolder(each)) for each in (out, other))
    assert (one.fingerprint, one.counts, one.state) == (other.fingerprint, other.counts, "complete")


def test_a_photo_added_keeps_all_other_fills(tmp_path, photos, folder, capsys):
    out = tmp_path / "out"
    run(request(out, folder))
    before = commands.cases(out)
    add(folder, photos, "a.png")  # the numbers of all cases change
    capsys.readouterr()
    run(request(out, folder))
    assert (
        "1 photo added since the last start: 2 cases x 4 fills to make" in capsys.readouterr().err
    )
    after = commands.cases(out)
    kept = after.loc[before.index]
    # One fill of mean and none of noise is made again, to see whether it comes out the same.
    assert (kept["worker"] != before["worker"]).sum() == 1
    pd.testing.assert_frame_equal(kept.drop(columns=NOT_KEPT), before.drop(columns=NOT_KEPT))
    assert len(after) == 2 * len(before)
    assert made(out).sort_values().to_list() == [1] * (len(after) - 1) + [2]
    run(request(tmp_path / "whole", folder))
    same_tables(out, tmp_path / "whole")


def test_methods_of_earlier_starts_and_the_ceiling_fill_what_came_since(tmp_path, photos, folder):
    out = tmp_path / "out"
    run(request(out, folder, methods=("telea",)))
    add(folder, photos, "a.png")
    run(request(out, folder, methods=("mean",)))
    rows = commands.cases(out)
    assert rows.groupby("method").size().to_dict() == {"telea": 4, "mean": 4, "original": 4}
    assert set(rows["status"]) == {"ok"}
    run(request(tmp_path / "whole", folder, methods=("telea", "mean")))
    pd.testing.assert_frame_equal(
        commands.quality(out).sort_index(), commands.quality(tmp_path / "whole").sort_index()
    )


def test_a_method_that_is_gone_has_rows_that_say_so(tmp_path, photos, folder):
    out = tmp_path / "out"
    run(request(out, folder, methods=("telea",)))
    shutil.copytree(out / "outputs" / "telea", tmp_path / "theirs")
    run(request(out, folder, methods=(f"theirs=folder:{tmp_path / 'theirs'}",)))
    shutil.rmtree(tmp_path / "theirs")
    add(folder, photos, "a.png")
    for _ in range(2):  # the second start finds that nothing is to be done
        header = run(request(out, folder, methods=("telea",)))
        assert (header.state, header.missing) == ("complete", 0)
        own = commands.cases(out).loc["theirs"]
        assert own["status"].to_list() == ["unavailable"] * 2 + ["ok"] * 2
        assert (
            own["reason"].iloc[0].startswith("it cannot run now, and had not filled this before:")
        )
    assert made(out).loc["theirs"].to_list() == [1] * 4
    shutil.copytree(out / "outputs" / "telea", tmp_path / "theirs")  # and back
    run(request(out, folder, methods=("telea",)))
    assert set(commands.cases(out)["status"]) == {"ok"}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda f: (f / "a.png").unlink(), "photos: 1 only there (a.png)"),
        (lambda f: (f / "a.png").rename(f / "z.png"),
         "photos: 1 only there (a.png); photos: 1 only now (z.png)"),
        (lambda f: shutil.copy(f / "b.png", f / "a.png"), "photos: 1 with other content (a.png)"),
    ],
)  # fmt: skip
def test_photos_that_are_gone_or_changed_are_named_and_nothing_is_touched(
    tmp_path, photos, folder, change, said
):
    out = tmp_path / "out"
    add(folder, photos, "a.png")
    run(request(out, folder, methods=("mean",)))
    before = {path: path.read_bytes() for path in out.rglob("*.parquet")}
    change(folder)
    with pytest.raises(BenchError) as refused:
        run(request(out, folder, methods=("mean",)))
    assert f"holds a run with another protocol ({said})" in str(refused.value)
    Image.fromarray(np.full((70, 70, 3), 90, np.uint8)).save(folder / "new.png")  # nor with more
    with pytest.raises(BenchError, match=r"photos: (1|2) only now"):
        run(request(out, folder, methods=("mean",)))
    assert before == {path: path.read_bytes() for path in out.rglob("*.parquet")}


def test_other_options_are_no_growth(tmp_path, photos, folder):
    out = tmp_path / "out"
    more = Protocol(photos=str(folder), size=64, tiers=("small", "large"), draws=2)
    run(request(out, folder, methods=("mean",)))
    with pytest.raises(BenchError, match="draws: 1 there, 2 now"):
        run(request(out, folder, methods=("mean",), protocol=more))


def masked(tmp_path, photos, folder):
    masks = tmp_path / "masks"
    masks.mkdir()
    hole = np.zeros((128, 128), np.uint8)
    hole[40:90, 30:80] = 255
    add(folder, photos, "a.png")
    Image.fromarray(hole).save(masks / "b_mask0.png")
    protocol = Protocol(photos=str(folder), masks=str(masks), size=None)
    return masks, hole, protocol


def test_a_photo_that_gets_its_mask_later(tmp_path, photos, folder, capsys):
    masks, hole, protocol = masked(tmp_path, photos, folder)
    out = tmp_path / "out"
    run(request(out, folder, protocol=protocol))
    assert len(commands.cases(out).loc["mean"]) == 1
    Image.fromarray(hole).save(masks / "a.png")
    Image.fromarray(hole[::-1]).save(masks / "b_mask1.png")
    capsys.readouterr()
    run(request(out, folder, protocol=protocol))
    said = "1 photo and 1 hole added since the last start: 2 cases x 4 fills to make"
    assert said in capsys.readouterr().err
    assert len(commands.cases(out).loc["mean"]) == 3
    run(request(tmp_path / "whole", folder, protocol=protocol))
    same_tables(out, tmp_path / "whole")


def test_photos_with_truths_can_be_added(tmp_path):
    given = removals.write(tmp_path / "given", count=3)
    later = [given / place / "00.png" for place in ("photos", "truth", "masks")]
    for path in later:
        path.rename(path.with_suffix(".aside"))
    run(removals.request(tmp_path / "out", given, truth="truth"))
    for path in later:
        path.with_suffix(".aside").rename(path)
    run(removals.request(tmp_path / "out", given, truth="truth"))
    run(removals.request(tmp_path / "whole", given, truth="truth"))
    same_tables(tmp_path / "out", tmp_path / "whole")
    Image.new("RGB", (64, 64)).save(later[1])
    with pytest.raises(BenchError, match="another protocol"):
        run(removals.request(tmp_path / "out", given, truth="truth"))


def test_shards_made_before_and_after_are_not_merged_until_both_have_grown(
    tmp_path, photos, folder
):
    parts = [tmp_path / "part0", tmp_path / "part1"]
    for index, part in enumerate(parts):
        run(request(part, folder, shard=(index, 2)))
    old = [RunFolder(part).read_fragments() for part in parts]
    add(folder, photos, "a.png")
    run(request(parts[0], folder, shard=(0, 2)))
    with pytest.raises(BenchError, match=r"photos: 1 only in A \(a.png\)"):
        merge(tmp_path / "merged", parts)
    run(request(parts[1], folder, shard=(1, 2)))
    merge(tmp_path / "merged", parts)
    run(request(tmp_path / "whole", folder))
    same_tables(tmp_path / "merged", tmp_path / "whole")
    for part, before in zip(parts, old, strict=True):  # a case stays with its shard
        rows = RunFolder(part).read_fragments()
        assert rows.duplicated(commands.KEYS).sum() <= 2  # to see whether they come out the same
        assert set(before["case_key"]) <= set(rows["case_key"])


def test_a_killed_start_that_had_grown_loses_nothing(tmp_path, photos, folder):
    out = tmp_path / "out"
    run(request(out, folder))
    before = commands.cases(out)
    store = RunFolder(out)
    header = headers.read(store)
    add(folder, photos, "a.png")
    run(request(tmp_path / "whole", folder))
    # As if it ended between the two: the plan is that of three, the header that of two photos.
    replace(header, state="running", inputs_key="").write(store)
    for name in ("plan.parquet", "inputs.parquet"):
        shutil.copy(tmp_path / "whole" / name, out / name)
    (folder / "a.png").rename(tmp_path / "a.png")
    shutil.copytree(out, tmp_path / "back")
    run(request(tmp_path / "back", folder))  # the photo is taken away again
    pd.testing.assert_frame_equal(
        commands.cases(tmp_path / "back").drop(columns=NOT_KEPT), before.drop(columns=NOT_KEPT)
    )
    (tmp_path / "a.png").rename(folder / "a.png")
    for path in (tmp_path / "whole" / "photos", tmp_path / "whole" / "masks"):
        shutil.copytree(path, out / path.name, dirs_exist_ok=True)
    run(request(out, folder))
    same_tables(out, tmp_path / "whole")
    assert made(out).max() == 2  # those made again to be compared
    assert (made(out) > 1).sum() <= 1


@pytest.mark.nightly
def test_killed_in_the_middle_of_what_was_added(tmp_path, photos, folder):
    out, marker = tmp_path / "out", tmp_path / "started"
    words = ("--methods", "mean,Slow=tests.support.faulty:Slow", "--workers", "1")
    quick = {**os.environ, "SLOW_SECONDS": "0"}
    assert commands.run(out, folder, *words, env=quick).returncode == 0
    before = commands.cases(out)
    add(folder, photos, "a.png")
    process = subprocess.Popen(
        commands.command(out, folder, *words), stderr=subprocess.DEVNULL, start_new_session=True,
        env={**os.environ, "SLOW_SECONDS": "60", "SLOW_STARTED": str(marker)},
    )  # fmt: skip
    while not marker.exists():
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    assert commands.run(out, folder, *words, env=quick).returncode == 0
    after = commands.cases(out)
    assert len(after) == 2 * len(before)
    pd.testing.assert_series_equal(after.loc[before.index, "output_sha"], before["output_sha"])
    assert set(after["status"]) == {"ok"}


def test_holes_of_another_version_stay_and_new_ones_are_drawn(tmp_path, photos, folder):
    run(request(tmp_path / "one", folder, methods=("mean",)))
    add(folder, photos, "a.png")
    run(request(tmp_path / "two", folder, methods=("mean",)))
    earlier, now = (growth.plan_of(RunFolder(tmp_path / name)) for name in ("one", "two"))
    drawn = earlier.assign(mask_sha="0" * 16, case_key=[f"other {n}" for n in range(len(earlier))])
    both = growth.with_earlier_holes(drawn, now)
    assert both["case"].to_list() == list(range(len(now)))
    old = both["photo"].isin(earlier["photo"])
    assert both.loc[old, "case_key"].to_list() == drawn["case_key"].to_list()
    pd.testing.assert_frame_equal(both[~old], now[~old])
    gone = now[now["photo"] == "a.png"].reset_index(drop=True)
    assert growth.with_earlier_holes(drawn, gone) is gone


def test_plan_says_what_a_grown_run_would_do(tmp_path, photos, folder, capsys):
    words = ["--images", str(folder), "--size", "64", "--out", str(tmp_path / "out")]
    more = ["--methods", "mean", "--metrics", "psnr_db", "--executor", "inline", "--no-report"]
    assert main(["run", *words, *more]) == 0
    add(folder, photos, "a.png")
    capsys.readouterr()
    main(["plan", *words, "--methods", "mean"])
    assert "another protocol" not in capsys.readouterr().out
