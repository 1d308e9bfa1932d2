"""Where the time and the bytes of a run with latency and report went: by part, and by method.

    inpaint-bench run --latency
    python -m tests.speed.default_job runs/bench

Parts are told apart by when their last file was written, so that the folder must be as the run left
it. Seconds of methods and of measuring are those of the table of cases.
"""

from __future__ import annotations

import sys
from collections import Counter
from datetime import datetime
from pathlib import Path

import pandas as pd

from bench.folder.header import read
from bench.folder.store import RunFolder

PARTS = (
    ("photos, holes, plan", "plan.parquet"),
    ("fills and measuring", "cases.parquet"),
    ("metrics of sets, tables", "run.json"),
    ("latency", "latency.json"),
    ("report", "report/assets/pictures.json"),
)


def parts(run: Path) -> pd.Series:
    """Seconds between the last files of each part, by its words; without those that did not run."""
    before = datetime.fromisoformat(read(RunFolder(run)).created).timestamp()
    found = {}
    for words, file in PARTS:
        if (run / file).exists():
            after = (run / file).stat().st_mtime
            found[words], before = after - before, after
    return pd.Series(found, name="seconds")


def methods(run: Path) -> pd.DataFrame:
    """Fills by method, wall and CPU seconds of filling, and seconds of measuring."""
    cases = pd.read_parquet(run / "cases.parquet")
    table = cases.groupby("method")[["seconds", "cpu_seconds", "measure_seconds"]].sum()
    table.insert(0, "fills", cases.groupby("method").size())
    return table.sort_values("seconds", ascending=False)


def megabytes(folder: Path) -> pd.Series:
    """Size of a folder's files by their kind, largest first."""
    sizes: Counter[str] = Counter()
    for path in folder.rglob("*"):
        if path.is_file():
            sizes[f"{path.relative_to(folder).parts[0]} {path.suffix}"] += path.stat().st_size
    return pd.Series(dict(sizes.most_common()), name="MB", dtype=float) / 1e6


def main(run: Path) -> None:
    """Print all of it."""
    spent, table = parts(run), methods(run)
    sums = table.sum().rename("all")
    print(spent.round(0).to_string(), f"\nall: {spent.sum():.0f} s\n")
    print(pd.concat([table, sums.to_frame().T]).round(1).to_string(), "\n")
    if (run / "report").exists():
        sizes = megabytes(run / "report")
        print(sizes.round(2).to_string(), f"\nreport: {sizes.sum():.1f} MB")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
