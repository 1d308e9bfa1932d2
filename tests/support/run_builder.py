"""Write run folders for tests: what a test states, and blanks of the schema for all the rest.

Facts about metrics and methods are those of their records and cards.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import fields
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

from bench.folder.header import Environment, Fingerprint, Header
from bench.folder.read import Run
from bench.folder.schema import CASES, TABLES
from bench.folder.store import RunFolder
from bench.metrics import METRICS
from methods.card import Card

TIERS = ("small", "region", "large")
Rows = pd.DataFrame | Iterable[Mapping[str, Any]]
_REQUIRED = ("plan", "inputs", "cases", "sets", "metrics", "methods")


def table(name: str, rows: Rows) -> pd.DataFrame:
    """Rows with every column of the schema."""
    return TABLES[name].typed(pd.DataFrame(rows))


def sha(*parts: object) -> str:
    """What stands for a hash, 16 hex digits."""
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def plan(
    photos: Iterable[str], tiers: Sequence[str] = ("small",), draws: int = 1, **columns: Any
) -> pd.DataFrame:
    """The plan: a case for each photo, tier and draw; each photo is its own cluster."""
    keys = [*product(photos, tiers, range(draws))]
    rows = pd.DataFrame(keys, columns=["photo", "tier", "draw"])
    hashes = {"photo_sha": [sha(photo) for photo, *_ in keys],
              "mask_sha": [sha(*key) for key in keys],
              "case_key": [sha("case", *key) for key in keys]}  # fmt: skip
    rows = rows.assign(case=range(len(keys)), cluster=rows["photo"], mask_source="generated",
                       parameters="{}", **hashes)  # fmt: skip
    return table("plan", rows.assign(**columns))


def fills(plan: pd.DataFrame, method: str, **columns: Any) -> pd.DataFrame:
    """Rows of cases: a fill of each case, which went well unless the columns say otherwise."""
    rows = plan[[name for name in CASES.names if name in plan]]
    return rows.assign(**{"method": method, "sample": 0, "status": "ok", "reason": ""} | columns)


def inputs(plan: pd.DataFrame) -> pd.DataFrame:
    """The table of inputs: the photos of a plan."""
    own = plan.drop_duplicates("photo")
    own = own.rename(columns={"photo": "path", "photo_sha": "sha256"})
    return table("inputs", own.assign(kind="photo", status="ok"))


def metrics(names: Iterable[str], absent: Mapping[str, str] | None = None) -> pd.DataFrame:
    """The table of metrics: what their records say.

    Args:
        names: Of built-in metrics.
        absent: Why those are absent that are.
    """
    absent = absent or {}
    rows = (
        {name: getattr(METRICS[metric], name, "") for name in TABLES["metrics"].names}
        | {"metric": metric, "reason": absent.get(metric, ""),
           "status": "absent" if metric in absent else "ok"}
        for metric in names
    )  # fmt: skip
    return table("metrics", rows)


def methods(cards: Mapping[str, Card | str], **columns: Mapping[str, Any]) -> pd.DataFrame:
    """The table of methods: what their cards say.

    Args:
        cards: By method; of one that is made up, its family will do.
        columns: Values by method, where they are not those of the card.
    """
    rows = []
    for name, given in cards.items():
        card = Card(name, name, given) if isinstance(given, str) else given
        facts = {key: value for key, value in vars(card).items() if isinstance(value, str | bool)}
        facts |= {"method": name, "timed": True, "size": str(card.size), "status": "ok",
                  "identity": f"sample:{name}"}  # fmt: skip
        own = {key: values[name] for key, values in columns.items() if name in values}
        rows.append(facts | own)
    return table("methods", rows)


def header(fingerprint: str, **stated: Any) -> Header:
    """The header of a complete run."""
    blank = dict(
        state="complete", created="", photo_set="own photos", protocol={}, size_rule="", samples=1,
        methods={}, fill_keys={}, made_anew={}, fills_per_case={}, measurements={"": []},
        measure_key="", features=[], environment=Environment({"numpy": "2.0"}, python="3.12.0"),
        starts=[], inputs_key="", missing=0, finished="2024-01-02T03:04:05+00:00", counts={},
        without_result=[], non_deterministic=[],
    )  # fmt: skip
    return Header(**(blank | {"fingerprint": Fingerprint.parse(fingerprint)} | stated))


def in_memory(fingerprint: str = "photos:aa/1", **tables: Rows) -> Run:
    """A run that is nowhere."""
    names = (each.name for each in fields(Run) if each.name in TABLES)
    every = {name: table(name, tables.get(name, ())) for name in names}
    every["methods"] = every["methods"].set_axis(every["methods"]["method"].to_numpy())
    return Run(Path("nowhere"), header(fingerprint), **every)


def write(folder: Path, facts: Header, **tables: Rows) -> Path:
    """Write a run folder; tables that every run has are empty where they are not given."""
    store = RunFolder(folder)
    for name in dict.fromkeys([*_REQUIRED, *tables]):
        store.write_table(f"{name}.parquet", table(name, tables.get(name, ())))
    facts.write(store)
    return folder


def write_picture(path: Path, pixels: np.ndarray) -> None:
    """Write a PNG and the folders it lies in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(pixels).save(path, "PNG", compress_level=1)
