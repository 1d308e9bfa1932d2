"""What workers make ready for the report: which cases, and thumbnails that it takes over."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bench.folder import shown_cases, thumbnails
from bench.planning.protocol import Protocol
from bench.run import runner
from bench.run.merge import merge
from bench.run.request import Request
from reports.build import build
from tests.support.reading import snapshot


def plan_of(**counts: int) -> pd.DataFrame:
    return pd.DataFrame(
        {"photo": f"{i}.png", "tier": tier, "draw": 0}
        for tier, count in counts.items()
        for i in range(count)
    )


def test_small_tiers_are_shown_whole_and_of_large_ones_the_first_by_hash():
    plan = plan_of(small=100, large=101)
    certain = shown_cases.surely_shown(plan)
    assert certain.groupby(plan["tier"]).sum().to_dict() == {"small": 100, "large": 40}
    hashes = shown_cases.case_hashes(plan)[plan["tier"] == "large"]
    assert sorted(hashes[certain]) == sorted(hashes)[:40]


def test_the_choice_does_not_depend_on_the_order_of_the_plan():
    plan = plan_of(large=300)
    mixed = plan.sample(frac=1, random_state=0)
    assert shown_cases.surely_shown(mixed).sort_index().equals(shown_cases.surely_shown(plan))


@pytest.fixture(scope="module")
def finished(tmp_path_factory, photos) -> Path:
    out = tmp_path_factory.mktemp("shown") / "run"
    runner.run(
        Request(out, Protocol(photos=str(photos), size=64, tiers=("small", "large")),
                methods=("telea", "mean"), metrics=("psnr_db", "ssim_hole"), executor="inline",
                offline=True)
    )  # fmt: skip
    return out


def test_workers_make_a_thumbnail_of_every_fill_that_will_be_shown(finished):
    cases = pd.read_parquet(finished / "cases.parquet")
    fills = cases[cases["method"] != "original"]
    assert len(fills) == 2 * 6
    plan = pd.read_parquet(finished / "plan.parquet").set_index(["photo", "tier", "draw"])
    for row in fills.to_dict("records"):
        data = (finished / row["thumbnail"]).read_bytes()
        assert Path(row["thumbnail"]).stem == hashlib.sha256(data).hexdigest()[:16]
        facts = plan.loc[(row["photo"], row["tier"], row["draw"])]
        paths = row["output"], f"masks/{facts['mask_sha']}.png"
        fill, hole = (np.array(Image.open(finished / path)) for path in paths)
        assert data == thumbnails.small_patch(fill, hole)


def test_fills_that_no_report_will_show_have_none(tmp_path, photos, monkeypatch):
    monkeypatch.setattr(shown_cases, "ALL_UP_TO", 2)
    monkeypatch.setattr(shown_cases, "AT_RANDOM", 1)
    protocol = Protocol(photos=str(photos), size=64, tiers=("small",))
    runner.run(Request(tmp_path / "run", protocol, methods=("mean",), metrics=("psnr_db",),
                       executor="inline", offline=True))  # fmt: skip
    cases = pd.read_parquet(tmp_path / "run" / "cases.parquet").query("method == 'mean'")
    assert (cases["thumbnail"] != "").sum() == 1
    assert (cases["output"] != "").all()


def test_the_report_takes_them_over_and_makes_its_own_of_none(finished, tmp_path, monkeypatch):
    made = []
    encode = thumbnails._encoded
    monkeypatch.setattr(thumbnails, "_encoded", lambda each: made.append(each) or encode(each))
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    ready = snapshot(build(folder, tmp_path / "ready").parent / "pictures")
    # Originals and masks; the thumbnails with the hole marked are of other pixels too.
    assert len(made) == 3 + 6 + 6
    shutil.rmtree(folder / "thumbs")
    own = snapshot(build(folder, tmp_path / "own").parent / "pictures")
    assert len(made) == 2 * 15 + 12
    assert own == ready


def test_a_damaged_or_foreign_thumbnail_is_made_again(finished, tmp_path):
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    expected = snapshot(build(folder, tmp_path / "good").parent / "pictures")
    cases = pd.read_parquet(folder / "cases.parquet")
    first, second = cases["thumbnail"].unique()[:2]
    (folder / first).write_bytes(b"torn")
    (tmp_path / "secret.webp").write_bytes((folder / second).read_bytes())
    cases["thumbnail"] = cases["thumbnail"].replace(second, "../secret.webp")
    cases.to_parquet(folder / "cases.parquet", index=False)
    assert snapshot(build(folder, tmp_path / "again").parent / "pictures") == expected


def test_a_table_of_before_there_were_thumbnails_still_makes_a_report(finished, tmp_path):
    folder = Path(shutil.copytree(finished, tmp_path / "run"))
    cases = pd.read_parquet(folder / "cases.parquet").drop(columns="thumbnail")
    cases.to_parquet(folder / "cases.parquet", index=False)
    expected = snapshot(build(finished, tmp_path / "new").parent / "pictures")
    assert snapshot(build(folder, tmp_path / "old").parent / "pictures") == expected


def test_merged_runs_keep_their_thumbnails(finished, tmp_path):
    merge(tmp_path / "merged", [finished])
    assert snapshot(tmp_path / "merged" / "thumbs") == snapshot(finished / "thumbs")
