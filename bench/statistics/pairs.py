"""Pairs of methods on the same cases: difference, intervals, p-values, wins, verdict."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
import pandas as pd

from bench.statistics.equivalence import ALPHA, is_equivalent, margin, verdict
from bench.statistics.intervals import column_intervals
from bench.statistics.significance import differences_tested

COLUMNS = [
    "a", "b", "difference", "low", "high", "low90", "high90", "win_rate", "n", "photos",
    "p", "p_adjusted", "low_joint", "high_joint", "margin", "significant", "equivalent", "verdict",
    "family", "note",
]  # fmt: skip
METHODS, WITH_MARKS = "methods", "marks"


def compare_pairs(
    values: pd.DataFrame,
    clusters: pd.Series,
    pairs: Sequence[tuple[str, str]],
    *,
    metric: str,
    higher: bool,
    marks: Collection[str] = (),
) -> pd.DataFrame:
    """Compare methods pair by pair, with p-values adjusted for the number of pairs.

    Args:
        values: One row per case, one column per method; no infinite values. A case where one of
            a pair is missing (NaN) does not count for that pair.
        clusters: Photo of each case, with the index of ``values``.
        pairs: Which methods to compare.
        metric: Name, for the equivalence margin.
        higher: Whether higher values are better.
        marks: Floors and the ceiling: pairs with one of them are a family of their own.

    Returns:
        One row per pair: methods ``a`` and ``b``; mean ``difference`` a - b with its own 95 %
        (``low``, ``high``) and 90 % interval (``low90``, ``high90``); ``win_rate``, the share
        of cases where a is better, equal cases counting half; ``n`` cases of so many
        ``photos``; its own p-value ``p``, and, of `differences_tested`, the one adjusted for the
        ``family`` (``p_adjusted``) and the interval that holds for the whole of it at 95 %
        (``low_joint``, ``high_joint``); and what `decide` adds.
    """
    rows = pd.DataFrame(index=range(len(pairs)), columns=COLUMNS)
    rows[["a", "b"]] = pd.DataFrame(pairs, columns=["a", "b"], index=rows.index)
    gaps = np.column_stack(
        [values[a].to_numpy(float) - values[b].to_numpy(float) for a, b in pairs]
        or [np.empty((len(values), 0))]
    )
    known = ~np.isnan(gaps)
    labels = pd.factorize(clusters, sort=True, use_na_sentinel=False)[0]
    # Pairs on the same cases share their resamples; most often that is all pairs.
    patterns: dict[bytes, list[int]] = {}
    for column in range(len(pairs)):
        patterns.setdefault(known[:, column].tobytes(), []).append(column)
    for columns in patterns.values():
        on = known[:, columns[0]]
        measured = _measured(gaps[np.ix_(on, columns)], labels[on], higher)
        rows.loc[columns, measured.columns] = measured.set_axis(columns).astype(object)
    rows["family"] = families(pairs, marks)
    tested = differences_tested(gaps, labels, rows["family"].tolist())
    rows[["p", "p_adjusted", "low_joint", "high_joint"]] = np.column_stack(tested)
    return decide(_typed(rows), values.mean(), metric=metric, higher=higher)


def families(pairs: Sequence[tuple[str, str]], marks: Collection[str]) -> list[str]:
    """Whether a pair is one of ``methods``, or one with one of the ``marks``.

    That every method beats a mean colour is no question asked of the data, and must not cost the
    answers to those that are.
    """
    return [WITH_MARKS if {*pair} & {*marks} else METHODS for pair in pairs]


def decide(rows: pd.DataFrame, means: pd.Series, *, metric: str, higher: bool) -> pd.DataFrame:
    """Add what the intervals and p-values of pairs allow to say.

    ``a better`` or ``b better``: the adjusted p-value of the mean difference is below 0.05.
    ``equivalent``: it is not, and the 90 % interval, of 5 photos or more, lies within the
    margin; these intervals are not adjusted for the number of pairs. Otherwise ``cannot tell``.
    The columns ``significant`` and ``equivalent`` hold both facts; a difference may be both, real
    and negligible.

    Args:
        rows: Columns ``a``, ``b``, ``difference``, ``low90``, ``high90``, ``photos``,
            ``p_adjusted``.
        means: Value of each method, for margins relative to it.
        metric: Name, for the equivalence margin.
        higher: Whether higher values are better.

    Returns:
        The rows with ``margin``, ``significant``, ``equivalent``, ``verdict``.
    """
    rows = rows.copy()
    best = np.maximum if higher else np.minimum
    better = best(means.loc[rows["a"]].to_numpy(), means.loc[rows["b"]].to_numpy())
    rows["margin"] = [margin(metric, value) for value in better]
    rows["significant"] = rows["p_adjusted"] < ALPHA
    ends = zip(rows["low90"], rows["high90"], rows["margin"], rows["photos"], strict=True)
    rows["equivalent"] = [is_equivalent(*end) for end in ends]
    gains = rows["difference"] * (1 if higher else -1)
    facts = zip(rows["p_adjusted"], gains, rows["equivalent"], strict=True)
    rows["verdict"] = [verdict(*fact) for fact in facts]
    return rows[COLUMNS]


def _measured(gaps: np.ndarray, labels: np.ndarray, higher: bool) -> pd.DataFrame:
    """All that is measured on pairs with the same cases; ``gaps`` is ``(n, p)``."""
    at95, at90 = column_intervals(gaps, labels, confidences=(0.95, 0.9))
    wins = (gaps > 0 if higher else gaps < 0) + 0.5 * (gaps == 0)
    return pd.DataFrame(
        {
            "difference": [i.mean for i in at95],
            "low": [i.low for i in at95],
            "high": [i.high for i in at95],
            "low90": [i.low for i in at90],
            "high90": [i.high for i in at90],
            "win_rate": wins.mean(axis=0) if len(gaps) else np.nan,
            "n": [i.n for i in at95],
            "photos": [i.clusters for i in at95],
            "note": [i.note for i in at95],
        }
    )


def _typed(rows: pd.DataFrame) -> pd.DataFrame:
    """Give the columns their types, which filling a table by parts loses."""
    whole = {"n": "int64", "photos": "int64"}
    text = {"a", "b", "note", "family", "verdict", "significant", "equivalent"}
    kinds = {name: whole.get(name, "float64") for name in COLUMNS if name not in text}
    return rows.astype(kinds)
