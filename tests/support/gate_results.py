"""Hand-made results for tests of the gate."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pandas as pd

from bench.gate import baseline
from bench.gate.baseline import Results
from tests.support import run_builder

METRICS = ("psnr_db", "l1_hole")
FINGERPRINT = "photos:aa/6 masks:bb/12 size:short-64-centre paste:known-8bit metrics:cc"


def results(
    cases: pd.DataFrame, *, stochastic: tuple[str, ...] = (), source: str = "run", **changed: Any
) -> Results:
    """Results of a run of these cases and, unless they have one, of a perfect ceiling."""
    if "original" not in set(cases["method"]):
        cases = pd.concat([cases, ceiling(cases)], ignore_index=True)
    families = dict.fromkeys(cases["method"], "other")
    run = run_builder.in_memory(
        FINGERPRINT,
        cases=cases,
        metrics=run_builder.metrics(name for name in METRICS if name in cases),
        methods=run_builder.methods(families, stochastic=dict.fromkeys(stochastic, True)),
    )
    return replace(baseline.of_run(run), **({"source": source, "cases": cases} | changed))


def cases(*methods: str, photos: int = 6) -> pd.DataFrame:
    """Two tiers, one draw; every case has another value."""
    plan = run_builder.plan((f"p{i}" for i in range(photos)), ("small", "large"))
    photo = plan.index // 2
    values = {"psnr_db": 20.0 + photo + 5 * (plan["tier"] == "small"),
              "l1_hole": 0.05 + 0.01 * photo}  # fmt: skip
    rows = (run_builder.fills(plan, method, **values) for method in methods)
    return pd.concat(rows, ignore_index=True)


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
