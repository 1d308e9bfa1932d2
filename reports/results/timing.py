"""How long a fill takes: from the table of latencies where there is one, else from the run."""

from __future__ import annotations

import math
from dataclasses import dataclass

import pandas as pd

from bench.folder import latency_facts
from bench.folder.read import Run
from bench.statistics import MARKS, completed
from bench.text import numbers
from reports.results import sentences

INDICATIVE = (
    "Times: medians of this run, bars the middle half of the cases; indicative only, since other "
    "work ran beside it"
)


@dataclass(frozen=True)
class Time:
    """Milliseconds of a fill, with the ends of a bar; NaN where there is none."""

    middle: float
    low: float
    high: float

    @property
    def words(self) -> str:
        """Milliseconds with two to three significant digits."""
        return numbers.milliseconds(self.middle)

    @property
    def interval(self) -> str:
        """The ends of the bar in brackets; empty without one."""
        return numbers.between_milliseconds(self.low, self.high)


@dataclass(frozen=True)
class Times:
    """Times of the methods of a tier that can be compared, and what they are."""

    of: dict[str, Time]
    remark: str


def times(run: Run, tier: str) -> Times:
    """How long each method takes for a case of a tier.

    From the table of latencies: one picture at a time, from picture in to picture out, at the
    size nearest to the run's, bars 95 % intervals of the ratio to the reference workload. A run
    without it, or with one that lacks most methods, has only the seconds of its cases. The two are
    never mixed.
    """
    measured, indicative = _measured(run, tier), _indicative(run, tier)
    wanted = [name for name in indicative.of if run.methods.loc[name, "family"] not in MARKS]
    lacking = [sentences.title(run, name) for name in wanted if name not in measured.of]
    if not measured.of:
        return indicative
    # The short pass of a run has rounds enough for a median of quick methods alone.
    if 2 * len(lacking) > len(wanted):
        return Times(indicative.of, f"{indicative.remark}; too few rounds were timed apart from it")
    words = f"; no median of {numbers.joined(lacking)}" if lacking else ""
    return Times(measured.of, measured.remark + words)


def fitting(run: Run, tier: str, *, medians: bool = False) -> pd.DataFrame:
    """Rows of latency from picture to picture of a tier, at the size nearest to the run's.

    Args:
        run: The run.
        tier: Of its holes.
        medians: Whether rows must have one, so that another size may be nearest.
    """
    rows = run.latency[
        (run.latency["tier"] == tier)
        & (run.latency["region"] == "e2e")
        & (run.latency["batch"] == 1)
    ]
    rows = rows[rows["p50_ms"].notna()] if medians else rows
    if rows.empty:
        return rows
    sizes = run.plan.loc[run.plan["tier"] == tier, ["height", "width"]]
    wanted = float(sizes.prod(axis=1).pow(0.5).median())
    side = min(rows["side"].unique(), key=lambda each: (abs(each - wanted), each))
    here: pd.DataFrame = rows[(rows["side"] == side) & (rows["device"] == rows["device"].iloc[0])]
    return here


def _measured(run: Run, tier: str) -> Times:
    rows = fitting(run, tier, medians=True)
    if rows.empty:
        return Times({}, "")
    (size,) = latency_facts.sizes(rows).values()
    remark = (
        f"Times: medians of at least {int(rows['n'].min())} fills at {size} on "
        f"{rows['device'].iloc[0]}, bars 95 % intervals, measured apart from the run"
    )
    unsettled = rows.loc[rows["status"] != "converged", "method"]
    if len(unsettled) == len(rows):
        remark += "; none was timed until it settled, so close ones may change places"
    elif len(unsettled):
        names = [sentences.title(run, str(name)) for name in unsettled if name in run.methods.index]
        remark += f"; not timed until they settled: {numbers.joined(names)}" if names else ""
    found = {
        str(method): Time(
            p50, p50 * low / ratio if ratio else math.nan, p50 * high / ratio if ratio else math.nan
        )
        for method, p50, ratio, low, high in zip(
            rows["method"], rows["p50_ms"], rows["ratio"], rows["ratio_low"], rows["ratio_high"],
            strict=True,
        )
    }  # fmt: skip
    return Times(found, remark)


def _indicative(run: Run, tier: str) -> Times:
    columns = ["method", "sample", "status", "seconds"]
    done = completed(run.cases.loc[run.cases["tier"] == tier, columns])
    timed = done[done["method"].map(run.methods["timed"]).astype(bool) & done["seconds"].notna()]
    found = {
        str(method): Time(*(1000 * float(seconds.quantile(share)) for share in (0.5, 0.25, 0.75)))
        for method, seconds in timed.groupby("method")["seconds"]
    }
    words = shares(run, tier)
    return Times(found, f"{INDICATIVE}; {words}" if words else INDICATIVE)


def shares(run: Run, tier: str) -> str:
    """Say whose seconds are shares of calls that fill several cases; empty if nobody's are."""
    here = run.cases.loc[run.cases["tier"] == tier, ["method", "counts"]]
    given = here["counts"].astype(str).str.contains('"batch_of"', regex=False)
    names = [sentences.title(run, str(name)) for name in here.loc[given, "method"].unique()]
    return f"of {numbers.joined(names)}: a share of a call for several cases" if names else ""
