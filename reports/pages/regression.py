"""The page of the gate's verdict: what got worse against a baseline, and what is missing."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bench.folder.header import differing
from bench.folder.read import Run
from bench.text import numbers
from reports.results import tables
from reports.results.tables import metric_label
from reports.results.verdict import WORST, StoredVerdict
from reports.site.beside import Before, Beside
from reports.site.gallery import CaseView, page_name
from reports.site.site import Site

PAGE = "regression.html"
LONGEST_LIST = 500
_SEVERITY = (
    "regressed", "not measured", "trade-off", "not compared", "nothing compared", "better", "same",
)  # fmt: skip
_VERDICTS = ("slower", "not measured", "cannot tell", "faster", "same")
_TITLES = {
    "same or better": "Same as the baseline, or better",
    "regressed": "Regressed",
    "not comparable": "Not comparable with the baseline",
    "not measured": "Something of the baseline is missing",
}


@dataclass(frozen=True)
class Line:
    """One method, tier and metric against the baseline; ``count`` cases are as ``state`` says."""

    method: str
    tier: str
    metric: str
    state: str
    count: str
    change: str
    tolerance: str
    ratio: str
    size: float


@dataclass(frozen=True)
class Change:
    """One regressed case, by its worst metric; page and pictures only where the case has them."""

    method: str
    about: str
    metric: str
    old: str
    new: str
    tolerance: str
    ratio: str
    page: str
    pictures: Beside | None


@dataclass(frozen=True)
class Timing:
    """One timing of the baseline, and the same in this run, as ratios to the anchor."""

    method: str
    about: str
    verdict: str
    old: str
    new: str
    change: str
    margin: str
    reason: str


def write(site: Site, verdict: StoredVerdict, views: Mapping[str, CaseView]) -> None:
    """Write ``regression.html``.

    Args:
        site: The report.
        verdict: A verdict on the run as it is.
        views: The cases that have a page, by its name.
    """
    run = site.run
    lines = sorted(_lines(run, verdict), key=lambda x: (_SEVERITY.index(x.state), -x.size))
    worst = verdict.regressed()
    before = Before(run, site.album, verdict)
    missing = [row for row in verdict.findings if row["kind"] == "not measured"]
    context = {
        "verdict": verdict,
        "heading": _TITLES.get(verdict.outcome, verdict.outcome),
        "sentence": verdict.sentence,
        "lines": lines[:LONGEST_LIST],
        "line_count": len(lines),
        "worst": [_change(run, row, views, before) for row in worst[:WORST]],
        "no_pictures": before.reason,
        "worst_count": len(worst),
        "missing": [{"about": _about(run, row), "reason": row["reason"]}
                    for row in missing[:LONGEST_LIST]],
        "missing_count": len(missing),
        "metrics": [row | {"label": metric_label(run, row["metric"]), "tolerance": _tolerance(row)}
                    for row in verdict.metrics],
        "timings": [_timing(run, row) for row in sorted(verdict.latency, key=_slower_first)],
        "environment": list(_environment(run, verdict)),
    }  # fmt: skip
    site.page(PAGE, PAGE, f"Regression: {verdict.outcome}", context)


def _lines(run: Run, verdict: StoredVerdict) -> Iterator[Line]:
    """One row per method, tier and metric with findings, and one for all others of the tier."""
    groups: dict[tuple[str, str, str, str], list[dict[str, Any]]] = {}
    for row in verdict.findings:
        key = row["method"], row["tier"], row["metric"], row["kind"]
        groups.setdefault(key, []).append(row)
    for (method, tier, metric, kind), rows in groups.items():
        yield _line(run, method, tier, metric, kind, rows)
    for check in verdict.checks:
        about = _method(run, check["method"]), check["tier"]
        if check["outcome"] == "not compared":
            yield Line(*about, "all", "not compared", _cases(check["cases"]), "", "", "", 0.0)
            continue
        own = [key for key in groups if key[:2] == (check["method"], check["tier"])]
        values = numbers.counted(check["compared"], "value")
        count = f"{values} of {_cases(check['cases'])}"
        if not check["compared"]:
            if not own:
                yield Line(*about, "all", "nothing compared", count, "", "", "", 0.0)
            continue
        if own:
            yield Line(*about, "all others", "same", count, "", "", "", 0.0)
            continue
        size = max(0.0, float(check["ratio"] or 0))
        largest = f"largest: {metric_label(run, check['metric'])}" if size else "no change"
        yield Line(*about, "all", "same", count, largest, "", f"{size:.2g}", size)


def _line(
    run: Run, method: str, tier: str, metric: str, kind: str, rows: list[dict[str, Any]]
) -> Line:
    first = rows[0]
    measured = first["ratio"] is not None
    return Line(
        method=_method(run, method) or "the run",
        tier=tier or "all",
        metric=metric_label(run, metric) or "all",
        state=kind,
        count=_cases(len(rows)) if first["photo"] else "the tier" if tier else "all of it",
        change=f"{_value(first['old'])} \N{RIGHTWARDS ARROW} {_value(first['new'])}"
        if measured
        else first["reason"],
        tolerance=_tolerance(first),
        ratio=numbers.significant(abs(float(first["ratio"])), 3) if measured else "",
        size=abs(float(first["ratio"])) if measured else math.inf,
    )


def _change(run: Run, row: dict[str, Any], views: Mapping[str, CaseView], before: Before) -> Change:
    view = views.get(page_name(row)) if row["photo"] else None
    about = "the mean of the tier"
    if row["photo"]:
        sample = f", sample {row['sample']}" if row["sample"] else ""
        about = f"{row['photo']}, draw {row['draw']}{sample}"
    return Change(
        method=_method(run, row["method"]),
        about=f"{about}, {row['tier']}",
        metric=metric_label(run, row["metric"]),
        old=_value(row["old"]),
        new=_value(row["new"]),
        tolerance=_tolerance(row),
        ratio=numbers.significant(float(row["ratio"]), 3),
        page=f"cases/{view.page}.html" if view else "",
        pictures=before.beside(row) if row["photo"] else None,
    )


def _slower_first(row: dict[str, Any]) -> tuple[int, float]:
    return _VERDICTS.index(row["verdict"]), -(row["change"] or 0)


def _timing(run: Run, row: dict[str, Any]) -> Timing:
    change = ""
    if row["change"] is not None:
        low, high = (
            math.nan if row[end] is None else 100 * row[end] - 100 for end in ("low", "high")
        )
        change = f"{numbers.signed(100 * row['change'] - 100, 1)} {numbers.interval(low, high, 1)}"
    return Timing(
        method=_method(run, row["method"]),
        about=f"{row['region']}, {row['side']} px, {row['tier']}",
        verdict=row["verdict"],
        old=f"{row['before']:.4g}",
        new=numbers.NOTHING if row["now"] is None else f"{row['now']:.4g}",
        change=change.strip(),
        margin="" if row["margin"] is None else f"{100 * row['margin']:.3g}",
        reason=row["reason"] or "",
    )


def _environment(run: Run, verdict: StoredVerdict) -> Iterator[dict[str, str]]:
    """Packages and methods that are not as in the baseline."""
    for name, old, new in sorted(differing(verdict.baseline["packages"], verdict.run["packages"])):
        yield {"name": name, "old": old, "new": new}
    for row in verdict.methods:
        if row["baseline"] and row["run"] and row["baseline"] != row["run"]:
            name = f"code of {_method(run, row['method'])}"
            yield {"name": name, "old": row["baseline"], "new": row["run"]}


def _about(run: Run, row: dict[str, Any]) -> str:
    case = f"{row['photo']}, draw {row['draw']}" if row["photo"] else ""
    parts = [_method(run, row["method"]), case, row["tier"], metric_label(run, row["metric"])]
    return ", ".join(filter(None, parts)) or "the run"


def _method(run: Run, name: str) -> str:
    """Title of a method; the name of one that the run does not have."""
    return tables.label(run, name).title if name in run.methods.index else name


def _tolerance(row: dict[str, Any]) -> str:
    return "" if row["tolerance"] is None else f"{float(row['tolerance']):.12f}".rstrip("0")


def _value(value: float | str | None) -> str:
    """A value as the verdict has it, where infinity is a word, to six digits."""
    return numbers.NOTHING if value is None else numbers.significant(float(value), 6)


def _cases(count: int) -> str:
    return numbers.counted(count, "case")
