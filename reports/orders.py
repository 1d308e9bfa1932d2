"""Which cases of a tier are shown, and in which orders."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import numpy as np

from bench.statistics import CASE
from reports import sentences
from reports.numbers import short_hash
from reports.ranking import Ranking
from reports.run import Run

ALL_UP_TO = 100
_RANDOM, _EXTREME = 40, 20
SELECTION_RULE = (
    f"{_RANDOM} drawn at random with a fixed seed, the {_EXTREME} best and the {_EXTREME} worst of "
    f"the best-ranked method, and the {_EXTREME} on which the ranked methods disagree most, "
    "and the worst regressions if the run was judged against a baseline"
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


def orders(run: Run, ranking: Ranking, regressed: Iterable[Key] = ()) -> list[Order]:
    """The orders of a tier, that of the plan first; those without a case are left out.

    All cases are shown up to 100, else those of `SELECTION_RULE`.

    Args:
        run: The run.
        ranking: Ranking of the tier.
        regressed: Keys of cases, of any tier, that got worse than a baseline, worst first.
    """
    plan = run.plan[run.plan["tier"] == ranking.tier]
    keys: list[Key] = list(plan.set_index(CASE).index)
    # The generator is seeded by the tier, so that the choice is the same for every build.
    rng = np.random.default_rng(int(short_hash("selection", ranking.tier), 16))
    drawn = [keys[i] for i in rng.permutation(len(keys))[:_RANDOM]]
    found = [
        Order("random", "Random", "Drawn with a fixed seed: the only order fit for judging by eye.",
              drawn),
        *_by_value(run, ranking),
        Order("regressed", "Regressed", "What got worse than the baseline, the worst first.",
              [key for key in dict.fromkeys(regressed) if key in set(keys)]),
    ]  # fmt: skip
    chosen = {key for order in found for key in order.keys}
    shown = keys if len(keys) <= ALL_UP_TO else [key for key in keys if key in chosen]
    rule = "All that are shown, in the order of the plan."
    return [order for order in (Order("all", "All", rule, shown), *found) if order.keys]


def _by_value(run: Run, ranking: Ranking) -> list[Order]:
    if ranking.best is None or ranking.values.empty:
        return []
    name = sentences.title(run, ranking.best.method)
    own = ranking.values[ranking.best.method]
    good_first = list(own.sort_values(ascending=not ranking.higher_is_better, kind="stable").index)
    found = [
        Order("worst", f"Worst of {name}", f"The worst of {name}, which ranks first, the worst "
              "first.", good_first[::-1][:_EXTREME]),
        Order("best", f"Best of {name}", f"The best of {name}, the best first.",
              good_first[:_EXTREME]),
    ]  # fmt: skip
    if ranking.values.shape[1] > 1:
        spread = ranking.values.max(axis=1) - ranking.values.min(axis=1)
        apart = list(spread.sort_values(ascending=False, kind="stable").index)
        rule = "Where the best and the worst ranked method are furthest apart, the furthest first."
        found.append(Order("disagreement", "Disagreement", rule, apart[:_EXTREME]))
    return found
