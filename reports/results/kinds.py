"""Which method is best for which kind of photo, and whether that depends on the kind."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from bench import statistics
from bench.folder.read import Run
from bench.folder.store import records
from bench.statistics import ALPHA, CASE, KIND_LEAST
from bench.text.numbers import (
    capital,
    counted,
    decimals_for,
    holes,
    interval,
    number,
    p_value,
    signed,
)
from reports.results.ranking import Ranking
from reports.results.sentences import tier_words, title
from reports.results.tables import Cell

RULE = (
    "A lead depends on the kind of photo where it differs significantly between one kind and all "
    "other photos: Welch's ratio, held against the largest of all kinds and tiers when kinds are "
    "dealt anew to the photos, p below 0.05. The intervals hold for all cells at once at 95 % and "
    f"leave out 0 exactly there. Kinds of fewer than {KIND_LEAST} photos are shown, not tested"
)


@dataclass(frozen=True)
class Row:
    """One kind.

    Attributes:
        kind: Its name.
        photos: How many photos are of it.
        means: The lead of each tier, and who has the best mean if not the leader.
        tested: By how much the lead of each tier is above that on all other photos.
    """

    kind: str
    photos: int
    means: list[Cell]
    tested: list[Cell]


@dataclass(frozen=True)
class ByKind:
    """The finding in sentences and as a table.

    Attributes:
        finding: What is found; who has the best mean is said without a test.
        heads: Of each tier its holes, and who leads whom.
        rows: The largest kinds.
        left_out: How many smaller kinds there are; empty if none.
    """

    finding: list[str]
    heads: list[tuple[str, str]]
    rows: list[Row]
    left_out: str


def by_kind(run: Run, rankings: Sequence[Ranking]) -> ByKind | None:
    """Compare the best method with the best of another family, kind by kind.

    Args:
        run: The run.
        rankings: Of its tiers.

    Returns:
        None where photos have no kinds, all have the same, or nothing ranks.
    """
    known = run.plan[run.plan["group"].astype(str) != ""]
    kinds = known.groupby("cluster", observed=True)["group"].agg(["first", "nunique"])
    pairs = {r.tier: pair for r in rankings if (pair := _pair(run, r)) is not None}
    if known["group"].nunique() < 2 or not pairs:
        return None
    if (kinds["nunique"] > 1).any():
        return ByKind(["Nothing by kind: photos that count as one are of several."], [], [], "")
    of = kinds["first"].astype(str)
    ranked = [r for r in rankings if r.tier in pairs]
    leads = pd.DataFrame({r.tier: _leads(r, *pairs[r.tier]) for r in ranked})
    leads = leads[leads.index.isin(of.index)]
    table = statistics.by_kind(leads, of[leads.index])
    decimals = decimals_for((table["high"] - table["low"]) / 2)
    best = {r.tier: _best(run, r) for r in ranked}
    names = {tier: (title(run, a), title(run, b)) for tier, (a, b) in pairs.items()}
    rows = [
        Row(
            str(kind),
            int(own["photos"].max()),
            [_mean_cell(row, best, names, decimals) for row in records(own)],
            [_tested_cell(row, decimals) for row in records(own)],
        )
        for kind, own in table.groupby("kind", sort=False)
    ]
    more = of.nunique() - table["kind"].nunique()
    return ByKind(
        [*_by_means(run, ranked, best), *_by_tests(table, names, decimals)],
        [(capital(holes(tier)), f"{a} over {b}") for tier, (a, b) in names.items()],
        rows,
        f"{counted(more, 'smaller kind')} of photo {'is' if more == 1 else 'are'} not shown"
        if more
        else "",
    )


def _pair(run: Run, ranking: Ranking) -> tuple[str, str] | None:
    """The leader, or the reference, and the best of another family, else the best of the rest."""
    if ranking.base is None or ranking.best is None:
        return None
    first, family = ranking.base.method, run.methods["family"]
    others = [s.method for s in ranking.ranked if s.method != first]
    if first not in ranking.values or not others:
        return None
    return first, next((name for name in others if family[name] != family[first]), others[0])


def _leads(ranking: Ranking, first: str, second: str) -> pd.Series:
    """By how much the first is better, by photo."""
    gains = (ranking.values[first] - ranking.values[second]) * ranking.sign
    return gains.groupby(ranking.photo_of).mean()


def _best(run: Run, ranking: Ranking) -> dict[str, str]:
    """Method with the best mean, by kind."""
    groups = run.plan.set_index(CASE)["group"].reindex(ranking.values.index).astype(str)
    means = (ranking.values.dropna() * ranking.sign).groupby(groups).mean()
    return {str(kind): title(run, str(name)) for kind, name in means.idxmax(axis=1).items() if kind}


def _by_means(
    run: Run, ranked: Sequence[Ranking], best: Mapping[str, Mapping[str, str]]
) -> list[str]:
    """In how many kinds the leader has the best mean; no test."""
    alike: dict[str, list[Ranking]] = {}
    for ranking in ranked:
        own = best[ranking.tier]
        leader = title(run, ranking.ranked[0].method)
        share = f"{list(own.values()).count(leader)} of {len(own)} kinds"
        alike.setdefault(f"{leader} has the best mean in {share}", []).append(ranking)
    return [f"{'; '.join(f'{words} on {tier_words(of)}' for words, of in alike.items())}."]


def _by_tests(
    table: pd.DataFrame, names: Mapping[str, tuple[str, str]], decimals: int
) -> list[str]:
    """What is shown to depend on the kind, or how much would have been."""
    if table["p"].isna().all():
        return [f"No kind has the {KIND_LEAST} photos that a test takes."]
    said = []
    for row in records(table[(table["p_lead"] < ALPHA) & (table["lead"] < 0)]):
        first, second = names[row["tier"]]
        said.append(
            f"On {row['kind']} the order turns: {second} is significantly better than {first} on "
            f"{holes(row['tier'])}, by {number(-row['lead'], decimals)} ({p_value(row['p_lead'])})."
        )
    for row in records(table[table["p"] < ALPHA]):
        first, second = names[row["tier"]]
        rest = row["lead"] - row["apart"]
        said.append(
            f"On {row['kind']} the lead of {first} over {second} on {holes(row['tier'])} is "
            f"{'larger' if row['apart'] > 0 else 'smaller'} than on other photos: "
            f"{signed(row['lead'], decimals)} against {signed(rest, decimals)} "
            f"({p_value(row['p'])})."
        )
    if said:
        return said
    least, most = (number(end, decimals) for end in (table["seen"].min(), table["seen"].max()))
    return [
        "That a lead depends on the kind is not shown. A kind that differs from all other photos "
        f"by {least if least == most else f'{least} to {most}'}, the more the fewer its photos, "
        "would have been found about 7 times in 10."
    ]


def _mean_cell(
    row: Mapping[str, Any],
    best: Mapping[str, Mapping[str, str]],
    names: Mapping[str, tuple[str, str]],
    decimals: int,
) -> Cell:
    name = best[row["tier"]].get(row["kind"], "")
    other = "" if name == names[row["tier"]][0] else f"best: {name}"
    remark = ""
    if row["p_lead"] < ALPHA and row["lead"] < 0:
        remark = f"significantly behind {names[row['tier']][1]}"
    elif row["p"] < ALPHA:
        remark = f"{'above' if row['apart'] > 0 else 'below'} other photos, {p_value(row['p'])}"
    return Cell(signed(row["lead"], decimals), other, remark)


def _tested_cell(row: Mapping[str, Any], decimals: int) -> Cell:
    if np.isnan(row["p"]):
        return Cell("too few photos")
    ends = interval(row["low"], row["high"], decimals)
    return Cell(signed(row["apart"], decimals), ends, p_value(row["p"]))
