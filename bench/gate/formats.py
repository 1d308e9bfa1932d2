"""A verdict for machines (JSON, JUnit XML) and for people (Markdown, terminal)."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree

import pandas as pd

from bench.folder.header import Part, differing
from bench.folder.store import KEYS, records
from bench.gate.baseline import case_name
from bench.gate.baseline_file import plain
from bench.gate.changes import BETTER, NOT_MEASURED, REGRESSED, TRADE_OFF
from bench.gate.judge import NOT_COMPARED, NOTHING_COMPARED
from bench.gate.verdict import NOT_COMPARABLE, SAME_OR_BETTER, Verdict
from bench.text.markdown import escaped, folded, table
from bench.text.numbers import counted, significant
from bench.text.plain import one_line, visible

FORMAT = 1
WORST = 10


def sentence(verdict: Verdict) -> str:
    """The verdict in one line."""
    worst = len(worst_cases(verdict))
    places = "case or tier" if worst == 1 else "cases or tiers"
    text = {
        SAME_OR_BETTER: "all as in the baseline or better",
        REGRESSED: f"{worst:,} {places} worse by more than a tolerance",
        NOT_COMPARABLE: "the protocol differs: " + "; ".join(_obstacles(verdict)),
        NOT_MEASURED: f"{counted(verdict.count(NOT_MEASURED), 'thing')} of the baseline missing",
    }[verdict.outcome]
    also = _obstacles(verdict) if verdict.outcome == REGRESSED else []
    if verdict.outcome in (REGRESSED, NOT_COMPARABLE) and (n := verdict.count(NOT_MEASURED)):
        also.append(f"{counted(n, 'thing')} missing")
    if n := verdict.count(BETTER):
        also.append(f"{counted(n, 'value')} better")
    if n := verdict.count(TRADE_OFF):
        also.append(f"{counted(n, 'value')} worse, outweighed by the leading metric")
    return "; ".join([text, *also, *_coverage(verdict), *verdict.flags])


def _coverage(verdict: Verdict) -> list[str]:
    """How many tiers of methods were compared at all, so that a silent gap is seen."""
    compared = int((verdict.checks["compared"] > 0).sum())
    rest = len(verdict.checks) - compared
    if verdict.checks.empty or len(verdict.protocol):
        return []
    return [f"{counted(compared, 'tier')} compared" + (f", {rest} could not be" if rest else "")]


def worst_cases(verdict: Verdict) -> pd.DataFrame:
    """The regressed cases (or tiers, of stochastic methods), worst first, each by its worst metric.

    Returns:
        Rows of the findings.
    """
    found = verdict.findings
    return found[found["kind"] == REGRESSED].drop_duplicates(KEYS)


def as_json(verdict: Verdict) -> dict[str, Any]:
    """The verdict in plain values, as ``docs/gate.md`` describes them."""
    return {
        "format": FORMAT,
        "outcome": verdict.outcome,
        "exit_status": verdict.exit_status,
        "sentence": sentence(verdict),
        "rules": verdict.rules,
        "flags": list(verdict.flags),
        "baseline": verdict.baseline,
        "run": verdict.run,
        **{
            name: [plain(row) for row in records(getattr(verdict, name))]
            for name in ("protocol", "metrics", "methods", "checks", "findings", "latency")
        },
        "new": list(verdict.new),
        "notes": list(verdict.notes),
    }


def as_text(verdict: Verdict) -> str:
    """What the terminal shows: the outcome and the worst findings."""
    lines = [f"{verdict.outcome}: {sentence(verdict)}"]
    found = verdict.findings
    for rows, what in (
        (worst_cases(verdict), "regressed"),
        (found[found["kind"] == NOT_MEASURED], "missing"),
        (found[found["kind"] == TRADE_OFF], TRADE_OFF),
    ):
        lines += [f"  {what}: {_about(row)}: {_change(row)}" for row in records(rows[:WORST])]
        if len(rows) > WORST:
            lines.append(f"  {what}: {len(rows) - WORST} more")
    lines += [f"  new, not gated: {visible(name)}" for name in verdict.new]
    lines += [f"  judged {visible(verdict.rules)}"] if verdict.rules else []
    lines += [f"  {visible(note)}" for note in verdict.notes]
    return "\n".join(lines)


def as_update(verdict: Verdict | None) -> str:
    """What a new baseline changes, for its reviewer."""
    if verdict is None:
        return "there was no baseline before"
    known = verdict.methods
    gone = known.loc[known["run"] == "", "method"]
    lines = [f"method removed: {visible(name)}" for name in gone]
    lines += [f"{visible(text)} (new)" for text in verdict.new]
    lines += _obstacles(verdict)
    lines += [f"package {name}: {old} before, {new} now" for name, old, new in _packages(verdict)]
    for kind in (REGRESSED, TRADE_OFF, BETTER):
        rows = verdict.findings[verdict.findings["kind"] == kind]
        cases = rows.drop_duplicates(KEYS)
        if len(rows):
            word = "worse" if kind == REGRESSED else kind
            what = f"{counted(len(rows), 'value')} of {counted(len(cases), 'case')}"
            lines.append(f"{what} {word}, the largest moves:")
            lines += [f"  {_about(row)}: {_change(row)}" for row in records(cases[:WORST])]
    missing = verdict.findings[verdict.findings["kind"] == NOT_MEASURED]
    lines += [f"no longer there: {_about(row)}: {_change(row)}" for row in records(missing)]
    return "\n".join(lines or ["no value moved by more than its tolerance"])


def as_markdown(verdict: Verdict) -> str:
    """A comment for a pull request: what is wrong in view, the rest folded."""
    bad = verdict.checks[~verdict.checks["outcome"].isin(["same"])]
    parts = [f"### Gate: {verdict.outcome}", escaped(sentence(verdict)) + "."]
    parts += [f"Judged {escaped(verdict.rules)}."] if verdict.rules else []
    if len(bad) and verdict.protocol.empty:
        parts.append(_checks_table(bad))
    if len(worst := worst_cases(verdict)):
        parts.append(f"**Worst cases** ({min(WORST, len(worst))} of {len(worst)})")
        parts.append(_findings_table(worst[:WORST]))
    lost = verdict.findings[verdict.findings["kind"] == NOT_MEASURED]
    if len(lost):
        parts.append(f"**Missing** ({min(WORST, len(lost))} of {len(lost)})")
        parts.append(
            table(["what", "why"], [(_about(r), _change(r)) for r in records(lost)][:WORST])
        )
    traded = verdict.findings[verdict.findings["kind"] == TRADE_OFF]
    if len(traded):
        parts.append(f"**Trade-offs**, outweighed ({min(WORST, len(traded))} of {len(traded)})")
        parts.append(_findings_table(traded[:WORST]))
    if verdict.new:
        parts.append(f"New, not gated: {escaped(', '.join(verdict.new))}.")
    parts += [f"{escaped(note)}." for note in verdict.notes]
    if len(verdict.checks):
        parts.append(folded("All methods and tiers", _checks_table(verdict.checks)))
    rows = [
        (r["metric"], r["direction"], significant(r["tolerance"], 6), r["state"])
        for r in records(verdict.metrics)
    ]
    parts.append(folded("Tolerances", table(["metric", "better", "tolerance", ""], rows, "llrl")))
    if changed := _packages(verdict):
        parts.append(folded("Packages", table(["package", "baseline", "run"], changed)))
    sides = [(side["source"], side["fingerprint"]) for side in (verdict.baseline, verdict.run)]
    parts.append(folded("Baseline and run", table(["", "fingerprint"], sides)))
    return "\n\n".join(parts) + "\n"


def as_junit(verdict: Verdict) -> str:
    """One test case per method and tier, one per metric's definition, one for the protocol."""
    suite = ElementTree.Element("testsuite", name="inpaint-bench gate")
    properties = ElementTree.SubElement(suite, "properties")
    for name, text in (("rules", verdict.rules), ("flags", "; ".join(verdict.flags))):
        ElementTree.SubElement(properties, "property", name=name, value=visible(text))
    _case(suite, "protocol", "fingerprint", "error", _protocol_lines(verdict.protocol))
    found = verdict.findings
    general = found[(found["tier"] == "") & (found["metric"] == "")]
    said = [f"{_about(row)}: {_change(row)}" for row in records(general)]
    _case(suite, "run", "complete", "error", said)
    for metric in records(verdict.metrics[verdict.metrics["state"] != "new"]):
        said = [] if metric["state"] == "compared" else [_metric_line(metric)]
        _case(suite, "metric", metric["metric"], "error", said)
    for check in records(verdict.checks):
        own = verdict.findings
        own = own[(own["method"] == check["method"]) & (own["tier"] == check["tier"])]
        own = own[own["kind"].isin([REGRESSED, NOT_MEASURED])]
        said = [f"{_about(row)}: {_change(row)}" for row in records(own)]
        kind = "failure" if check["outcome"] == REGRESSED else "error"
        if check["outcome"] == NOT_COMPARED:
            kind, said = "skipped", ["not compared: the protocol differs"]
        elif check["outcome"] == NOTHING_COMPARED:
            kind, said = "skipped", ["nothing compared: neither side has a value to compare"]
        _case(suite, check["method"], check["tier"], kind, said)
    suite.set("tests", str(len(suite.findall("testcase"))))
    for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        suite.set(name, str(len(suite.findall(f"testcase/{kind}"))))
    root = ElementTree.Element("testsuites")
    root.append(suite)
    ElementTree.indent(root)
    body = ElementTree.tostring(root, encoding="unicode")
    return f'<?xml version="1.0" encoding="utf-8"?>\n{body}\n'


def _case(suite: ElementTree.Element, group: str, name: str, kind: str, lines: list[str]) -> None:
    """Add a test case; it fails if there is something to say."""
    names = {"classname": visible(f"gate.{group}"), "name": visible(name)}
    case = ElementTree.SubElement(suite, "testcase", names)
    if lines:
        short = lines[0] if len(lines) == 1 else f"{lines[0]}; and {len(lines) - 1} more"
        text = "\n".join(map(visible, lines))
        ElementTree.SubElement(case, kind, message=visible(short)).text = text


def _obstacles(verdict: Verdict) -> list[str]:
    redefined = verdict.metrics[verdict.metrics["state"] == "redefined"]
    return _protocol_lines(verdict.protocol) + [_metric_line(row) for row in records(redefined)]


def _protocol_lines(protocol: pd.DataFrame) -> list[str]:
    return [
        f"{row['part']}: {row['baseline']} in the baseline, {row['run']} in the run"
        for row in records(protocol)
    ]


def _metric_line(row: dict[str, Any]) -> str:
    if row["state"] == "missing":
        return f"metric {row['metric']}: the run has no such metric"
    return f"metric {row['metric']}: {row['baseline']} in the baseline, {row['run']} in the run"


def _packages(verdict: Verdict) -> list[Part]:
    return sorted(differing(verdict.baseline["packages"], verdict.run["packages"]))


def _about(row: dict[str, Any]) -> str:
    """Say what a finding is about: a method, a tier, a case, a metric, the run."""
    case = case_name(row) if row["photo"] else row["tier"]
    words = " ".join(word for word in (row["method"], case, row["metric"]) if word)
    return visible(words) or "run"


def _change(row: dict[str, Any]) -> str:
    if row["reason"]:
        return one_line(str(row["reason"]))
    text = (
        f"{row['old']:.6g} -> {row['new']:.6g}, {significant(row['ratio'], 3)} times the tolerance"
    )
    if row["n"] == row["n"]:
        photos = counted(int(row["n"]), "photo")
        text += f" (mean of {photos}; worse by {row['low']:.3g} to {row['high']:.3g})"
    return text


# -- Markdown -----------------------------------------------------------------------------------


def _checks_table(checks: pd.DataFrame) -> str:
    head = ["method", "tier", "outcome", "cases", "values", "worse", "better", "missing",
            "largest change"]  # fmt: skip
    rows = []
    for row in records(checks):
        ratio = row["ratio"]
        largest = f"{row['metric']}, {significant(ratio, 2)} tolerances" if ratio == ratio else ""
        counts = [row[name] for name in ("cases", "compared", "regressed", "better", "missing")]
        rows.append((row["method"], row["tier"], row["outcome"], *counts, largest))
    return table(head, rows, "lllrrrrrl")


def _findings_table(findings: pd.DataFrame) -> str:
    rows = [
        (row["method"], case_name(row) if row["photo"] else row["tier"], row["metric"],
         *(significant(row[name], 6) for name in ("old", "new")), significant(row["ratio"], 3))
        for row in records(findings)
    ]  # fmt: skip
    head = ["method", "case", "metric", "baseline", "run", "tolerances"]
    return table(head, rows, "lllrrr")
