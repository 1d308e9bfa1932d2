"""Hand-made results for tests of the gate."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from bench.gate.baseline import Results

METRICS = {"psnr_db": ("higher", "dB"), "l1_hole": ("lower", "")}
FINGERPRINT = "photos:aa/6 masks:bb/12 size:short-64-centre paste:known-8bit metrics:cc"


def results(
    cases: pd.DataFrame, *, stochastic: tuple[str, ...] = (), source: str = "run", **changed: Any
) -> Results:
    """Results of these cases and, unless they have one, of a perfect ceiling."""
    if "original" not in set(cases["method"]):
        cases = pd.concat([cases, ceiling(cases)], ignore_index=True)
    names = [name for name in METRICS if name in cases]
    metrics = pd.DataFrame(
        [
            (name, *METRICS[name], f"{name}|picture|code|1||{'|'.join(METRICS[name])}")
            for name in names
        ],
        columns=["metric", "direction", "unit", "signature"],
    )
    methods = pd.DataFrame(
        [(name, name in stochastic, f"mine:{name}") for name in cases["method"].unique()],
        columns=["method", "stochastic", "identity"],
    )
    facts = {
        "source": source, "fingerprint": FINGERPRINT, "packages": {"numpy": "2.0"},
        "metrics": metrics, "methods": methods, "cases": cases,
    }  # fmt: skip
    return Results(**(facts | changed))


def cases(*methods: str, photos: int = 6) -> pd.DataFrame:
    """Two tiers, one draw; every case has another value."""
    rows = [
        {
            "method": method, "photo": f"p{photo}", "tier": tier, "draw": 0, "sample": 0,
            "cluster": f"p{photo}", "status": "ok", "reason": "",
            "psnr_db": 20.0 + photo + 5 * (tier == "small"), "l1_hole": 0.05 + 0.01 * photo,
        }
        for method in methods
        for photo in range(photos)
        for tier in ("small", "large")
    ]  # fmt: skip
    return pd.DataFrame(rows)


def ceiling(cases: pd.DataFrame) -> pd.DataFrame:
    own = cases.drop_duplicates(["photo", "tier", "draw"])
    own = own.assign(method="original", sample=0, status="ok", reason="")
    perfect = {"psnr_db": math.inf, "l1_hole": 0.0}
    return own.assign(**{name: value for name, value in perfect.items() if name in own})


def change(table: pd.DataFrame, where: str, **values: Any) -> pd.DataFrame:
    """A copy with other values in the rows that a query selects."""
    table = table.copy()
    rows = table.query(where).index
    assert len(rows), where
    for name, value in values.items():
        table.loc[rows, name] = value
    return table
