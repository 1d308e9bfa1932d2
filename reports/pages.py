"""The pages on what went wrong and on how the run came about."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

from reports import gallery, orders, tables
from reports.section import Section
from reports.site import Site

_FIRST_FACTS = ("fingerprint", "state", "missing", "created", "finished")
LONGEST_LIST = 500
_LONGEST_REASON = 2000


def failures(site: Site, sections: Sequence[Section]) -> None:
    """Write ``failures.html``: what was not completed or not used, and why."""
    shown = {view.page for section in sections for view in section.cases}
    groups: list[dict[str, Any]] = []
    rows = site.failures.assign(reason=site.failures["reason"].str[:_LONGEST_REASON])
    for (method, status, reason), group in rows.groupby(["method", "status", "reason"]):
        first: list[Any] = group.head(5).to_dict("records")
        examples = [{"facts": f, "page": gallery.page_name(f)} for f in first]
        groups.append(
            {
                "label": tables.label(site.run, str(method)),
                "status": status,
                "reason": reason,
                "count": len(group),
                "examples": [e | {"linked": e["page"] in shown} for e in examples],
            }
        )
    groups.sort(key=lambda g: (-g["count"], g["label"].method, g["reason"]))
    unavailable = [
        {"label": tables.label(site.run, f["method"]), "reason": f["reason"]}
        for f in site.unavailable
    ]
    context = {
        "groups": groups[:LONGEST_LIST],
        "group_count": len(groups),
        "refused": site.refused.head(LONGEST_LIST).to_dict("records"),
        "refused_count": len(site.refused),
        "unavailable": unavailable,
    }
    site.page("failures.html", "failures.html", "Failures", context)


def provenance(site: Site, sections: Sequence[Section]) -> None:
    """Write ``provenance.html``: all that is known about how the run came about."""
    context = {
        "groups": [*_groups(site.run.info), ("Cases with a page", list(_chosen(sections)))],
        "metrics": site.run.metrics.to_dict("records"),
        "inputs": site.run.inputs.head(LONGEST_LIST).to_dict("records"),
        "input_count": len(site.run.inputs),
    }
    site.page("provenance.html", "provenance.html", "Provenance", context)


def _chosen(sections: Sequence[Section]) -> Iterator[tuple[str, str]]:
    """Which cases of each tier are shown, and by which rule."""
    for section in sections:
        shown, every = len(section.cases), section.ranking.expected
        rule = f": {orders.SELECTION_RULE}" if shown < every else ""
        yield section.ranking.tier, f"{shown} of {every}{rule}"
    yield "at most", f"{orders.MOST_CASES:,} in a report; data/shown.csv lists them"


def _groups(info: dict[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """Settings under headings: the plain ones first, then each nested group."""
    info = dict(info)
    environment = dict(info.get("environment", {}))
    plain = {key: info.pop(key) for key in _FIRST_FACTS if key in info}
    if isinstance(command := environment.pop("command", None), list):
        plain["command"] = shlex.join(map(str, command))
    if isinstance(packages := environment.pop("packages", None), dict):
        info["packages"] = packages
    nested = {key: value for key, value in info.items() if isinstance(value, dict) and value}
    plain |= {key: value for key, value in info.items() if key not in nested}
    nested = {key: environment if key == "environment" else nested[key] for key in nested}
    headed = [(key.replace("_", " ").capitalize(), _dotted(nested[key])) for key in nested]
    return [("The run", _dotted(plain)), *headed]


def _dotted(value: Any, name: str = "") -> list[tuple[str, str]]:
    """Turn nested settings into pairs of a dotted name and a text."""
    if isinstance(value, dict) and value:
        return [pair for key, v in value.items() for pair in _dotted(v, f"{name}.{key}".strip("."))]
    if isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        return [pair for i, v in enumerate(value) for pair in _dotted(v, f"{name}.{i}")]
    if isinstance(value, list):
        return [(name, "\n".join(map(str, value)))]
    return [(name, "" if value is None else str(value))]
