"""How far samples of one case are from each other: the measure, and its table in a run."""

import itertools
import math

import html5lib
import lpips
import numpy as np
import pandas as pd
import pytest
import torch

from bench.errors import Declined, InputError
from bench.folder.read import Reader
from bench.folder.store import RunFolder
from bench.metrics.diversity import diversity, identical, names
from bench.metrics.perceptual import Lpips
from bench.planning.protocol import Protocol
from bench.run import compaction
from bench.run.merge import merge
from bench.run.request import Request
from bench.run.runner import run
from methods.card import Card
from methods.floors import NoiseFill
from reports.build import build

METRICS = ("psnr_db", "ssim_hole", "lpips_untrained")
CASE = ["method", "photo", "tier", "draw"]


@pytest.fixture(scope="module")
def network():
    return "lpips_untrained", Lpips(None)


def samples(count, height=48, width=64, seed=0):
    """Pictures that differ in the hole alone, a box of 34 x 40 and a stroke."""
    rng = np.random.default_rng(seed)
    hole = np.zeros((height, width), bool)
    hole[4:38, 10:50] = True
    hole[:, 30] = True
    photo = rng.integers(0, 256, (height, width, 3), np.uint8)
    fills = rng.integers(0, 256, (count, height, width, 3), np.uint8)
    return [np.where(hole[..., None], fill, photo) for fill in fills], hole


def test_equal_samples_have_no_distance_at_all(network):
    (picture,), hole = samples(1)
    found = diversity([picture, picture.copy(), picture.copy()], hole, network)
    assert found == identical("lpips_untrained")
    assert set(found.values()) == {0.0}


def test_the_order_of_samples_is_of_no_account(network):
    pictures, hole = samples(4)
    found = diversity(pictures, hole, network)
    for order in ([3, 1, 0, 2], [1, 0, 2, 3]):
        assert diversity([pictures[i] for i in order], hole, network) == found


def test_a_single_sample_has_no_diversity_rather_than_none(network):
    pictures, hole = samples(1)
    found = diversity(pictures, hole, network)
    assert list(found) == list(names("lpips_untrained"))
    assert all(math.isnan(value) for value in found.values())


def test_it_is_the_mean_over_all_pairs(network):
    pictures, hole = samples(4)
    found = diversity(pictures, hole, network)
    pairs = list(itertools.combinations(pictures, 2))
    apart = [np.abs(a.astype(float) - b) / 255 for a, b in pairs]
    assert found["diversity_l1"] == pytest.approx(np.mean(apart))
    assert found["diversity_l1_hole"] == pytest.approx(np.mean([each[hole] for each in apart]))
    each = [diversity(pair, hole, network) for pair in pairs]
    for name in names("lpips_untrained"):
        assert found[name] == pytest.approx(np.mean([values[name] for values in each]))


def test_lpips_is_that_of_the_package_on_the_picture_and_on_the_box(network):
    (first, second), hole = samples(2)
    hole[:, 30] = hole[:, 31]  # the box alone
    found = diversity([first, second], hole, network)
    model = network[1]._model

    def package(a, b):
        planes = (torch.from_numpy(x.copy()).permute(2, 0, 1)[None] / 127.5 - 1 for x in (a, b))
        with torch.inference_mode():
            return float(model(*planes))

    assert isinstance(model, lpips.LPIPS)
    whole, box = package(first, second), package(first[4:38, 10:50], second[4:38, 10:50])
    assert found["diversity_lpips_untrained"] == pytest.approx(whole, rel=1e-5)
    assert found["diversity_lpips_untrained_box"] == pytest.approx(box, rel=1e-5)
    assert found["diversity_lpips_untrained_hole"] > found["diversity_lpips_untrained"]


def test_differences_outside_of_the_hole_count_for_the_whole_picture_alone():
    (picture,), _ = samples(1)
    hole = np.zeros((48, 64), bool)
    hole[:, 40:] = True
    other = picture.copy()
    other[:, :10] = 255 - other[:, :10]
    found = diversity([picture, other], hole)
    assert found["diversity_l1"] > 0
    assert found["diversity_l1_hole"] == 0


def test_what_cannot_be_had_is_nan(network):
    pictures, hole = samples(2)
    found = diversity(pictures, np.zeros_like(hole), network)
    assert {name for name, value in found.items() if math.isnan(value)} == {
        "diversity_l1_hole", "diversity_lpips_untrained_hole", "diversity_lpips_untrained_box",
    }  # fmt: skip
    narrow = np.zeros_like(hole)
    narrow[:, :31] = True
    found = diversity(pictures, narrow, network)
    assert math.isnan(found["diversity_lpips_untrained_box"])
    assert found["diversity_lpips_untrained_hole"] > 0


def test_samples_of_several_sizes_are_refused():
    pictures, hole = samples(2)
    with pytest.raises(InputError, match=r"expected \(48, 64, 3\) as the hole"):
        diversity([pictures[0], pictures[1][:40]], hole)


# -- the table of a run -------------------------------------------------------------------------


def request(out, photos, **changes):
    standard = {
        "protocol": Protocol(photos=str(photos), size=96, tiers=("region",)),
        "methods": ("noise", "telea"),
        "metrics": (*METRICS, "swd"),
        "samples": 3,
        "executor": "inline",
        "offline": True,
    }
    return Request(out, **{**standard, **changes})


@pytest.fixture(scope="module")
def finished(tmp_path_factory, photos):
    out = tmp_path_factory.mktemp("diversity") / "out"
    run(request(out, photos))
    return RunFolder(out)


def tables(store):
    samples = store.read_table("samples.parquet").set_index(CASE)
    return samples.sort_index(), store.read_table("cases.parquet").set_index(CASE).sort_index()


def test_each_case_of_each_method_has_the_mean_best_and_worst_of_its_samples(finished):
    table, cases = tables(finished)
    assert set(table.index) == set(cases.index)
    assert not table.index.duplicated().any()
    assert table["samples"].groupby("method").unique().str[0].to_dict() == {
        "noise": 3, "telea": 1, "original": 1,
    }  # fmt: skip
    own = cases.loc[["noise"]].groupby(CASE)
    noise = table.loc[["noise"]].sort_index()
    for name in METRICS:
        best, worst = ("min", "max") if "lpips" in name else ("max", "min")
        for over, expected in (("mean", "mean"), ("best", best), ("worst", worst)):
            values = own[name].agg(expected).sort_index()
            assert np.allclose(noise[f"{name}_{over}"], values, rtol=1e-12)
    assert (table.loc["original", "psnr_db_mean"] == 100).all()


def test_only_methods_that_draw_are_diverse(finished):
    table, _ = tables(finished)
    distances = table[list(names("lpips_untrained"))]
    assert (distances.loc[["telea", "original"]] == 0).all(axis=None)
    # Two numbers at random between 0 and 1 are 1/3 apart.
    assert np.allclose(distances.loc["noise", "diversity_l1_hole"], 1 / 3, atol=0.01)
    assert (distances.loc["noise"].drop(columns="diversity_lpips_untrained_box") > 0).all(axis=None)


def test_the_distances_are_those_of_the_saved_pictures(finished):
    table, cases = tables(finished)
    plan = finished.read_table("plan.parquet").set_index(CASE[1:])
    for case, row in table.loc["noise"].iterrows():
        outputs = cases.loc[("noise", *case)].sort_values("sample")["output"]
        pictures = [finished.read_picture(name).astype(float) / 255 for name in outputs]
        hole = finished.read_picture(f"masks/{plan.loc[case, 'mask_sha']}.png")
        apart = [np.abs(a - b)[hole].mean() for a, b in itertools.combinations(pictures, 2)]
        assert row["diversity_l1_hole"] == pytest.approx(np.mean(apart))


def test_rankings_do_not_see_it(finished, tmp_path, photos):
    run(request(tmp_path / "single", photos, samples=1))
    single = RunFolder(tmp_path / "single")
    values, expected = (
        store.read_table("sets.parquet").drop(columns="seconds") for store in (single, finished)
    )
    assert set(values["method"]) == {"noise", "telea", "original"}
    pd.testing.assert_frame_equal(values, expected)
    # Nothing was drawn twice, so there is nothing to tell.
    table = single.read_table("samples.parquet")
    assert table.empty
    assert list(table) == list(finished.read_table("samples.parquet"))


def test_a_lost_picture_is_told_and_its_numbers_stay(tmp_path, photos):
    out = tmp_path / "out"
    run(request(out, photos, methods=("noise",), samples=2, metrics=("l1",)))
    lost = next(iter((out / "outputs" / "noise").rglob("*-s1.png")))
    lost.unlink()
    # As a run ends: its next start would make the picture again.
    store = RunFolder(out)
    compaction.finish(store, Reader(store, ()).header, state="complete")
    table, _ = tables(store)
    told = table[table["note"] == "not all pictures of the samples are kept"]
    assert len(told) == 1
    assert told["l1_mean"].notna().all()
    assert told[["diversity_l1", "diversity_l1_hole"]].isna().all(axis=None)
    # Without LPIPS among the metrics there is none between samples.
    assert [name for name in table if name.startswith("diversity")] == list(names())


class Stubborn(NoiseFill):
    """Gives one sample of b.png and two of the others."""

    card = Card("stubborn", "Stubborn", "floor", stochastic=True)

    def begin(self, case):
        if case.sample >= (1 if case.photo == "b.png" else 2):
            raise Declined("that is enough")


def test_samples_that_were_not_completed_are_left_out(tmp_path, photos):
    out = tmp_path / "out"
    methods = ("stubborn=tests.bench.metrics.test_diversity:Stubborn",)
    run(request(out, photos, methods=methods, samples=3, metrics=("l1",)))
    table, _ = tables(RunFolder(out))
    own = table.loc["stubborn"].reset_index().set_index("photo")
    assert own["samples"].to_dict() == {"a.png": 2, "b.png": 1, "nested/c.png": 2}
    assert np.isnan(own.loc["b.png", "diversity_l1"])
    assert own.loc["b.png", "note"] == "one sample: nothing to compare it with"
    assert (own.loc[["a.png", "nested/c.png"], "diversity_l1"] > 0).all()
    assert (own["l1_best"] <= own["l1_mean"]).all()


def test_shards_put_together_have_the_same_table(finished, tmp_path, photos):
    shards = [tmp_path / "0", tmp_path / "1"]
    for number, out in enumerate(shards):
        run(request(out, photos, shard=(number, 2)))
    merge(tmp_path / "whole", shards)
    merged, _ = tables(RunFolder(tmp_path / "whole"))
    expected, _ = tables(finished)
    pd.testing.assert_frame_equal(merged, expected)


# -- the page of the report ---------------------------------------------------------------------


def text_of(page):
    parser = html5lib.HTMLParser(strict=True)
    return " ".join("".join(parser.parse(page.read_bytes()).itertext()).split())


def shown(page, table):
    """The numbers in the first row of a table, without their intervals."""
    tree = html5lib.parse(page.read_bytes(), namespaceHTMLElements=False)
    row = tree.findall(".//tbody")[table].find("tr")
    cells = [next(cell.itertext()).split()[0] for cell in row.findall("td")]
    return [float(cell) for cell in cells if not cell[0].isalpha()]


def test_the_report_has_a_page_on_samples_with_the_means_of_the_table(finished, tmp_path):
    report = build(finished.path, tmp_path / "report").parent
    page = text_of(report / "samples.html")
    table, _ = tables(finished)
    noise = table.loc["noise"]
    assert "Telea" not in page
    assert "Oracle best" in page
    assert "untrained features: in place of LPIPS, never comparable" in page
    distances = [noise[name].mean() for name in names("lpips_untrained")]
    assert shown(report / "samples.html", 0) == pytest.approx([3, len(noise), *distances], rel=0.1)
    over = [noise[f"psnr_db_{each}"].mean() for each in ("mean", "best", "worst")]
    assert shown(report / "samples.html", 1) == pytest.approx(over, abs=0.06)
    assert 'href="samples.html"' in (report / "index.html").read_text("utf-8")
    kept = pd.read_csv(report / "data" / "samples.csv")
    assert len(kept) == len(table)


def test_without_several_samples_there_is_no_such_page(tmp_path, photos):
    run(request(tmp_path / "run", photos, samples=1, metrics=("l1",)))
    report = build(tmp_path / "run").parent
    assert not (report / "samples.html").exists()
    assert "samples" not in (report / "index.html").read_text("utf-8")
    assert not (report / "data" / "samples.csv").exists()
