"""Strengths by votes: against logistic regression, and what they must not claim."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from scipy import optimize, special

from bench.statistics.preference import FEW_VOTERS, PRIOR, preference, strengths

NAMES = ["a", "b", "c", "d"]


def drawn(rng, log, photos=12, voters=8, each=20, tastes=0.5) -> pd.DataFrame:
    """Votes by Bradley and Terry, with photos and voters that have tastes of their own."""
    of_photo = rng.normal(0, 0.5, (photos, len(log)))
    of_voter = rng.normal(0, tastes, (voters, len(log)))
    rows = []
    for voter in np.repeat(np.arange(voters), each):
        photo, (a, b) = rng.integers(photos), rng.choice(len(log), 2, replace=False)
        own = np.asarray(log) + of_photo[photo] + of_voter[voter]
        left = rng.random() < special.expit(own[a] - own[b])
        choice = "equal" if rng.random() < 0.15 else "left" if left else "right"
        rows.append((NAMES[a], NAMES[b], choice, f"v{voter}", f"p{photo}"))
    return pd.DataFrame(rows, columns=["left", "right", "choice", "voter", "cluster"])


def votes(*rows: tuple[str, str, str, str, str]) -> pd.DataFrame:
    return pd.DataFrame(rows, columns=["left", "right", "choice", "voter", "cluster"])


def test_strengths_are_those_of_logistic_regression():
    wins = np.random.default_rng(0).integers(0, 30, (4, 4)).astype(float)
    np.fill_diagonal(wins, 0)
    counted = wins + PRIOR / 2 * (1 - np.eye(4))

    def unlikely(log):
        return -(counted * special.log_expit(log[:, None] - log)).sum() + log.sum() ** 2

    expected = optimize.minimize(unlikely, np.zeros(4), tol=1e-12).x
    assert strengths(wins) == pytest.approx(expected, abs=1e-5)


def test_who_is_better_is_found_and_sides_do_not_matter():
    found = preference(drawn(np.random.default_rng(1), [2, 0, 0, -2], each=60))
    assert list(found.methods["method"])[::3] == ["a", "d"]
    assert found.methods["rank_first"].iloc[0] == 1
    assert found.methods["rank_last"].iloc[0] == 1
    turned = drawn(np.random.default_rng(1), [2, 0, 0, -2], each=60)
    turned = turned.rename(columns={"left": "right", "right": "left"})
    turned["choice"] = turned["choice"].replace({"left": "right", "right": "left"})
    assert list(preference(turned).methods["share"]) == pytest.approx(list(found.methods["share"]))


def test_skipped_votes_do_not_count_and_no_vote_is_no_result():
    assert preference(votes(("a", "b", "skip", "v", "p"))).votes == 0
    assert preference(votes()).methods.empty


def test_two_votes_are_not_significant_however_clear():
    found = preference(votes(*[("a", "b", "left", "v", f"p{n}") for n in range(2)]))
    assert not found.pairs["significant"].any()
    assert any("no finite estimate" in note for note in found.notes)
    assert np.isfinite(found.methods["share"]).all()


def test_draws_alone_show_no_difference():
    found = preference(votes(*[("a", "b", "equal", "v", f"p{n}") for n in range(20)]))
    assert found.pairs["p"].item() > 0.9
    assert list(found.methods["share"]) == pytest.approx([0.5, 0.5])


def test_one_photo_gives_no_interval_and_few_voters_are_said_to_be_few():
    alone = preference(votes(*[("a", "b", "left", f"v{n}", "p") for n in range(9)]))
    assert alone.methods["low"].isna().all()
    assert not alone.pairs["significant"].any()
    few = preference(drawn(np.random.default_rng(2), [1, 0, 0, 0], voters=2))
    assert any("say nothing of other people" in note for note in few.notes)


def test_methods_that_never_met_have_no_place_among_the_others():
    rows = [("a", "b", "left", "v", f"p{n}") for n in range(9)]
    found = preference(votes(*rows, ("c", "d", "left", "v", "p1")))
    assert any(note.startswith("c and d were never compared") for note in found.notes)
    assert found.methods.set_index("method").loc[["c", "d"], "share"].isna().all()


def test_the_order_of_votes_does_not_matter():
    rows = drawn(np.random.default_rng(3), [1, 0, 0, -1])
    shuffled = rows.sample(frac=1, random_state=0)
    pd.testing.assert_frame_equal(preference(rows).methods, preference(shuffled).methods)


@pytest.mark.nightly
@pytest.mark.parametrize(("photos", "voters", "each"), [(12, 8, 20), (12, 3, 40), (30, 20, 30)])
def test_equal_methods_are_told_apart_as_rarely_as_stated(photos, voters, each):
    # What few voters prefer is told of these voters alone, so they must have no taste to be found.
    tastes = 0.5 if voters >= FEW_VOTERS else 0
    size = {"photos": photos, "voters": voters, "each": each, "tastes": tastes}
    found = [
        preference(drawn(np.random.default_rng(n), [0] * 4, **size), n).pairs["significant"].any()
        for n in range(300)
    ]
    assert np.mean(found) <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / 300)


@pytest.mark.nightly
def test_intervals_cover_the_share_of_many_votes():
    log = [1, 0.5, 0, -1.5]
    many = drawn(np.random.default_rng(99), log, photos=300, voters=100, each=300)
    truth = preference(many.assign(voter="all")).methods.set_index("method")["share"]
    found = [
        preference(drawn(np.random.default_rng(n), log, 30, 20, 30), n).methods.set_index("method")
        for n in range(300)
    ]
    covered = [truth.reindex(f.index).between(f["low"], f["high"]).mean() for f in found]
    assert np.mean(covered) >= 0.93
