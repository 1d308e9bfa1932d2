"""Tables of a report for programs and papers: CSV, Parquet, JSON, LaTeX, Markdown.

CSV is safe to open in a spreadsheet. The cases of a large run are offered as Parquet only.
"""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from bench.folder.read import Run
from bench.folder.store import records
from bench.text import csv
from reports.files import latex, markdown
from reports.results import preference
from reports.results.ranking import Ranking, Scores

CSV_UP_TO = 200_000
_CHUNK = 50_000
_WORDS = {
    "summary.csv": "every mean and interval",
    "pairs.csv": "every difference",
    "cases.csv": "every case",
    "samples.csv": "every case of several samples",
    "training.csv": "ledgers of trainings",
    "receptive.csv": "receptive fields",
    "latency.csv": "latency",
    "shown.csv": "which cases have a page",
    "summary.json": "the result, for programs",
    "ranking.tex": "the rankings in LaTeX, for booktabs",
    "summary.md": "the result in Markdown",
}


def offered(run: Run) -> list[tuple[str, str, str]]:
    """What can be downloaded: words, file, and the same as Parquet (empty if there is none)."""
    lacking = {f"{name}.csv" for name in _OWN if getattr(run, name).empty}
    found = []
    for file, words in _WORDS.items():
        if file not in lacking:
            parquet = file.replace(".csv", ".parquet") if file.endswith(".csv") else ""
            large = file == "cases.csv" and len(run.cases) > CSV_UP_TO
            found.append((words, "" if large else file, parquet))
    return found


_OWN = ("samples", "training", "receptive", "latency")


def write(run: Run, rankings: Sequence[Ranking], shown: pd.DataFrame, folder: Path) -> None:
    """Write everything that `offered` lists.

    Args:
        run: The run.
        rankings: By tier.
        shown: The cases that have a page: rows of the plan and ``page``.
        folder: Where; must not exist.
    """
    folder.mkdir(parents=True)
    tables = {
        "summary": _summary(run, rankings),
        "pairs": pd.concat([ranking.pairs for ranking in rankings]),
        "shown": shown,
        **{name: getattr(run, name) for name in _OWN if not getattr(run, name).empty},
    }
    for name, table in tables.items():
        _csv(table, folder / f"{name}.csv")
        table.to_parquet(folder / f"{name}.parquet", index=False)
    _cases(run.folder / "cases.parquet", folder)
    _text(folder / "summary.json", json.dumps(_facts(run, rankings), indent=1, ensure_ascii=False))
    _text(folder / "ranking.tex", latex.rankings(run, rankings))
    _text(folder / "summary.md", markdown.summary(run, rankings))


def _cases(source: Path, folder: Path) -> None:
    """All columns of the cases, also those that no page needs, a part at a time."""
    # No second name of the file: what a reader saves under it would change the run.
    shutil.copyfile(source, folder / "cases.parquet")
    with pq.ParquetFile(source) as file:
        if file.metadata.num_rows > CSV_UP_TO:
            return
        for number, batch in enumerate(file.iter_batches(_CHUNK)):
            _csv(batch.to_pandas(), folder / "cases.csv", append=number > 0)


def _csv(table: pd.DataFrame, path: Path, *, append: bool = False) -> None:
    with path.open("a" if append else "w", encoding="utf-8", errors="replace", newline="") as file:
        file.write(csv.written(table, header=not append))


def _text(path: Path, text: str) -> None:
    path.write_text(text.rstrip("\n") + "\n", "utf-8", errors="replace", newline="\n")


def _facts(run: Run, rankings: Sequence[Ranking]) -> dict[str, Any]:
    """The result as a tree; what is not a number is null."""
    rows = records(_summary(run, rankings).astype(object))
    return {
        "format": 1,
        "fingerprint": run.header.fingerprints,
        "state": run.state,
        "truth": run.header.truth,
        "result": preference.headline(run, rankings),
        "tiers": [
            {
                "tier": ranking.tier,
                "headline": ranking.headline or None,
                "cases": ranking.n,
                "of": ranking.expected,
                "photos": ranking.clusters,
                "reference": ranking.reference or None,
                "best": None if ranking.best is None else ranking.best.method,
                "not_separable": [scores.method for scores in ranking.tied],
                "absent": [{"method": m, "reason": reason} for m, reason in ranking.absent],
                "means": [_plain(row) for row in rows if row["tier"] == ranking.tier],
            }
            for ranking in rankings
        ],
    }


def _plain(row: dict[str, Any]) -> dict[str, Any]:
    """Values that JSON knows; infinity is a word there."""
    facts = {key: None if pd.isna(value) else value for key, value in row.items() if key != "tier"}
    return {
        key: str(value) if value in (float("inf"), float("-inf")) else value
        for key, value in facts.items()
    }


def _summary(run: Run, rankings: Sequence[Ranking]) -> pd.DataFrame:
    rows = [
        row
        for ranking in rankings
        for group in ("ranked", "marks", "partial")
        for scores in getattr(ranking, group)
        for row in _means(run, ranking.tier, group, scores)
    ]
    whole = dict.fromkeys(("rank_first", "rank_last", "photos"), "Int64")
    return pd.DataFrame(rows).astype(whole) if rows else pd.DataFrame(columns=["tier", "method"])


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
