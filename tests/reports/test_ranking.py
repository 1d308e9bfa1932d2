"""Rankings, and the result in words."""

from __future__ import annotations

import math
import re
from dataclasses import replace

import html5lib
import pandas as pd
import pytest

from bench.errors import BenchError
from bench.statistics import Facts, compare_methods, headline_metric
from bench.statistics.coverage import reference_of
from bench.text import numbers
from reports.build import build, read_run
from reports.results import cautions, pair_rows, sentences, table_notes, tables
from reports.results.ranking import rank
from tests.support.made_up_values import PHOTOS, ranking_of, spread, with_values
from tests.support.reading import edit, texts
from tests.support.sample_run import write_run


def test_a_floor_or_the_ceiling_never_wins(copy):
    def flatter(cases: pd.DataFrame) -> pd.DataFrame:
        return cases.assign(
            texture_structure=cases["texture_structure"].where(cases["method"] != "mean", 1.0)
        )

    edit(copy, "cases", flatter)
    run = read_run(copy)
    for tier in run.tiers:
        ranking = rank(run, tier, headline_metric(run.metrics))
        assert ranking.best.method not in ("mean", "original")
        assert {s.method for s in ranking.marks} == {"mean", "original"}


def test_lpips_ranks_when_it_was_measured_and_lower_wins(tmp_path):
    run = read_run(write_run(tmp_path / "run", tiers=["small"], lpips=True))
    headline = headline_metric(run.metrics)
    ranking = rank(run, "small", headline)
    means = [s.values["lpips"].mean for s in ranking.ranked]
    assert headline.metric == "lpips"
    assert means == sorted(means)
    assert all(s.gap.interval.mean >= 0 for s in ranking.ranked[1:])


@pytest.mark.parametrize(
    ("telea", "hero", "words"),
    [
        (spread(0.5), "is best on small holes", "significant, and larger than the margin of 0.005"),
        (
            spread(0.699),
            "leads on small holes by less than matters",
            "significant, but smaller than the margin of 0.005, so of no practical weight",
        ),
        (
            spread(0.695, 0.004),
            "is best on small holes",
            "significant; whether it is larger than the margin of 0.005 is open",
        ),
        (
            spread(0.6999, 0.0005),
            "No clear winner",
            "not significant; Telea is equivalent within the margin of 0.005, by its own 90 %",
        ),
        (spread(0.69, 0.2), "No clear winner", ": not significant."),
    ],
)
def test_a_lead_is_called_by_its_p_value_and_by_the_margin(sample, telea, hero, words):
    run = with_values(read_run(sample), {"telea": telea, "ns": spread(0.7)})
    ranking = ranking_of(run)
    assert ranking.best.method == "ns"
    assert hero in sentences.headline(run, [ranking])
    verdict = sentences.verdict(run, ranking, "SSIM", "")
    assert words in verdict
    assert re.search(r"\(joint 95 % interval \[.+\], p (=|<) [\d.]+\)", verdict)


def test_two_that_lead_together_are_said_to_be_better_than_the_rest(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.699, 0.2), "telea": spread(0.3),
              "fussy": spread(0.2)}  # fmt: skip
    run = with_values(read_run(sample), values)
    ranking = ranking_of(run)
    assert ranking.shared_lead
    assert sentences.headline(run, [ranking]) == (
        "Navier\N{EN DASH}Stokes and Shift-map share the lead on small holes: no significant "
        "difference between them, both significantly better than the other 2."
    )
    clear = ranking_of(with_values(read_run(sample), {**values, "shiftmap": spread(0.6)}))
    assert not clear.shared_lead


def test_a_lead_is_not_shared_where_a_leader_is_not_better_than_all_others(sample):
    # Shift-map differs significantly neither from the best nor from the third.
    values = {"ns": spread(0.7), "shiftmap": spread(0.65, 0.2), "telea": spread(0.6)}
    run = with_values(read_run(sample), values)
    ranking = ranking_of(run)
    assert [s.method for s in ranking.tied] == ["shiftmap"]
    assert not ranking.shared_lead
    assert sentences.headline(run, [ranking]) == (
        "No clear winner: no significant difference between Navier\N{EN DASH}Stokes and Shift-map."
    )
    other = with_values(read_run(sample), values | {"ns": spread(0.64)})
    assert sentences.headline(run, [ranking, ranking_of(other)]).startswith("No clear winner: ")


def test_too_few_photos_for_any_significance_are_called_that(sample):
    values = {"telea": spread(0.5), "ns": spread(0.7), "shiftmap": spread(0.6), "mean": spread(0.1),
              "fussy": spread(0.2), "lama:big-lama": spread(0.3),
              "original": spread(1.0)}  # fmt: skip
    run = with_values(read_run(sample), {name: v[:5] for name, v in values.items()})
    ranking = ranking_of(run)
    assert ranking.tied == ranking.ranked[1:]
    said = sentences.headline(run, [ranking])
    assert said == "No clear winner: with 5 photos no difference can be significant."
    verdict = sentences.verdict(run, ranking, "SSIM", "")
    assert verdict.endswith(", but with 5 photos no difference can be significant.")
    assert "p =" not in verdict
    verdict = cautions.powerless(ranking)
    assert "smallest possible p-value is 0.062" in verdict
    assert "With 5 photos no difference" in sentences.differences(run, ranking)


def test_one_method_alone_is_no_winner(sample):
    run = with_values(read_run(sample), {"ns": [0.6, 0.7, 0.8]})
    assert "nothing can be compared" in sentences.headline(run, [ranking_of(run)])


def test_ranks_ties_and_differences_are_those_of_the_comparison(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.69, 0.2), "telea": spread(0.2)}
    run = with_values(read_run(sample), values)
    ranking = ranking_of(run)
    facts = Facts("texture_structure", higher=True)
    found = compare_methods(run.cases, run.methods, facts, "small", expected=PHOTOS)
    assert [s.method for s in ranking.ranked] == list(found.ranks["method"])
    assert [s.place for s in ranking.ranked] == [(1, 2), (1, 2), (3, 3)]
    assert [s.group for s in ranking.ranked] == list(found.ranks["group"]) == ["a", "a", "b"]
    assert ranking.ranked[0].gap is None
    for scores, (_, pair) in zip(ranking.ranked[1:], found.pairs.iterrows(), strict=False):
        gap = scores.gap
        assert (pair["a"], pair["b"]) == ("ns", scores.method)
        assert (gap.interval.mean, gap.p) == (-pair["difference"], pair["p_adjusted"])
        assert (gap.interval.low, gap.interval.high) == (-pair["high_joint"], -pair["low_joint"])
    rows = tables.rows(run, ranking, tables.columns(run, ranking))["ranked"]
    assert [row.place for row in rows] == ["1\N{EN DASH}2", "1\N{EN DASH}2", "3"]
    assert [row.group for row in rows] == ["a", "a", "b"]
    assert "not significant" in rows[1].difference.remark
    assert ranking.ranked[2].gap.p < 0.001
    assert (rows[2].difference.remark, rows[2].difference.more) == ("", "")
    assert rows[1].difference.more == numbers.p_value(ranking.ranked[1].gap.p)
    assert table_notes.RANK_NOTE in table_notes.notes(run, ranking, tables.columns(run, ranking))


def test_a_strict_order_has_plain_ranks(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.6), "telea": spread(0.2)}
    ranking = ranking_of(with_values(read_run(sample), values))
    assert [s.place for s in ranking.ranked] == [(1, 1), (2, 2), (3, 3)]
    assert [s.group for s in ranking.ranked] == ["a", "b", "c"]


def test_the_best_of_a_tie_is_the_first_of_its_range(sample):
    run = read_run(sample)
    for tier in run.tiers:
        ranking = rank(run, tier, headline_metric(run.metrics))
        assert ranking.best.place == (1, 1 + len(ranking.tied))


def test_pairs_are_listed_with_both_intervals_and_a_verdict(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.699), "telea": spread(0.2, 0.3)}
    run = with_values(read_run(sample), values)
    pairs = pair_rows.pairs(run, ranking_of(run), "")
    assert [(p.a, p.b) for p in pairs] == [
        ("Navier\N{EN DASH}Stokes", "Shift-map"), ("Navier\N{EN DASH}Stokes", "Telea"),
        ("Shift-map", "Telea"),
    ]  # fmt: skip
    assert pairs[0].verdict == "Navier\N{EN DASH}Stokes better, but within the margin"
    assert pairs[0].difference.text.startswith("+0.001")
    assert (pairs[0].win_rate, pairs[0].n, pairs[0].photos) == ("100 %", PHOTOS, PHOTOS)
    for pair in pairs:
        assert float(pair.p.strip("< ")) < 0.05
        low, high = map(float, pair.difference.interval.strip("[]").split(", "))
        assert 0 < low <= float(pair.difference.text) <= high


def test_a_reference_is_what_all_are_compared_with(sample):
    values = {"ns": spread(0.7), "shiftmap": spread(0.69, 0.2), "telea": spread(0.2),
              "mean": spread(0.1)}  # fmt: skip
    run = with_values(read_run(sample), values)
    ranking = rank(run, "small", headline_metric(run.metrics), "shiftmap")
    assert [s.method for s in ranking.ranked] == ["ns", "shiftmap", "telea"]
    assert ranking.base is ranking.ranked[1]
    assert ranking.base.gap is None
    assert {(s.place, s.group) for s in ranking.ranked} == {(None, "")}
    assert [s.method for s in ranking.tied] == ["ns"]
    said = sentences.headline(run, [ranking])
    assert said == (
        "Compared with Shift-map: on small holes Telea is worse, Navier\N{EN DASH}Stokes is not "
        "significantly different."
    )
    assert "Telea is worse" in sentences.verdict(run, ranking, "SSIM", "")
    columns = tables.columns(run, ranking)
    rows = tables.rows(run, ranking, columns)["ranked"]
    assert rows[1].difference.text == "reference"
    assert rows[2].difference.text.startswith("\N{MINUS SIGN}0.49")
    notes = table_notes.notes(run, ranking, columns)
    assert any("Compared with Shift-map only" in note for note in notes)
    assert len(pair_rows.pairs(run, ranking, "")) == 3
    with pytest.raises(BenchError, match="Did you mean shiftmap"):
        reference_of(run.methods, "shiftmp")


def test_a_reference_without_numbers_is_compared_with_nothing(sample):
    run = with_values(read_run(sample), {"ns": spread(0.7), "telea": spread(0.2)})
    ranking = rank(run, "small", headline_metric(run.metrics), "fussy")
    assert ranking.base is None
    assert "nothing can be compared" in sentences.headline(run, [ranking])


def test_equal_means_share_the_mark_and_a_column_without_difference_has_none(sample):
    equal = {"ns": [0.6, 0.7, 0.8], "telea": [0.6, 0.7, 0.8], "shiftmap": [0.1, 0.2, 0.3]}
    for values, marked in ((equal, [True, True, False]), (dict.fromkeys(equal, [0.5] * 3), [])):
        run = with_values(read_run(sample), values)
        ranking = rank(run, "small", headline_metric(run.metrics))
        rows = tables.rows(run, ranking, tables.columns(run, ranking))["ranked"]
        assert [row.cells[0].best for row in rows] == (marked or [False] * 3)
        assert (rows[0].cells[0].interval == "") == (not marked)


def test_what_most_methods_have_is_not_marked_as_best(sample):
    run = with_values(read_run(sample), {"ns": [0.6] * 3, "telea": [0.6] * 3, "shiftmap": [0.1] * 3})
    ranking = ranking_of(run)
    shown = tables.columns(run, ranking)
    ranking = replace(ranking, ranked=[*ranking.ranked, ranking.ranked[0]])
    assert not any(row.cells[0].best for row in tables.rows(run, ranking, shown)["ranked"])


def test_times_of_a_ranking_have_one_unit_and_the_same_digits(sample):
    run = read_run(sample)
    run = replace(run, methods=run.methods.assign(timed=True))
    ranking = ranking_of(run)
    for seconds, unit, shown in (
        ((0.0063, 0.25, 1.4), "ms", ["6", "250", "1,400"]),
        ((0.25, 1.4, 33.333), "s", ["0.25", "1.40", "33.33"]),
        ((math.nan, 0.0063, 0.5), "ms", ["\N{EN DASH}", "6.3", "500.0"]),
    ):
        taken = [replace(s, seconds=each) for s, each in zip(ranking.ranked, seconds, strict=True)]
        rows = tables.rows(run, replace(ranking, ranked=taken, marks=[], partial=[]), [])["ranked"]
        assert {row.time_unit for row in rows} == {unit}
        assert [row.seconds.text for row in rows] == shown


def test_a_tier_without_comparison_is_not_left_out_of_the_sentence(copy):
    def fail(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["tier"] == "region") & (cases["method"] != "telea")
        return cases.assign(status=cases["status"].where(~row, "failed"))

    edit(copy, "cases", fail)
    run = read_run(copy)
    rankings = [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]
    assert "on region holes nothing can be compared" in sentences.headline(run, rankings)


def test_ranked_means_use_only_common_cases(copy):
    def fail_one(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "ns") & (cases["photo"] == "coffee.png")
        return cases.assign(
            status=cases["status"].where(~row, "failed"),
            reason=cases["reason"].where(~row, "ran out of ink"),
        )

    edit(copy, "cases", fail_one)
    run = read_run(copy)
    ranking = rank(run, "small", headline_metric(run.metrics))
    assert [s.method for s in ranking.partial] == ["ns", "fussy"]
    assert {s.n for s in ranking.ranked} == {3}
    assert {s.method: s.n for s in ranking.partial} == {"ns": 2, "fussy": 2}
    page = texts(html5lib.parse((build(copy).parent / "failures.html").read_bytes()))
    assert "ran out of ink" in page


def test_without_any_metric_of_single_cases_there_is_no_winner(copy):
    edit(copy, "metrics", lambda t: t[t["scope"] != "case"])
    run = read_run(copy)
    rankings = [rank(run, tier, headline_metric(run.metrics)) for tier in run.tiers]
    assert rankings
    assert not any(ranking.best or ranking.headline for ranking in rankings)
    assert not any(scores.place for ranking in rankings for scores in ranking.ranked)
    assert sentences.headline(run, rankings).startswith("No method is ranked: nothing was measured")


def test_a_case_without_the_headline_metric_counts_for_no_ranked_method(copy):
    def forget_one(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "ns") & (cases["photo"] == "coffee.png")
        return cases.assign(texture_structure=cases["texture_structure"].mask(row))

    edit(copy, "cases", forget_one)
    run = read_run(copy)
    ranking = rank(run, "small", headline_metric(run.metrics))
    assert "ns" in [s.method for s in ranking.partial]
    assert {s.n for s in ranking.ranked} == {ranking.n}
