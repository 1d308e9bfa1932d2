"""Who is best at what, quality against time, and shaded tables."""

from __future__ import annotations

import dataclasses

import numpy as np
import pandas as pd
import pytest

from bench.statistics import headline_metric
from bench.text import numbers
from reports.build import read_run
from reports.plots import pareto
from reports.results import heat
from reports.results.ranking import rank
from reports.results.timing import INDICATIVE, times
from reports.results.winners import winners
from tests.support.made_up_values import PHOTOS, ranking_of, spread, with_values

VALUES = {"ns": spread(0.7), "shiftmap": spread(0.6), "telea": spread(0.2), "mean": spread(0.1)}


def latency(**changed) -> pd.DataFrame:
    rows = [
        {"method": name, "side": side, "height": side, "width": side, "tier": "small",
         "region": region, "batch": batch,
         "device": "cpu", "p50_ms": 10.0 * (place + 1) * (side / 64), "ratio": 2.0,
         "ratio_low": 1.9, "ratio_high": 2.2, "n": 30, "status": "converged"}
        for place, name in enumerate(("ns", "shiftmap", "fussy"))
        for side in (64, 256)
        for region in ("e2e", "infer")
        for batch in (1, 4)
    ]  # fmt: skip
    return pd.DataFrame(rows).assign(**changed)


# -- time ---------------------------------------------------------------------------------------


def test_without_a_table_of_latencies_times_are_those_of_the_run_and_called_so(sample):
    run = read_run(sample)
    found = times(run, "small")
    own = run.cases[(run.cases["tier"] == "small") & (run.cases["status"] == "ok")]
    assert found.remark == INDICATIVE
    assert "original" not in found.of  # not timed
    assert found.of["telea"].middle == pytest.approx(
        1000 * own.loc[own["method"] == "telea", "seconds"].median()
    )
    assert found.of["telea"].low <= found.of["telea"].middle <= found.of["telea"].high


def test_a_table_of_latencies_replaces_all_times_of_the_run(sample):
    run = dataclasses.replace(read_run(sample), latency=latency())
    found = times(run, "small")
    assert set(found.of) == {"ns", "shiftmap", "fussy"}  # Telea's seconds are not mixed in
    assert found.remark.endswith("; no median of Telea")
    assert found.of["ns"].middle == 10  # 64 is nearest to the 48 pixels of the run
    assert (found.of["ns"].low, found.of["ns"].high) == pytest.approx((9.5, 11))
    assert "fills at 64 px on cpu" in found.remark
    assert times(run, "large").remark == INDICATIVE


def test_timings_that_failed_are_none(sample):
    run = dataclasses.replace(read_run(sample), latency=latency(status="oom", p50_ms=np.nan))
    assert times(run, "small").remark == INDICATIVE


def test_a_table_that_lacks_most_methods_is_not_used(sample):
    table = latency()
    table.loc[table["method"] != "ns", "p50_ms"] = np.nan
    run = dataclasses.replace(read_run(sample), latency=table)
    found = times(run, "small")
    assert set(found.of) == {"shiftmap", "telea", "ns", "fussy", "mean"}
    assert found.remark == f"{INDICATIVE}; too few rounds were timed apart from it"


def test_timings_that_did_not_settle_are_named(sample):
    table = latency(status="converged")
    table.loc[table["method"] == "shiftmap", "status"] = "noisy"
    run = dataclasses.replace(read_run(sample), latency=table)
    words = "; not timed until they settled: Shift-map; no median of Telea"
    assert times(run, "small").remark.endswith(words)


@pytest.mark.parametrize(
    ("value", "words"),
    [(0.1234, "0.12"), (9.87, "9.87"), (45.67, "45.7"), (123.4, "123"), (12345.0, "12,300"),
     (float("nan"), "\N{EN DASH}")],
)  # fmt: skip
def test_milliseconds_have_two_to_three_digits(value, words):
    assert numbers.milliseconds(value) == words


# -- the front ----------------------------------------------------------------------------------


def test_the_front_is_what_nobody_beats_in_both():
    points = [(1, 0.2), (2, 0.5), (3, 0.4), (4, 0.9), (4, 0.8), (9, 0.9)]
    assert pareto.fronts(points, higher=True) == [True, True, False, True, False, False]
    flipped = [(t, -q) for t, q in points]
    assert pareto.fronts(flipped, higher=False) == pareto.fronts(points, higher=True)


def test_equal_points_do_not_beat_each_other():
    assert pareto.fronts([(1, 1), (1, 1), (2, 1)], higher=True) == [True, True, False]


def test_the_front_agrees_with_a_plain_search():
    rng = np.random.default_rng(0)
    points = [tuple(map(float, row)) for row in rng.integers(0, 6, (40, 2))]
    kept = [
        p
        for p in points
        if not any(q[0] <= p[0] and q[1] >= p[1] and (q[0] < p[0] or q[1] > p[1]) for q in points)
    ]
    assert [p for p, is_ahead in zip(points, pareto.fronts(points, higher=True), strict=True)
            if is_ahead] == kept  # fmt: skip


# -- winners ------------------------------------------------------------------------------------


def test_the_further_winners_are_those_of_their_own_comparison(sample):
    run = read_run(sample)
    for tier in run.tiers:
        ranking = rank(run, tier, headline_metric(run.metrics))
        lines = {line.what: line for line in winners(run, ranking)}
        further = ["PSNR (hole) (dB)", "SSIM (hole)", "Sliced Wasserstein distance", "Fastest"]
        assert list(lines) == further
        best = max(ranking.ranked, key=lambda s: s.values["psnr_hole_db"].mean)
        assert lines["PSNR (hole) (dB)"].label.method == best.method
        assert lines["PSNR (hole) (dB)"].remark == "no significant difference from any other"
        fastest = min(ranking.ranked, key=lambda s: times(run, tier).of[s.method].middle)
        assert lines["Fastest"].label.method == fastest.method


def test_nobody_wins_alone(sample):
    run = with_values(read_run(sample), {"ns": spread(0.7)})
    assert not winners(run, ranking_of(run))


# -- shades -------------------------------------------------------------------------------------


def test_shades_follow_the_rank_in_the_column_and_floors_have_none(sample):
    run = with_values(read_run(sample), VALUES)
    table = heat.standings(run, [ranking_of(run)], ())
    assert [label.method for label, _ in table.rows] == ["ns", "shiftmap", "telea"]
    assert [cells[0].step for _, cells in table.rows] == [10, 5, 0]
    assert [float(cells[0].text) for _, cells in table.rows] == pytest.approx(
        [0.7, 0.6, 0.2], abs=0.001
    )


def test_equal_means_have_equal_shades(sample):
    run = with_values(read_run(sample), {"ns": [0.7] * PHOTOS, "shiftmap": [0.7] * PHOTOS,
                                         "telea": [0.2] * PHOTOS})  # fmt: skip
    table = heat.standings(run, [ranking_of(run)], ())
    assert [cells[0].step for _, cells in table.rows] == [8, 8, 0]


def test_a_method_that_a_tier_lacks_has_a_dash_and_no_shade(sample):
    run = read_run(sample)
    cases = run.cases[(run.cases["tier"] != "large") | (run.cases["method"] != "telea")]
    run = dataclasses.replace(run, cases=cases)
    rankings = [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]
    table = heat.standings(run, rankings, ())
    telea = next(cells for label, cells in table.rows if label.method == "telea")
    assert table.tiers == ["small", "region", "large"]
    assert [cell.step is None for cell in telea[:3]] == [False, False, True]
    assert telea[2].text == "\N{EN DASH}"


def test_wins_of_a_pair_add_up_and_a_method_does_not_meet_itself(sample):
    run = with_values(read_run(sample), VALUES)
    ranking = ranking_of(run)
    names = [s.method for s in ranking.ranked]
    table = heat.wins(run, ranking.pairs, names)
    shares = [[cell.text for cell in cells] for _, cells in table]
    assert shares == [["", "100", "100"], ["0", "", "100"], ["0", "0", ""]]
    assert [cell.step for cell in table[0][1]] == [None, 10, 10]
