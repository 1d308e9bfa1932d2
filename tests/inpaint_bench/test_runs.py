"""Runs and comparisons from Python are those of the commands."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

import inpaint_bench as ib
from bench.cli import main
from methods import card
from tests.inpaint_bench.own_method import Grey
from tests.support import commands

FAST = {"size": 64, "metrics": ["psnr_db", "ssim_hole", "drift"], "offline": True}


@pytest.fixture(scope="module")
def out(tmp_path_factory) -> Path:
    return tmp_path_factory.mktemp("face") / "run"


@pytest.fixture(scope="module")
def found(out, photos):
    return ib.run(photos, methods=["telea", "noise"], out=out, executor="inline", **FAST)


@pytest.mark.slow
def test_a_run_is_that_of_the_command(found, tmp_path, photos):
    done = commands.run(tmp_path, photos, "--methods", "telea,noise")
    assert done.returncode == 0, done.stderr
    from_command = ib.read_run(tmp_path)
    columns = [*commands.KEYS, *FAST["metrics"], "output_sha", "fill_key", "measure_key"]
    one, other = (
        run.cases[columns].sort_values(commands.KEYS, ignore_index=True)
        for run in (found, from_command)
    )
    pd.testing.assert_frame_equal(one, other)


def test_one_fill_of_a_run_is_the_fill_of_one_picture(found, out):
    row = found.cases.merge(found.plan).query("method == 'telea' and tier == 'large'").iloc[0]
    photo, mask = (next(out.rglob(f"*{row[name]}*.png")) for name in ("photo_sha", "mask_sha"))
    filled = ib.fill(photo, mask, "telea")
    assert np.array_equal(filled, np.asarray(Image.open(out / row["output"])))
    values = ib.measure(filled, photo, mask, ["psnr_db", "ssim_hole"])
    assert values == {name: row[name] for name in values}


def test_an_existing_run_is_continued(found, out, photos):
    more = ib.run(photos, methods="mean", out=out, executor="inline", **FAST)
    assert {"telea", "noise", "mean"} <= set(more.cases["method"])
    kept = more.cases.merge(found.cases, on=commands.KEYS, suffixes=("", "_before"))
    assert (kept["output_sha"] == kept["output_sha_before"]).all()
    # One of the deterministic method's is made again, to be compared with the kept one.
    assert kept.loc[kept["worker"] != kept["worker_before"], "method"].tolist() == ["telea"]


def test_a_comparison_is_that_of_the_command(found, out, tmp_path):
    comparison = ib.compare(out, metrics="psnr_db", tiers=["large"])
    options = ["--metrics", "psnr_db", "--tiers", "large", "--format", "csv"]
    assert main(["compare", str(out), *options, "--out", str(tmp_path / "c.csv")]) == 0
    written = pd.read_csv(tmp_path / "c.csv")
    assert written["method"].tolist() == comparison.ranks["method"].tolist()
    assert set(comparison.ranks["tier"]) == {"large"}
    assert comparison.notes


def test_a_reference_is_that_of_the_command(found, out, tmp_path):
    pairs = ib.compare(out, metrics="psnr_db", reference="noise").pairs
    assert set(pairs["b"]) == {"noise"}
    options = ["--metrics", "psnr_db", "--format", "csv", "--out", str(tmp_path / "c.csv")]
    assert main(["compare", str(out), "--reference", "Noise", *options]) == 0
    written = pd.read_csv(tmp_path / "c-pairs.csv")
    assert written["p_adjusted"].to_numpy() == pytest.approx(pairs["p_adjusted"].to_numpy(float))


def test_a_reference_is_for_one_run(found, out, capsys):
    with pytest.raises(ib.BenchError, match="expected one run, found two"):
        ib.compare(found, out, reference="noise")
    assert main(["compare", str(out), str(out), "--reference", "noise"]) == 2
    assert main(["report", str(out), "--reference", "telae"]) == 2
    said = capsys.readouterr().err
    assert "for one run only" in said
    assert "Did you mean telea?" in said


def test_a_run_is_compared_with_another_and_with_itself(found, out):
    same = ib.compare(found, out, metrics=["psnr_db"])
    assert set(same.pairs["difference"].dropna()) <= {0.0}


@pytest.mark.parametrize("executor", ["local", pytest.param("ray", marks=pytest.mark.nightly)])
def test_a_class_of_a_module_is_run_by_workers(tmp_path, photos, executor):
    if executor == "ray":
        pytest.importorskip("ray", reason="Ray is not installed")
    how = {"executor": executor, "workers": 1}
    ib.run(photos, methods=["mean"], out=tmp_path, limit=1, **how, **FAST)
    own = ib.run(photos, methods=[Grey], out=tmp_path, limit=1, **how, **FAST)
    assert set(own.cases.query("method == 'grey'")["status"]) == {"ok"}


def test_a_class_that_workers_cannot_import_is_refused(tmp_path, photos, monkeypatch):
    made = type("Mine", (Grey,), {"__module__": "__main__"})
    with pytest.raises(ib.BenchError, match=r"methods=\['mine=mine:Mine'\].*executor='inline'"):
        ib.run(photos, methods=[made], out=tmp_path / "out")

    class Inner(Grey):
        pass

    with pytest.raises(ib.BenchError, match="one inside another or inside a function"):
        ib.run(photos, methods=[Inner], out=tmp_path / "out", executor="inline")
    with pytest.raises(ib.BenchError, match="an instance; each worker makes its own: give Grey"):
        ib.run(photos, methods=[Grey()], out=tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"images": "nowhere"}, "nothing at nowhere"),
        ({"methods": ["telaea"]}, "Did you mean telea"),
        ({"metrics": ["psnr"]}, "did you mean psnr_"),
        ({"tiers": ["huge"]}, "--tiers: the tiers are small, region, large"),
        ({"tiers": []}, "found none"),
        ({"size": 0}, "size: expected sides from 16 to 8192 pixels, found 0"),
        ({"size": 2.5}, "size: expected N .* found 2.5"),
        ({"draws": 0}, "--draws: expected a number from 1, found 0"),
        ({"limit": 0}, "--limit: expected a number from 1, found 0"),
        ({"samples": 0}, "--samples: expected a number from 1, found 0"),
        ({"workers": 0}, "--workers: expected a number from 1, found 0"),
        ({"shard": (2, 2)}, "--shard: expected I/N .* found 2/2"),
        ({"timeout": 0}, "--timeout"),
        ({"address": "auto"}, "only --executor ray joins a cluster"),
        ({"executor": "cluster"}, "expected one of local, inline, ray"),
        ({"masks": "m", "draws": 2}, "not with --masks"),
        ({"device": "abacus"}, "device 'abacus'"),
    ],
)
def test_what_cannot_be_served_is_refused(wrong, words, tmp_path, photos):
    asked = {"images": photos, "methods": ["mean"], "out": tmp_path / "out", **FAST, **wrong}
    with pytest.raises(ib.BenchError, match=words):
        ib.run(**asked)
    assert not (tmp_path / "out" / "run.json").exists()


def test_a_method_without_a_result_is_a_warning(tmp_path, photos):
    name = "AlwaysRaises=tests.support.faulty:AlwaysRaises"
    with pytest.warns(UserWarning, match="AlwaysRaises completed no case") as told:
        ib.run(photos, methods=name, out=tmp_path, limit=1, executor="inline", **FAST)
    assert told[0].filename == __file__


def test_a_report_is_built_where_asked_for(tmp_path, photos):
    ib.run(photos, methods=["mean"], out=tmp_path, limit=1, executor="inline", report=True, **FAST)
    assert (tmp_path / "report" / "index.html").exists()


def test_a_folder_that_is_no_run_is_refused(tmp_path):
    with pytest.raises(ib.InputError, match=r"run\.json"):
        ib.compare(tmp_path)


def test_what_there_is_is_what_the_command_lists(capsys):
    assert main(["list"]) == 0
    listed = capsys.readouterr().out
    table = ib.methods()
    assert all(f" {name} " in listed for name in table.index)
    assert all(", ".join(names) in listed for names in table["weights"])
    for name, row in table.iterrows():
        first = [f"{name}:{choice}" for choice in card(name).weights[:1]]
        assert bool(row["fetch"]) == (not set(first) <= set(row["weights"]))


def test_pairs_pools_and_clusters_are_arguments_and_kept_fills_follow_their_clusters(
    photos, tmp_path
):
    common = {"methods": ["mean"], "metrics": ["psnr_db"], "executor": "inline", "size": 64}
    table = tmp_path / "pairs.csv"
    table.write_text("photo,group,cluster\na.png,faces,one\nb.png,cats,one\n")
    out = tmp_path / "run"
    found = ib.run(photos, pairs=table, tiers=["large"], out=out, **common)
    assert found.plan["group"].tolist() == ["faces", "cats"]
    assert found.cases["cluster"].unique().tolist() == ["one"]
    table.write_text("photo,group\na.png,faces\nb.png,cats\n")
    again = ib.run(photos, pairs=table, tiers=["large"], out=out, **common)
    assert again.cases["cluster"].unique().tolist() == ["a.png", "b.png"]
    assert set(again.cases["worker"]) & set(found.cases["worker"])
    assert again.cases["output_sha"].tolist() == found.cases["output_sha"].tolist()

    pool = out / "masks"
    drawn = ib.run(
        photos, pool, pairing="pool", draws=2, clusters="folder", out=tmp_path / "pool", **common
    )
    assert drawn.plan.groupby("cluster").size().to_dict() == {".": 4, "nested": 2}
