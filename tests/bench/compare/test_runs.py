"""Comparing methods within a run and between runs."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from bench.cli import main
from bench.compare import sets, sets_of_two_runs
from bench.compare.asked import facts
from bench.compare.asked import read as read_run
from bench.compare.formats import FORMATS
from bench.compare.layout import blocks, notes
from bench.compare.runs import compare_between, compare_within
from bench.errors import BenchError, InputError
from bench.folder.read import Run
from bench.folder.read import read_run as read_all
from bench.folder.store import RunFolder
from bench.metrics import METRICS
from bench.metrics.distribution import u_ids
from bench.statistics import (
    Comparison,
    Facts,
    compare_methods,
    compare_pairs,
    mean_interval,
)
from bench.statistics.groups import Estimate, group_of
from tests.support.made_up_run import FINGERPRINT, METHODS, write_features, write_run
from tests.support.reading import change_header, edit


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_run(tmp_path_factory.mktemp("runs") / "one")


@pytest.fixture(scope="module")
def other(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The same methods again, ``plain`` improved."""
    return write_run(tmp_path_factory.mktemp("runs") / "two", seed=1, gain=0.8)


@pytest.fixture(scope="module")
def within(folder: Path) -> Comparison:
    return compare_within(read_run(folder), ["psnr_db", "l1"])


def test_texts_read_as_categories_and_columns_left_out_change_nothing(folder, other):
    lean, whole = ([read(path) for path in (folder, other)] for read in (read_run, read_all))
    assert isinstance(lean[0].cases["photo"].dtype, pd.CategoricalDtype)
    assert not isinstance(whole[0].cases["photo"].dtype, pd.CategoricalDtype)
    for metrics in (None, ["all"]):
        found = [compare_within(runs[0], metrics) for runs in (lean, whole)]
        assert FORMATS["json"](found[0]) == FORMATS["json"](found[1])
        found = [compare_between(*runs, metrics) for runs in (lean, whole)]
        assert FORMATS["json"](found[0]) == FORMATS["json"](found[1])


def test_ranks_are_ranges_with_letters_and_floors_have_none(within):
    ranks = within.ranks[within.ranks["metric"] == "psnr_db"].set_index("method")
    assert list(ranks.index[:1]) == ["good_one"]
    assert set(ranks.index) == set(METHODS) - {"gap|py"}
    assert ranks.loc["good_one", ["rank_first", "rank_last", "group"]].tolist() == [1, 1, "a"]
    for name in ("plain", "twin"):
        assert ranks.loc[name, ["rank_first", "rank_last", "group"]].tolist() == [2, 3, "b"]
    for name, role in (("mean", "floor"), ("original", "ceiling")):
        assert ranks.loc[name, ["role", "group"]].tolist() == [role, ""]
        assert pd.isna(ranks.loc[name, "rank_first"])
    assert (ranks["n"] == 60).all()
    assert (ranks["photos"] == 30).all()


def test_a_metric_of_which_less_is_better_ranks_the_same(within):
    orders = [
        within.ranks[within.ranks["metric"] == name]["method"].tolist()
        for name in ("psnr_db", "l1")
    ]
    assert orders[0][0] == orders[1][0] == "good_one"
    assert set(within.ranks["better"]) == {"higher", "lower"}


def test_pairs_are_those_of_the_cases(folder, within):
    pair = within.pairs.query("metric == 'psnr_db' and a == 'good_one' and b == 'plain'").iloc[0]
    cases = read_run(folder).cases.set_index("method")
    a, b = (cases.loc[name, "psnr_db"].to_numpy() for name in ("good_one", "plain"))
    photos = cases.loc["plain", "cluster"].to_numpy()
    expected = mean_interval(a - b, photos)
    assert (pair["difference"], pair["low"], pair["high"]) == pytest.approx(
        (expected.mean, expected.low, expected.high)
    )
    values = pd.DataFrame({"a": a, "b": b})
    (alone,) = compare_pairs(
        values, pd.Series(photos), [("a", "b")], metric="psnr_db", higher=True
    ).itertuples()
    assert pair["p"] == alone.p == alone.p_adjusted
    assert pair["low_joint"] < alone.low_joint < alone.high_joint < pair["high_joint"]
    assert pair["verdict"] == "a better"
    assert len(within.pairs) == 2 * 10


def test_infinite_decibels_are_capped_and_counted(within):
    ranks = within.ranks.query("metric == 'psnr_db' and method == 'original'")
    assert ranks["mean"].item() == 100
    assert any("original equals the photo in 60 cases" in note for note in within.notes)


def test_an_incomplete_method_stands_apart_with_its_own_cases(folder, within):
    row = within.partial[within.partial["metric"] == "psnr_db"].iloc[0]
    cases = read_run(folder).cases
    own = cases[(cases["method"] == "gap|py") & (cases["status"] == "ok")]
    assert (row["method"], row["n"], row["n_paired"], row["reference"]) == (
        "gap|py", 50, 50, "good_one"
    )  # fmt: skip
    assert row["coverage"] == pytest.approx(50 / 60)
    assert row["mean"] == pytest.approx(own["psnr_db"].mean())
    best = cases[cases["method"] == "good_one"].merge(own[["photo", "draw"]])
    assert row["difference"] == pytest.approx(own["psnr_db"].mean() - best["psnr_db"].mean())
    assert row["difference_low"] < row["difference"] < row["difference_high"] < 0


def test_ranked_methods_are_compared_on_what_all_completed(folder):
    run = read_run(folder)
    cases = run.cases.copy()
    lost = (cases["method"] == "twin") & (cases["photo"] == "p003.png") & (cases["draw"] == 0)
    cases.loc[lost, "status"] = "failed"
    found = compare_methods(cases, run.methods, Facts("l1", higher=False), "small", expected=60)
    assert set(found.ranks["n"]) == {59}
    assert set(found.pairs["n"]) == {59}


def without_values(run: Run, counts: dict[str, int]) -> Comparison:
    """Compare by l1 after taking it away from the first cases of some methods."""
    cases = run.cases.copy()
    for name, count in counts.items():
        cases.loc[cases.index[cases["method"] == name][:count], "l1"] = np.nan
    return compare_methods(cases, run.methods, Facts("l1", higher=False), "small", expected=60)


def test_a_case_without_a_value_is_left_out_for_all_ranked_methods(folder):
    found = without_values(read_run(folder), {"twin": 2})
    assert set(found.ranks["n"]) == set(found.pairs["n"]) == {58}
    assert any("twin has no value in 2" in note for note in found.notes)
    assert any("small, l1: ranked on 58 of 60 cases" in note for note in found.notes)


@pytest.mark.parametrize("missing", [7, 60])
def test_a_method_with_values_on_too_few_cases_is_not_ranked(folder, missing):
    found = without_values(read_run(folder), {"twin": missing})
    row = found.partial.set_index("method").loc["twin"]
    assert (row["n"], row["coverage"]) == (60 - missing, pytest.approx(1 - missing / 60))
    assert "twin" not in set(found.ranks["method"])
    assert set(found.ranks["n"]) == {60}


def test_a_metric_without_values_ranks_nobody_and_says_so(folder):
    found = without_values(read_run(folder), dict.fromkeys(METHODS, 60))
    assert set(found.ranks["role"]) == {"floor", "ceiling"}
    assert found.ranks["mean"].isna().all()
    assert any("none is ranked" in note for note in found.notes)


def test_no_case_in_common_is_said_and_ranks_nobody():
    cases = pd.DataFrame(
        {"photo": f"p{i}", "tier": "small", "draw": 0, "cluster": f"p{i}", "method": f"m{m:02}",
         "sample": 0, "status": "ok" if i != m else "failed", "reason": "", "l1": 0.1 * m + i}
        for i in range(20) for m in range(20)
    )  # fmt: skip
    methods = pd.DataFrame({"method": [f"m{m:02}" for m in range(20)], "family": "CNN"})
    found = compare_methods(cases, methods, Facts("l1", higher=False), "small")
    assert found.ranks["rank_first"].isna().all()
    assert any("no case was completed by all 20 ranked methods" in n for n in found.notes)
    table = blocks(found)[0]
    assert {row[1] for row in table.rows} == {""}


def test_floors_and_ceiling_do_not_take_power_from_the_methods():
    rng = np.random.default_rng(3)
    gains = {"mean": -20, "telea": -15, **{f"m{i}": 5 * i for i in range(5)}, "original": 60}
    cases = pd.DataFrame(
        {"photo": f"p{i}", "tier": "small", "draw": 0, "cluster": f"p{i}", "method": name,
         "sample": 0, "status": "ok", "reason": "", "psnr_db": 20 + gain + rng.normal(0, 0.2)}
        for i in range(10) for name, gain in gains.items()
    )  # fmt: skip
    families = ["floor", "floor", *["CNN"] * 5, "ceiling"]
    methods = pd.DataFrame({"method": list(gains), "family": families})
    found = compare_methods(cases, methods, Facts("psnr_db", higher=True), "small")
    assert found.pairs.groupby("family")["a"].size().to_dict() == {"marks": 18, "methods": 10}
    assert found.pairs.loc[found.pairs["family"] == "methods", "significant"].all()
    assert found.ranks["group"].tolist()[:5] == ["a", "b", "c", "d", "e"]
    assert not any("more photos are needed" in note for note in found.notes)
    text = FORMATS["table"](found)
    assert "mean" in text.split("pairs")[1]  # floor against floor is nobody's expectation


def test_one_reference_makes_a_family_of_its_own(folder, within):
    found = compare_within(read_run(folder), ["psnr_db"], reference="PLAIN")
    pairs = found.pairs.set_index("a")
    assert set(pairs["b"]) == {"plain"}
    assert set(pairs.index) == {"good_one", "twin", "mean", "original"}
    assert pairs.loc["mean", "family"] == "marks"
    assert pairs.loc["good_one", "difference"] > 0
    every = within.pairs.query("metric == 'psnr_db' and a == 'good_one' and b == 'plain'")
    assert pairs.loc["good_one", "low_joint"] > every["low_joint"].item()
    assert found.ranks["rank_first"].isna().all()
    assert set(found.ranks["group"]) == {""}
    assert found.partial["reference"].tolist() == ["plain"]
    assert any("compared with plain only" in note for note in found.notes)


def test_a_reference_that_is_not_there_is_refused_or_said(folder):
    run = read_run(folder)
    with pytest.raises(BenchError, match=r"--reference: .*found 'plian'. Did you mean plain"):
        compare_within(run, reference="plian")
    found = compare_within(run, ["psnr_db"], reference="gap|py")
    assert len(found.pairs) == 0
    assert any("gap|py has too few cases here" in note for note in found.notes)


def test_a_floor_may_be_the_reference(folder):
    pairs = compare_within(read_run(folder), ["psnr_db"], reference="mean").pairs
    assert pairs.set_index("a")["family"].to_dict() == {
        "good_one": "methods", "plain": "methods", "twin": "methods", "original": "marks",
    }  # fmt: skip


def test_sets_are_compared_with_a_reference(tmp_path):
    write_run(tmp_path, photos=150)
    write_features(tmp_path, 150)
    found = compare_within(read_run(tmp_path), ["kid_untrained"], reference="twin")
    own = found.pairs[found.pairs["family"] == "methods"]
    assert set(own["b"]) == {"twin"}
    assert own["p_adjusted"].tolist() == np.minimum(len(own) * own["p"], 1).tolist()
    assert found.ranks["rank_first"].isna().all()


def test_cases_whose_features_are_damaged_are_left_out_and_said(tmp_path):
    write_run(tmp_path, photos=150)
    write_features(tmp_path, 150)
    store = RunFolder(tmp_path)
    (network,) = (path.name for path in (tmp_path / "features").iterdir())
    held = store.read_features(network)
    assert not any("lack features" in n for n in compare_within(read_run(tmp_path), ["all"]).notes)
    for path in (tmp_path / "features").rglob("*.npz"):
        path.unlink()
    store.write_features("some", {sha: {network: held[sha]} for sha in list(held)[5:]})
    store.write_features("rest", {sha: {network: held[sha]} for sha in list(held)[:5]})
    path = tmp_path / "features" / network / "rest.npz"
    path.write_bytes(path.read_bytes()[:-9])
    run = read_run(tmp_path)
    for found in (
        compare_within(run, ["kid_untrained"]),
        compare_between(run, run, ["kid_untrained"]),
    ):
        assert any("cases lack features" in note for note in found.notes), found.notes


def test_where_equivalence_is_out_of_reach_the_photos_it_takes_are_said():
    rng = np.random.default_rng(5)
    cases = pd.DataFrame(
        {"photo": f"p{i:02}", "tier": "small", "draw": 0, "cluster": f"p{i:02}", "method": name,
         "sample": 0, "status": "ok", "reason": "", "ssim_hole": 0.5 + rng.normal(0, 0.04)}
        for i in range(100) for name in "ab"
    )  # fmt: skip
    methods = pd.DataFrame({"method": list("ab"), "family": "CNN"})
    found = compare_methods(cases, methods, Facts("ssim_hole", higher=True), "small")
    (said,) = (note for note in found.notes if "equivalence is out of reach" in note)
    photos = int(said.partition("takes about ")[2].split()[0].replace(",", ""))
    assert photos == pytest.approx(1113, rel=0.3)  # 8.56 (SD / margin)^2


def test_infinity_that_is_not_decibels_is_an_error(folder):
    run = read_run(folder)
    cases = run.cases.copy()
    cases.loc[3, "l1"] = np.inf
    with pytest.raises(BenchError, match=r"l1 of plain on p001\.png.*found inf"):
        compare_methods(cases, run.methods, Facts("l1", higher=False), "small")


def test_a_method_that_completed_nothing_is_named_with_its_reason(folder):
    run = read_run(folder)
    cases = run.cases.copy()
    cases.loc[cases["method"] == "twin", ["status", "reason"]] = ["unavailable", "no weights"]
    found = compare_methods(cases, run.methods, Facts("l1", higher=False), "small")
    assert "small: twin completed no case (unavailable: no weights)" in found.notes
    assert "twin" not in set(found.ranks["method"])


def test_too_few_photos_for_any_difference_are_said(tmp_path):
    found = compare_within(read_run(write_run(tmp_path, photos=5)), ["psnr_db"])
    assert any("smallest possible p-value is 0.062" in note for note in found.notes)
    assert any("5 photos" in note and "more photos are needed" in note for note in found.notes)
    assert not found.pairs["significant"].any()


def test_default_is_the_headline_metric_and_all_is_all_measured(folder):
    run = read_run(folder)
    leading = replace(run, metrics=run.metrics.replace({"metric": {"l1": "swd_hole"}}),
                      cases=run.cases.rename(columns={"l1": "swd_hole"}))  # fmt: skip
    found = compare_within(leading)
    assert set(found.ranks["metric"]) == {"swd_hole"}
    assert any("ranked by swd_hole: " in note for note in found.notes)
    found = compare_within(run, ["all"])
    assert set(found.ranks["metric"]) == {"psnr_db", "ssim_hole", "l1", "swd"}
    refused = [note for note in found.notes if "refused" in note]
    assert len(refused) == 2  # no features were stored


@pytest.mark.parametrize(
    ("metrics", "tiers", "word"),
    [
        (["nothing"], None, "expected one of psnr_db"),
        (["lpips"], None, "was not measured: no weights"),
        (None, ["huge"], "expected one of small, .*huge"),
    ],
)
def test_unknown_metrics_and_tiers_are_refused(folder, metrics, tiers, word):
    with pytest.raises(BenchError, match=word):
        compare_within(read_run(folder), metrics, tiers)


def test_set_metrics_without_interval_are_shown_and_not_ranked(folder):
    found = compare_within(read_run(folder), ["swd"])
    assert found.ranks["mean"].tolist() == [0, 1, 2, 3, 4, 5]
    assert found.ranks["rank_first"].isna().all()
    assert len(found.pairs) == 0


def test_kid_has_intervals_and_fid_of_fewer_pictures_than_features_is_refused(tmp_path):
    write_run(tmp_path, photos=150)
    write_features(tmp_path, 150, d=301)
    found = compare_within(read_run(tmp_path), ["kid_untrained", "fid_untrained"])
    assert set(found.ranks["metric"]) == {"kid_untrained"}
    ranks = found.ranks.set_index("method")
    assert ranks.loc["good_one", ["rank_first", "rank_last"]].tolist() == [1, 1]
    assert ranks.loc["plain", "group"] == ranks.loc["twin", "group"] == "b"
    assert (ranks["low"] < ranks["mean"]).drop("original").all()
    pairs = found.pairs
    outside = (pairs["low_joint"] > 0) | (pairs["high_joint"] < 0)
    assert outside.tolist() == pairs["significant"].tolist()
    assert any("fid_untrained: refused: needs at least 301" in note for note in found.notes)


def test_kid_is_refused_where_groups_are_empty():
    photos = [f"photo {i // 3}" for i in range(60)]
    assert sets.refusal(METRICS["kid"], photos, 6) == ""
    assert sets.refusal(METRICS["kid"], photos[:57], 6).endswith("jackknife, found 19 photos")


def test_a_metric_is_computed_again_without_each_group_where_nothing_is_quicker():
    rng = np.random.default_rng(0)
    photos = rng.normal(size=(60, 3))
    clusters = [f"photo {i // 2}" for i in range(60)]
    found = sets.estimates(METRICS["u_ids"], {"m": photos + 0.4}, photos, clusters)["m"]
    groups = group_of(clusters)
    assert found.value == u_ids(photos + 0.4, photos).value > 0.1
    assert found.without.tolist() == [
        u_ids(photos[groups != g] + 0.4, photos[groups != g]).value for g in range(20)
    ]
    assert found.sizes.tolist() == np.bincount(groups).tolist() == [4] * 10 + [2] * 10
    assert 0 < found.error < 0.2


def test_fid_of_enough_pictures_has_an_interval_and_a_limit(tmp_path):
    write_run(tmp_path, photos=1030)
    write_features(tmp_path, 1030)
    found = compare_within(read_run(tmp_path), ["fid_untrained"])
    ranks = found.ranks.set_index(["metric", "method"])
    assert ranks.loc[("fid_untrained", "good_one"), "rank_last"] == 1
    assert ranks.loc[("fid_untrained", "plain"), "n"] == 2050
    limits = found.ranks[found.ranks["metric"] == "fid_untrained_infinite"].set_index("method")
    assert limits.loc["good_one", "mean"] == pytest.approx(6 * (np.sqrt(1.09) - 1) ** 2, abs=0.02)


def test_between_runs_each_method_meets_itself(folder, other):
    found = compare_between(read_run(folder), read_run(other), ["psnr_db"])
    pairs = found.pairs.set_index("a")
    assert set(pairs.index) == {f"{name} (B)" for name in METHODS if name != "original"}
    assert pairs.loc["mean (B)", "family"] == "marks"
    own = pairs[pairs["family"] == "methods"]
    assert (own["p_adjusted"] >= own["p"]).all()
    plain = pairs.loc["plain (B)"]
    assert (plain["b"], plain["verdict"]) == ("plain (A)", "a better")
    assert plain["difference"] == pytest.approx(0.8, abs=0.15)
    assert pairs.loc["twin (B)", "verdict"] == "equivalent"
    assert pairs.loc["gap|py (B)", "n"] == 50
    said = " ".join(found.notes)
    assert "numpy 2.0 -> 2.1" in said
    assert "not tested, the photo itself in both runs: original" in said
    assert "code or settings differ: plain" in said
    assert "gap|py on 50 of the 60 cases" in said


def test_between_runs_kid_is_compared_on_the_same_groups(tmp_path):
    for name in ("a", "b"):
        write_run(tmp_path / name, photos=150)
        write_features(tmp_path / name, 150)
    found = compare_between(*(read_run(tmp_path / n) for n in "ab"), ["kid_untrained"])
    assert set(found.pairs["difference"]) == {0.0}
    assert "a better" not in set(found.pairs["verdict"])


def test_between_runs_kid_is_adjusted_over_all_methods(tmp_path):
    for name, seed in (("a", 5), ("b", 6)):
        write_run(tmp_path / name, photos=150)
        write_features(tmp_path / name, 150, seed=seed)
    a, b = (read_run(tmp_path / n) for n in "ab")
    pairs = compare_between(a, b, ["kid_untrained"]).pairs
    own = pairs[pairs["family"] == "methods"]
    assert len(own) >= 3
    assert own["p_adjusted"].tolist() == np.minimum(len(own) * own["p"], 1).tolist()
    alone = sets_of_two_runs.between(a, b, facts(a, ["kid_untrained"])[0], "small", ["twin"]).pairs
    twin = own.set_index("a").loc["twin (B)"]
    for column in ("difference", "low", "high", "p"):
        assert alone[column].item() == pytest.approx(twin[column], rel=1e-9)
    assert alone["p_adjusted"].item() == pytest.approx(twin["p"])


def test_set_pairs_have_no_columns_of_single_cases(tmp_path):
    write_run(tmp_path, photos=150)
    write_features(tmp_path, 150)
    found = compare_within(read_run(tmp_path), ["kid_untrained"])
    assert blocks(found)[1].header == [
        "a", "b", "verdict", "a - b", "95 % interval", "joint interval", "p", "n",
        "photos",
    ]  # fmt: skip
    said = " ".join(notes(found))
    assert "Student's t of the jackknife" in said
    assert "sign flips" not in said
    assert "no margin is stated, so no equivalence is found: kid_untrained" in said
    assert "cannot tell (no margin)" in FORMATS["table"](found)


def test_several_samples_are_said(folder):
    run = read_run(folder)
    more = run.cases[run.cases["method"] == "twin"].assign(sample=2)
    run = replace(run, cases=pd.concat([run.cases, more], ignore_index=True))
    assert any("sample 0 of 3" in note for note in compare_within(run, ["l1"]).notes)


def test_where_nothing_leads_all_metrics_are_compared_with_a_note(folder, other, capsys):
    run = read_run(folder)
    assert run.headline.metric == ""
    found = compare_within(run)
    assert set(found.ranks["metric"]) == {"psnr_db", "ssim_hole", "l1", "swd"}
    (note,) = [note for note in found.notes if "nothing ranks" in note]
    assert "--metrics texture_structure" in note
    assert "needs no truth" not in note
    between = compare_between(run, read_run(other))
    assert {"psnr_db", "ssim_hole", "l1"} <= set(between.ranks["metric"])
    assert any("nothing ranks" in note for note in between.notes)
    assert main(["compare", str(folder), "--metrics", "psnr_db, l1"]) == 0
    assert "small, l1" in capsys.readouterr().out


def test_between_runs_the_headline_is_one_that_both_have(folder):
    names = {"metric": {"ssim_hole": "texture_structure", "l1": "lpips_untrained_hole"}}
    run = read_run(folder)
    a = replace(run, metrics=run.metrics.replace(names),
                cases=run.cases.rename(columns=names["metric"]))  # fmt: skip
    b = replace(a, metrics=a.metrics[a.metrics["metric"] != "texture_structure"])
    for first, second in ((a, b), (b, a)):
        assert {first.headline.metric, second.headline.metric} == {*names["metric"].values()}
        found = compare_between(first, second, anyway=True)
        assert set(found.ranks["metric"]) == {"lpips_untrained_hole"}


def test_between_runs_both_means_are_of_the_cases_with_a_value_in_both(folder, other):
    a, b = read_run(folder), read_run(other)
    cases = b.cases.copy()
    cases.loc[cases.index[cases["method"] == "twin"][:9], "l1"] = np.nan
    found = compare_between(a, replace(b, cases=cases), ["l1"])
    own = found.ranks.set_index("method").loc[["twin (A)", "twin (B)"]]
    pair = found.pairs.set_index("a").loc["twin (B)"]
    assert [*own["n"], pair["n"]] == [51, 51, 51]
    assert pair["difference"] == pytest.approx(own["mean"].iloc[1] - own["mean"].iloc[0])
    assert any("twin on 51 of the 60 cases of A" in note for note in found.notes)


def test_between_runs_all_names_what_only_one_has(folder):
    a = read_run(folder)
    less = replace(a, metrics=a.metrics[a.metrics["metric"] != "l1"])
    found = compare_between(a, less, ["all"])
    assert any("metrics only in A, not compared: l1" in note for note in found.notes)
    assert "l1" not in set(found.ranks["metric"])
    further = a.plan.iloc[:1].assign(tier="huge")
    more = replace(a, plan=pd.concat([a.plan, further]))
    found = compare_between(a, more, ["l1"])
    assert any("tiers only in B, not compared: huge" in note for note in found.notes)


def test_runs_that_share_nothing_are_refused(folder):
    a = read_run(folder)
    with pytest.raises(InputError, match="no tier in common"):
        compare_between(a, replace(a, plan=a.plan.assign(tier="huge")), ["l1"])
    only_l1 = replace(a, metrics=a.metrics[a.metrics["metric"] == "l1"])
    only_db = replace(a, metrics=a.metrics[a.metrics["metric"] == "psnr_db"])
    with pytest.raises(InputError, match="no metric in common"):
        compare_between(only_l1, only_db, ["all"])
    with pytest.raises(InputError, match="no method in common"):
        compare_between(a, replace(a, methods=a.methods.iloc[:0]), ["l1"])


def test_other_protocols_are_refused_with_what_differs(folder, other, tmp_path):
    strange = write_run(tmp_path / "c")
    change_header(strange, fingerprint=FINGERPRINT.replace("masks:bb", "masks:dd"))
    one, two = read_run(folder), read_run(strange)
    with pytest.raises(BenchError, match=r"masks: bb/60 in A, dd/60 in B.*--anyway") as refused:
        compare_between(one, two, ["l1"])
    assert "photos:" not in str(refused.value)
    found = compare_between(one, two, ["l1"], anyway=True)
    assert any("DIFFERENT PROTOCOLS" in note and "masks" in note for note in found.notes)
    assert not any("DIFFERENT" in n for n in compare_between(one, read_run(other), ["l1"]).notes)


def test_only_the_metrics_compared_must_be_defined_alike(folder, tmp_path):
    changed = write_run(tmp_path / "d")
    change_header(changed, fingerprint=FINGERPRINT.replace("metrics:cc", "metrics:ee"))
    edit(
        changed, "metrics", lambda t: t.assign(version=t["version"].where(t["metric"] != "l1", "2"))
    )
    one, two = read_run(folder), read_run(changed)
    assert len(compare_between(one, two, ["psnr_db"]).pairs) == len(METHODS) - 1
    with pytest.raises(BenchError, match="metric l1: version '1' in A, '2' in B"):
        compare_between(one, two, ["l1"])


def test_a_metric_of_one_run_only_is_refused(folder, tmp_path):
    lacking = write_run(tmp_path / "e")
    edit(lacking, "metrics", lambda table: table[table["metric"] != "l1"])
    with pytest.raises(BenchError, match=r"l1: measured in .* but not in"):
        compare_between(read_run(folder), read_run(lacking), ["l1"])


def test_an_unfinished_run_is_called_so(tmp_path):
    partial = write_run(tmp_path / "f")
    change_header(partial, state="interrupted")
    said = compare_within(read_run(partial), ["l1"]).notes
    assert any("interrupted: the numbers are of the cases done so far" in note for note in said)


@pytest.mark.parametrize("form", FORMATS)
def test_command_prints_what_the_format_says(folder, form, capsys):
    assert main(["compare", str(folder), "--metrics", "l1", "--format", form]) == 0
    expected = FORMATS[form](compare_within(read_run(folder), ["l1"]))
    assert capsys.readouterr().out == expected


def test_command_compares_two_runs_into_a_file(folder, other, tmp_path, capsys):
    out = tmp_path / "between.md"
    arguments = ["compare", str(folder), str(other), "--tiers", "small", "--metrics", "psnr_db"]
    assert main([*arguments, "--format", "markdown", "--out", str(out)]) == 0
    assert "plain (B) better" in out.read_text("utf-8")
    assert str(out) in capsys.readouterr().out
    assert main([*arguments, "--out", str(tmp_path / "no" / "where")]) == 2
    assert "give another --out" in capsys.readouterr().err


def test_command_names_a_folder_that_is_no_run(tmp_path, capsys):
    assert main(["compare", str(tmp_path)]) == 2
    assert "expected a run folder" in capsys.readouterr().err


def test_comparing_loads_neither_torch_nor_methods(folder):
    code = (
        "import sys\nfrom bench.cli import main\n"
        f"main(['compare', {str(folder)!r}, '--metrics', 'psnr_db'])\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
        f"main(['compare', {str(folder)!r}, '--metrics', 'all'])\n"
        "print('LOADED', *sorted({name.split('.')[0] for name in sys.modules}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    _, cases, every = (set(part.split("\n")[0].split()) for part in done.stdout.split("LOADED"))
    assert "scipy" in cases
    assert not {"torch", "methods", "cv2"} & cases
    assert "torch" not in every


def with_jackknives(folder, spread, photos=30, methods=METHODS, kept=None):
    """Give the sliced distances of a run the jackknife of a mean of so much spread a photo."""
    table = pq.read_table(folder / "sets.parquet").to_pandas()
    keys = [f"case {i}" for i in range(photos)]
    for place, row in enumerate(table.to_dict("records")):
        own = np.random.default_rng([7, place]).normal(0, spread, photos)
        groups = group_of(keys)
        without = [row["value"] + own[groups != g].mean() - own.mean() for g in range(20)]
        estimate = Estimate(row["value"], np.array(without), np.bincount(groups), photos)
        of = keys if kept is None or row["method"] in kept else keys[1:]
        table.loc[place, "jackknife"] = estimate.text(of)
        table.loc[place, ["low", "high"]] = estimate.interval()
    RunFolder(folder).write_table("sets.parquet", table)
    return read_run(folder)


def test_the_sliced_distance_is_ranked_by_what_the_run_kept_of_its_jackknife(tmp_path):
    write_run(tmp_path)
    assert compare_within(read_run(tmp_path), ["swd"]).ranks["group"].eq("").all()
    found = compare_within(with_jackknives(tmp_path, 1e-3), ["swd"])
    ranks = found.ranks[found.ranks["role"] == "ranked"]
    stored = read_run(tmp_path).sets.query("metric == 'swd'").set_index("method")["value"]
    assert ranks["mean"].tolist() == sorted(stored[ranks["method"]])
    assert (
        ranks["rank_first"].tolist() == ranks["rank_last"].tolist() == [*range(1, len(ranks) + 1)]
    )
    assert (ranks["low"] < ranks["mean"]).all()
    tied = compare_within(with_jackknives(tmp_path, 1e4), ["swd"])
    assert set(tied.ranks.loc[tied.ranks["role"] == "ranked", "group"]) == {"a"}
    pairs = found.pairs
    outside = (pairs["low_joint"] > 0) | (pairs["high_joint"] < 0)
    assert outside.tolist() == pairs["significant"].tolist()


def test_a_sliced_distance_of_other_cases_is_left_out_with_a_note(tmp_path):
    write_run(tmp_path)
    run = with_jackknives(tmp_path, 1e-3, kept=set(METHODS) - {"plain"})
    found = compare_within(run, ["swd"])
    assert "plain" not in set(found.ranks["method"])
    assert [note for note in found.notes if note.endswith("than that of most methods: plain")]


def test_between_runs_sliced_distances_of_the_same_cases_are_compared(tmp_path):
    runs = []
    for name in "ab":
        write_run(tmp_path / name)
        kept = None if name == "a" else set(METHODS) - {"plain"}
        runs.append(with_jackknives(tmp_path / name, 1e-3, kept=kept))
    found = compare_between(*runs, ["swd"])
    assert set(found.pairs["difference"]) == {0.0}
    assert "plain (B)" not in set(found.pairs["a"])
    assert any("swd of plain: refused: needs intervals of the same" in n for n in found.notes)
