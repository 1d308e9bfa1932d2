"""The page on what was not completed or not used, why, and what to do next."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from bench.text.plain import kind_of
from reports.results import failures, tables
from reports.site import gallery
from reports.site.section import Section
from reports.site.site import Site

LONGEST_LIST = 500
_LONGEST_REASON = 2000


def write(site: Site, sections: Sequence[Section]) -> None:
    """Write ``failures.html``: what was not completed or not used, and why."""
    shown = {view.page for section in sections for view in section.cases}
    groups = sorted(_groups(site, shown), key=lambda g: (-g["count"], g["reason"]))
    context = {
        "groups": groups[:LONGEST_LIST],
        "group_count": len(groups),
        "refused": site.refused.head(LONGEST_LIST).to_dict("records"),
        "refused_count": len(site.refused),
        "unavailable": _by_reason(site),
        "retry": failures.retry(site.run),
        "can_retry": bool(site.unavailable) or any(g["status"] != "declined" for g in groups),
    }
    site.page("failures.html", "failures.html", "Failures", context)


def _groups(site: Site, shown: set[str]) -> Iterator[dict[str, Any]]:
    """Fills that were not completed, those of one cause together."""
    rows = site.failures.assign(kind=site.failures["reason"].astype(str).map(kind_of))
    alike = [each for each in ("status", "kind", "traceback") if each in rows]
    for (status, *_), group in rows.groupby(alike, observed=True, dropna=False):
        first: list[Any] = group.head(5).to_dict("records")
        examples = [{"facts": f, "page": gallery.page_name(f)} for f in first]
        counts = group["method"].astype(str).value_counts(sort=False).to_dict()
        yield {
            "methods": [
                (tables.label(site.run, str(name)), n) for name, n in sorted(counts.items())
            ],
            "status": status,
            "reason": first[0]["reason"][:_LONGEST_REASON],
            "next": failures.NEXT.get(str(status), failures.NEXT["failed"]),
            "fetch": failures.fetch(first[0]["reason"]),
            "count": len(group),
            "traceback": next(filter(None, map(site.traceback, first)), ""),
            "examples": [e | {"linked": e["page"] in shown} for e in examples],
        }


def _by_reason(site: Site) -> Iterable[dict[str, Any]]:
    """Methods that could not start, those of one reason together."""
    found: dict[str, dict[str, Any]] = {}
    for row in site.unavailable:
        known = {"labels": [], "reason": row["reason"], "fetch": failures.fetch(row["reason"])}
        found.setdefault(row["reason"], known)["labels"].append(
            tables.label(site.run, row["method"])
        )
    return list(found.values())
