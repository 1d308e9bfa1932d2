"""Leads by kind of photo: what is found, what is not, and how often it is wrong."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from bench.statistics import KIND_LEAST, by_kind, kinds

SIZES = {"animals": 8, "streets": 8, "water": 7, "night": 6, "people": 2}


def made(seed: int = 0, sizes: dict[str, int] = SIZES, **shifts: float):
    """Leads in two tiers, of which the second is shifted by kind; and the kind of each photo."""
    of = pd.Series(np.repeat(list(sizes), list(sizes.values())))
    leads = pd.DataFrame(
        0.3 + 0.1 * np.random.default_rng(seed).normal(size=(len(of), 2)),
        columns=["small", "large"],
    )
    leads["large"] += of.map(shifts).fillna(0)
    return leads, of


def cell(table: pd.DataFrame, kind: str, tier: str) -> pd.Series:
    return table.set_index(["kind", "tier"]).loc[(kind, tier)]


def test_means_are_those_of_the_kind_and_what_is_apart_is_against_all_others():
    leads, of = made()
    table = by_kind(leads, of)
    assert list(table["kind"].unique()) == ["animals", "streets", "water", "night", "people"]
    for row in table.itertuples():
        own = leads.loc[of == row.kind, row.tier]
        assert row.photos == len(own)
        assert row.lead == pytest.approx(own.mean())
        if row.photos >= KIND_LEAST:
            assert row.apart == pytest.approx(
                own.mean() - leads.loc[of != row.kind, row.tier].mean()
            )


def test_a_kind_that_differs_is_found_and_the_rest_is_not_accused():
    table = by_kind(*made(streets=-0.6))
    found = cell(table, "streets", "large")
    assert found["p"] < 0.01
    assert found["p_lead"] < 0.05
    assert found["lead"] < 0
    assert (table.loc[table["tier"] == "small", "p"].dropna() > 0.05).all()


def test_intervals_leave_out_0_exactly_where_the_adjusted_p_value_is_below_5_percent():
    leads, of = made(streets=-0.25, animals=0.1)
    for scale in np.linspace(0, 1, 15):  # passes the border slowly
        table = by_kind(leads - scale * leads.groupby(of).transform("mean"), of).dropna()
        outside = (table["low"] > 0) | (table["high"] < 0)
        assert (outside == (table["p"] < 0.05)).all()


def test_it_agrees_with_dealing_kinds_out_one_photo_after_another():
    leads, of = made(seed=3, water=0.15)
    table = by_kind(leads, of)
    tested = [name for name, n in SIZES.items() if n >= KIND_LEAST]

    def ratios(labels: pd.Series) -> np.ndarray:
        found = []
        for name in tested:
            own, rest = leads[(labels == name).to_numpy()], leads[(labels != name).to_numpy()]
            error = np.sqrt(own.var() / len(own) + rest.var() / len(rest))
            found.append((own.mean() - rest.mean()).abs() / error)
        return np.array(found)

    rng = np.random.default_rng(1)
    largest = np.array([ratios(of.sample(frac=1, random_state=rng)).max() for _ in range(400)])
    expected = (1 + (largest[:, None, None] >= ratios(of)).sum(axis=0)) / 401
    got = table.dropna()["p"].to_numpy().reshape(len(tested), 2)
    assert got == pytest.approx(expected, abs=0.09)


def test_photos_without_a_lead_do_not_count_and_small_kinds_are_not_tested():
    leads, of = made()
    leads.loc[of == "night", "large"] = np.nan
    leads.loc[0, "small"] = np.nan
    table = by_kind(leads, of)
    assert cell(table, "night", "large")["photos"] == 0
    assert np.isnan(cell(table, "night", "large")["lead"])
    assert cell(table, "animals", "small")["photos"] == 7
    untested = table[table["p"].isna()]
    assert set(map(tuple, untested[["kind", "tier"]].to_numpy())) == {
        ("night", "large"), ("people", "small"), ("people", "large")
    }  # fmt: skip
    assert (
        table.loc[table["p"].isna(), ["apart", "low", "high", "seen", "p_lead"]]
        .isna()
        .all(axis=None)
    )


def test_where_nothing_can_be_tested_nothing_is():
    table = by_kind(*made(sizes={"a": 3, "b": 2}))
    assert table["p"].isna().all()
    assert table["lead"].notna().all()
    table = by_kind(*made(sizes={"a": 30, "b": 5}))  # all others are too few
    assert table["p"].isna().all()


def test_leads_that_agree_in_all_photos_differ_by_nothing():
    leads, of = made()
    table = by_kind(leads * 0 + 0.2, of).dropna()
    assert (table["p"] == 1).all()
    assert (table["apart"].abs() < 1e-12).all()


def test_of_many_kinds_the_largest_are_shown_and_held_against_all_photos():
    leads, of = made(sizes={f"{i:03}": 1 + i // 10 for i in range(300)})
    table = by_kind(leads, of)
    assert table["kind"].nunique() == kinds.MOST_KINDS
    assert table["kind"].iloc[0] == "290"  # of the largest ten the first by name
    first = cell(table, "290", "large")
    assert first["apart"] == pytest.approx(
        leads.loc[of == "290", "large"].mean() - leads.loc[of != "290", "large"].mean()
    )


def test_the_normal_law_of_very_many_photos_agrees_with_dealing(monkeypatch):
    leads, of = made(sizes={"a": 60, "b": 60, "c": 80}, b=0.04)
    dealt = by_kind(leads, of)
    monkeypatch.setattr(kinds, "MANY_CLUSTERS", 100)
    normal = by_kind(leads, of)
    assert (normal["p"] >= dealt["p"] - 0.02).all()  # by Bonferroni, which is never less strict
    assert normal["high"].to_numpy() == pytest.approx(dealt["high"].to_numpy(), abs=0.01)


@pytest.mark.parametrize("law", ["normal", "skewed", "one kind spreads wide"])
def test_without_a_difference_of_kinds_one_is_found_in_about_5_of_100(law):
    wrong = 0
    for seed in range(80):
        leads, of = made(seed)
        if law == "skewed":
            leads = np.exp(8 * leads)
        elif law == "one kind spreads wide":
            leads[of == "night"] = 0.3 + 3 * (leads[of == "night"] - 0.3)
        wrong += bool((by_kind(leads, of)["p"] < 0.05).any())
    assert wrong <= 10  # of 80 at 5 %, more have a chance of 0.2 %
