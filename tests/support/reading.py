"""Runs changed as a test needs it, and reports read back."""

from __future__ import annotations

import json
import re
from pathlib import Path

import html5lib
import pandas as pd

from bench.cli import main
from reports.build import build

XHTML = "{http://www.w3.org/1999/xhtml}"


def change_header(folder: Path, **changes) -> None:
    header = json.loads((folder / "run.json").read_text("utf-8")) | changes
    header.pop("checksum", None)
    (folder / "run.json").write_text(json.dumps(header), "utf-8")


def edit(folder: Path, table: str, change) -> None:
    path = folder / f"{table}.parquet"
    change(pd.read_parquet(path)).to_parquet(path, index=False)


def pages_of(folder: Path) -> dict[Path, object]:
    parser = html5lib.HTMLParser(strict=True)
    return {path: parser.parse(path.read_bytes()) for path in sorted(folder.rglob("*.html"))}


def texts(element) -> str:
    return re.sub(r"\s+", " ", "".join(element.itertext()))


def snapshot(folder: Path) -> dict[str, bytes]:
    files = sorted(p for p in folder.rglob("*") if p.is_file())
    return {str(p.relative_to(folder)): p.read_bytes() for p in files}


def judged(baseline: Path, run: Path) -> int:
    """Judge a run as the command line does, and build its report."""
    status = main(["gate", str(baseline), str(run)])
    build(run)
    return status


def darken(folder: Path) -> None:
    def change(cases: pd.DataFrame) -> pd.DataFrame:
        row = (cases["method"] == "telea") & (cases["tier"] == "large")
        return cases.assign(texture_structure=cases["texture_structure"] - row * 0.01)

    edit(folder, "cases", change)
