"""The plots of a tier: ranks, distributions, difficulty; and what all plots keep to."""

from __future__ import annotations

import itertools
import re

import numpy as np
import pandas as pd
import pytest

from bench.statistics import CASE, Interval, headline_metric
from reports import figures
from reports.build import read_run
from reports.figures import Line, Point, labels
from reports.pages import difficulty
from reports.plots import comparison
from reports.results import tables
from reports.results.ranking import rank
from reports.site.site import Site
from tests.support.made_up_values import ranking_of, spread, with_values

COUNT = 40


@pytest.fixture
def growing(sample, tmp_path):
    """A tier in which Telea falls with the size of the hole and Navier-Stokes does not."""
    rng = np.random.default_rng(0)
    share = np.linspace(0.01, 0.6, COUNT)
    level = rng.normal(0, 0.1, COUNT)
    values = {
        "telea": 0.9 - share + level + rng.normal(0, 0.01, COUNT),
        "ns": 0.6 + level + rng.normal(0, 0.01, COUNT),
        "shiftmap": 0.1 + level,
    }
    run = with_values(read_run(sample), {name: list(v) for name, v in values.items()})
    plan = run.plan.assign(hole_share=share, hole_width=100 * share)
    run = run.__class__(**{**vars(run), "plan": plan})
    return Site(run, tmp_path), ranking_of(run)


def letters_of(ranking, test) -> set[frozenset[str]]:
    by_letter = {letter for scores in ranking.ranked for letter in scores.group}
    groups = ({s.method for s in ranking.ranked if each in s.group} for each in by_letter)
    assert set(test.means.index) == {s.method for s in ranking.ranked}
    return {frozenset(group) for group in groups if len(group) > 1}


@pytest.mark.parametrize("gap", [0.0, 0.02, 0.3])
def test_bars_join_the_methods_that_share_a_letter(sample, gap):
    rng = np.random.default_rng(3)
    level = rng.normal(0.5, 0.1, 30)
    noise = rng.normal(0, 0.05, (2, 30))
    values = {"ns": level + noise[0], "telea": level + noise[1] - gap, "shiftmap": level - 0.3}
    ranking = ranking_of(with_values(read_run(sample), {n: list(v) for n, v in values.items()}))
    test = comparison.average_ranks(ranking)
    names = list(test.means.index)
    bars = comparison.level(ranking, test)
    assert {frozenset(names[i] for i in bar) for bar in bars} == letters_of(ranking, test)
    assert len(bars) == 1


def test_with_a_reference_nobody_else_is_compared(sample):
    values = {"ns": spread(0.7), "telea": spread(0.699), "shiftmap": spread(0.2)}
    run = with_values(read_run(sample), values)
    ranking = rank(run, "small", headline_metric(run.metrics), "telea")
    assert comparison.average_ranks(ranking) is None


def test_two_methods_have_no_average_ranks(sample):
    run = with_values(read_run(sample), {"ns": spread(0.7), "telea": spread(0.2)})
    assert comparison.average_ranks(ranking_of(run)) is None


def test_a_distribution_is_the_share_of_cases_up_to_each_value(growing):
    site, ranking = growing
    head = tables.columns(site.run, ranking)[0]
    exhibit = comparison.distributions(site, ranking, head)
    own = ranking.values["telea"].to_numpy()
    label = tables.label(site.run, "telea")
    for value, share in comparison._shares(label, ranking.values["telea"]).points[1:]:
        assert value in own
        assert (own <= value).mean() >= share - 1e-12
        assert (own < value).mean() < share
    cells = dict((label.method, cells) for label, cells in exhibit.numbers.rows)["telea"]
    found = [float(cell.text) for cell in cells]
    assert found == pytest.approx(np.quantile(own, [0.05, 0.25, 0.5, 0.75, 0.95]), abs=1e-3)


def test_where_two_methods_cross_is_said_in_words(growing):
    site, ranking = growing
    share, width = difficulty.of_tier(site, ranking, tables.columns(site.run, ranking)[0])
    (words,) = share.crossings
    sentence = r"Below (\d+) % Telea wins; above (\d+) % Navier.Stokes \(p (<|=) .*\)\."
    low, high = map(int, re.fullmatch(sentence, words).groups()[:2])
    assert low <= 30 <= high  # they cross at 0.3
    assert 10 < low < high < 50
    assert len(share.exhibit.numbers.head) == 5
    assert len(share.exhibit.numbers.rows) == 3
    assert "pixels" in width.crossings[0]


def test_curves_of_all_tiers_need_more_than_one(growing, sample, tmp_path):
    site, ranking = growing
    assert not difficulty.of_all(site, [ranking])
    plan = site.run.plan.assign(tier="large")
    later = [frame.rename(index={"small": "large"}, level=CASE.index("tier"))
             for frame in (ranking.values, ranking.photo_of)]  # fmt: skip
    other = ranking.__class__(**{**vars(ranking), "tier": "large", "values": later[0],
                                 "photo_of": later[1]})  # fmt: skip
    both = site.run.__class__(**{**vars(site.run), "plan": pd.concat([site.run.plan, plan])})
    share, _ = difficulty.of_all(Site(both, tmp_path), [ranking, other])
    assert sum(int(head.rpartition("= ")[2]) for head in share.exhibit.numbers.head) == 2 * COUNT


# -- all plots ----------------------------------------------------------------------------------


def drawings() -> dict[str, bytes]:
    points = [Point(f"Method {i}", "GAN", Interval(i, i - 0.5, i + 0.5, 9, 9), True)
              for i in range(12)]  # fmt: skip
    lines = [Line(p.label, "CNN", [(x / 100, x / 100) for x in range(101)]) for p in points]
    return {
        "rows": figures.point_range(points, "x"),
        "ranks": figures.critical_difference(points, [(0, 1, 2), (2, 4, 5)], "rank"),
        "panels": figures.panels(lines, ("x", "y")),
        "samples": figures.samples([figures.Samples("M", "GAN", np.arange(1, 9), [2])], "ms"),
    }


def test_plots_have_at_most_2000_marks_and_the_same_bytes_each_time():
    for name, svg in drawings().items():
        assert svg == drawings()[name]
        assert len(re.findall(rb"<(path|use|rect|line|circle)\b", svg)) <= 2000, name
        assert len(svg) < 150_000, name


def test_plots_have_a_dark_colour_for_each_of_theirs():
    for svg in drawings().values():
        rules, plot = svg.split(b"</style>", 1)
        for what, colour in set(re.findall(rb"(fill|stroke): (#[0-9a-f]{6})", plot)):
            assert b'[style*="%s: %s"]' % (what, colour) in rules


def apart(boxes) -> bool:
    return not any(
        min(a[2], b[2]) > max(a[0], b[0]) and min(a[3], b[3]) > max(a[1], b[1])
        for a, b in itertools.combinations(boxes, 2)
    )


@pytest.mark.parametrize("seed", range(5))
def test_names_cover_neither_each_other_nor_a_point_while_there_is_room(seed):
    rng = np.random.default_rng(seed)
    frame = np.array([0.0, 0, 390, 340])
    centres = rng.uniform([60, 30], [330, 310], (12, 2))
    sizes = [np.array([rng.uniform(30, 70), 10]) for _ in centres]
    spots = labels._laid_out(centres, sizes, frame)
    assert apart([spot.box for spot in spots])
    for spot, size, centre in zip(spots, sizes, centres, strict=True):
        assert (spot.box[2:] - spot.box[:2]) == pytest.approx(size)
        assert (spot.box[:2] >= 0).all()
        assert (spot.box[2:] <= frame[2:]).all()
        assert not any(((spot.box[:2] < point) & (point < spot.box[2:])).all() for point in centres)
        nearest = np.clip(centre, spot.box[:2], spot.box[2:]) - centre
        assert spot.end == pytest.approx(nearest)


def test_a_name_without_any_room_goes_where_it_covers_least():
    spots = labels._laid_out(np.full((40, 2), 20.0), [np.array([30.0, 10])] * 40,
                             np.array([0.0, 0, 40, 40]))  # fmt: skip
    assert len(spots) == 40
