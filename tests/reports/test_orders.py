"""Which cases are shown, and in which orders."""

from __future__ import annotations

import numpy as np
import pytest

from reports.build import read_run
from reports.results.orders import orders
from reports.site import gallery
from tests.support.made_up_values import ranking_of, with_values


@pytest.fixture
def many(sample):
    rng = np.random.default_rng(0)
    drawn = {"ns": rng.normal(0.8, 0.1, 300), "telea": rng.normal(0.5, 0.1, 300)}
    return with_values(read_run(sample), drawn)


def by_name(run, regressed=()):
    ranking = ranking_of(run)
    found = orders(run, ranking, gallery.columns(run, ranking), regressed)
    return {order.name: order.keys for order in found}


def test_the_choice_is_the_same_each_time_in_the_order_of_the_plan(many):
    found = by_name(many)
    assert found == by_name(many)
    assert 60 <= len(found["all"]) <= 100
    assert found["all"] == sorted(found["all"])
    assert set(found["all"]) == set().union(*found.values())


def test_worst_best_and_disagreement_are_those_of_the_values(many):
    found = by_name(many)
    wide = many.cases.pivot(index="photo", columns="method", values="texture_structure")
    photos = {name: [key[0] for key in keys] for name, keys in found.items()}
    assert photos["worst"] == list(wide["ns"].sort_values().index[:20])
    assert photos["best"] == list(wide["ns"].sort_values(ascending=False).index[:20])
    apart = (wide["ns"] - wide["telea"]).abs().sort_values(ascending=False)
    assert photos["disagreement"] == list(apart.index[:20])


def test_random_cases_are_drawn_without_looking_at_values(many, sample):
    rng = np.random.default_rng(1)
    drawn = {"ns": rng.normal(0.2, 0.1, 300), "telea": rng.normal(0.5, 0.1, 300)}
    other = with_values(read_run(sample), drawn)
    assert by_name(many)["random"] == by_name(other)["random"]
    assert len(set(by_name(many)["random"])) == 40


def test_regressed_cases_are_shown_whatever_else_is_chosen(many):
    left_out = sorted(set(many.plan["photo"]) - {key[0] for key in by_name(many)["all"]})[:2]
    regressed = [(photo, "small", 0) for photo in reversed(left_out)]
    found = by_name(many, [*regressed, ("elsewhere", "large", 0)])
    assert found["regressed"] == regressed
    assert set(regressed) <= set(found["all"])
    assert "regressed" not in by_name(many)


def test_few_cases_are_all_shown_and_without_a_ranking_there_is_no_worst(sample):
    run = with_values(read_run(sample), {"mean": [0.1, 0.2, 0.3]})
    found = by_name(run)
    assert list(found) == ["all", "random"]
    assert len(found["all"]) == 3
