"""Which cases of a tier are shown, and in which orders."""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass, replace
from typing import Any

import pandas as pd

from bench.folder.read import Run
from bench.folder.shown_cases import ALL_UP_TO, AT_RANDOM, case_hash
from bench.statistics import CASE
from reports.results import sentences
from reports.results.ranking import Ranking

MOST_CASES = 2000
_EXTREME = 20
SELECTION_RULE = (
    f"{AT_RANDOM} drawn by their hash, the {_EXTREME} best and the {_EXTREME} worst of the "
    f"best-ranked method, the {_EXTREME} on which the ranked methods disagree most, the first "
    f"{_EXTREME} by their hash on which a method failed, and the worst regressions if the run was "
    "judged against a baseline; where not all fills were kept, only cases with kept ones, but for "
    "failures and regressions"
)
Key = tuple[Any, ...]


@dataclass(frozen=True)
class Order:
    """Cases in an order.

    Attributes:
        name: Fit for a path and an anchor.
        title: For a link.
        rule: What the order is, as a sentence.
        keys: Cases in this order.
    """

    name: str
    title: str
    rule: str
    keys: list[Key]


def orders(
    run: Run,
    ranking: Ranking,
    methods: Sequence[str],
    regressed: Iterable[Key] = (),
    of: str = "",
) -> list[Order]:
    """The orders of a tier, that of the plan first; those without a case are left out.

    All cases are shown up to 100, else those of `SELECTION_RULE`. Of very many tiers fewer are
    shown, so that a report has no more than 2,000 cases.

    Args:
        run: The run.
        ranking: Ranking of the tier.
        methods: Those with a column of pictures.
        regressed: Keys of cases, of any tier, that got worse than a baseline, worst first.
        of: Whose best and worst cases; of the best-ranked method if omitted.
    """
    keys = _keys(run.plan[run.plan["tier"] == ranking.tier])
    own = (run.cases["tier"] == ranking.tier) & (run.cases["sample"] == 0)
    rows = run.cases.loc[own, [*CASE, "method", "output", "status"]]
    kept = set(_keys(rows[(rows["output"] != "") & rows["method"].isin(methods)]))
    by_hash = sorted(keys, key=lambda key: case_hash(*key))
    pictured = [key for key in by_hash if key in kept or not kept]
    failed = set(_keys(rows[~rows["status"].isin(["ok", "declined", "unavailable"])]))
    # In order of importance: what comes last is left out first.
    found = [
        Order("random", "Random", "Drawn by their hash: the only order fit for judging by eye.",
              pictured[:AT_RANDOM]),
        Order("regressed", "Regressed", "What got worse than the baseline, the worst first.",
              [key for key in dict.fromkeys(regressed) if key in set(keys)]),
        *_by_value(run, ranking, set(pictured), of),
        Order("failed", "Failed", "Drawn by their hash of those that a method did not complete.",
              [key for key in by_hash if key in failed][:_EXTREME]),
    ]  # fmt: skip
    most = MOST_CASES // len(run.tiers)
    chosen = list(dict.fromkeys(key for order in found for key in order.keys))
    shown = set(keys if len(keys) <= min(ALL_UP_TO, most) else chosen[:most])
    rule = "All that are shown, in the order of the plan."
    every = Order("all", "All", rule, [key for key in keys if key in shown])
    found = [replace(o, keys=[key for key in o.keys if key in shown]) for o in (every, *found)]
    return [order for order in found if order.keys]


def _keys(rows: pd.DataFrame) -> list[Key]:
    return list(rows[CASE].drop_duplicates().itertuples(index=False, name=None))


def _by_value(run: Run, ranking: Ranking, pictured: Set[Key], of: str) -> list[Order]:
    values = ranking.values[[key in pictured for key in ranking.values.index]]
    if ranking.best is None or values.empty:
        return []
    of = of or ranking.best.method
    name = sentences.title(run, of)
    first = ", which ranks first" if of == ranking.best.method else ""
    own = values[of]
    good_first = list(own.sort_values(ascending=not ranking.higher_is_better, kind="stable").index)
    found = [
        Order("worst", f"Worst of {name}", f"The worst of {name}{first}, the worst first.",
              good_first[::-1][:_EXTREME]),
        Order("best", f"Best of {name}", f"The best of {name}, the best first.",
              good_first[:_EXTREME]),
    ]  # fmt: skip
    if values.shape[1] > 1:
        spread = values.max(axis=1) - values.min(axis=1)
        apart = list(spread.sort_values(ascending=False, kind="stable").index)
        rule = "Where the best and the worst ranked method are furthest apart, the furthest first."
        found.append(Order("disagreement", "Disagreement", rule, apart[:_EXTREME]))
    return found
