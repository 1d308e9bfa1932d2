"""The page on what was not completed or not used, and why."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.text.plain import kind_of
from reports.results import tables
from reports.site import gallery
from reports.site.section import Section
from reports.site.site import Site

LONGEST_LIST = 500
_LONGEST_REASON = 2000


def write(site: Site, sections: Sequence[Section]) -> None:
    """Write ``failures.html``: what was not completed or not used, and why."""
    shown = {view.page for section in sections for view in section.cases}
    groups: list[dict[str, Any]] = []
    rows = site.failures.assign(kind=site.failures["reason"].astype(str).map(kind_of))
    alike = [each for each in ("method", "status", "kind", "traceback") if each in rows]
    for (method, status, *_), group in rows.groupby(alike, observed=True, dropna=False):
        first: list[Any] = group.head(5).to_dict("records")
        examples = [{"facts": f, "page": gallery.page_name(f)} for f in first]
        groups.append(
            {
                "label": tables.label(site.run, str(method)),
                "status": status,
                "reason": first[0]["reason"][:_LONGEST_REASON],
                "count": len(group),
                "traceback": next(filter(None, map(site.traceback, first)), ""),
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
