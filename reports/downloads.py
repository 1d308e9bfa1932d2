"""Tables of a report as CSV, safe to open in a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd

from reports.ranking import Ranking, Scores
from reports.run import Run

_FORMULA_STARTS = ("=", "+", "-", "@", "\t", "\r")


def write(run: Run, rankings: Sequence[Ranking], folder: Path) -> None:
    """Write ``cases``, ``samples``, ``summary`` (one row per mean shown) and ``pairs``, as CSV."""
    folder.mkdir(parents=True)
    _csv(run.cases, folder / "cases.csv")
    _csv(pd.DataFrame(list(_summary(run, rankings))), folder / "summary.csv")
    if not run.training.empty:
        _csv(run.training, folder / "training.csv")
    if not run.samples.empty:
        _csv(run.samples, folder / "samples.csv")
    if not run.receptive.empty:
        _csv(run.receptive, folder / "receptive.csv")
    _csv(pd.concat([ranking.pairs for ranking in rankings]), folder / "pairs.csv")


def guarded(value: Any) -> Any:
    """Put an apostrophe before text that a spreadsheet would run as a formula."""
    if isinstance(value, str) and value.startswith(_FORMULA_STARTS):
        return f"'{value}"
    return value


def _csv(table: pd.DataFrame, path: Path) -> None:
    text = [name for name in table if table[name].map(lambda v: isinstance(v, str)).any()]
    table.assign(**{str(name): table[name].map(guarded) for name in text}).to_csv(
        path, index=False, lineterminator="\n", errors="replace"
    )


def _summary(run: Run, rankings: Sequence[Ranking]) -> Iterator[dict[str, Any]]:
    for ranking in rankings:
        for group in ("ranked", "marks", "partial"):
            for scores in getattr(ranking, group):
                yield from _means(run, ranking.tier, group, scores)


def _means(run: Run, tier: str, group: str, scores: Scores) -> Iterator[dict[str, Any]]:
    facts = run.metrics.set_index("metric")
    first, last = scores.place or (None, None)
    for metric, value in scores.values.items():
        yield {
            "tier": tier,
            "method": scores.method,
            "group": group,
            "rank_first": first,
            "rank_last": last,
            "tie_group": scores.group,
            "metric": metric,
            "unit": facts.loc[metric, "unit"],
            "direction": facts.loc[metric, "direction"],
            "mean": value.mean,
            "low_95": value.low,
            "high_95": value.high,
            "n": value.n,
            "photos": value.clusters or None,
            "capped_at_100_db": scores.capped.get(metric, 0),
            "note": value.note,
            "seconds_median_indicative": scores.seconds,
            "peak_bytes": scores.peak_bytes,
        }
