"""The blind vote page: pairs of fills side by side, without the names of their methods."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from bench.folder import votes
from bench.statistics import MARKS
from bench.text import numbers
from reports.site.gallery import CaseView, FillView
from reports.site.section import Section
from reports.site.site import Site

MOST_CASES = 60


def ballot(site: Site, sections: Sequence[Section]) -> dict[str, Any] | None:
    """What the page's script works on; None where no case has fills of two methods to see.

    Cases are the first by hash. Methods are numbers in an order of hashes: who reads the page's
    source does not learn which is which by the order alone.

    Args:
        site: The report; of several runs none is made, since votes are of one run's fills.
        sections: Its tiers.
    """
    run = site.run
    if run.header.joined:
        return None
    competing = {str(name) for name in run.methods.index[~run.methods["family"].isin(MARKS)]}
    fingerprint = str(run.header.fingerprint)
    order = sorted(competing, key=lambda name: numbers.short_hash(fingerprint, name))
    seen = {
        view.page: (view, shown)
        for section in sections
        for view in section.cases
        if len(shown := [f for f in view.fills if f.full and f.method in competing]) > 1
    }
    chosen = [seen[page] for page in sorted(seen)[:MOST_CASES]]
    if not chosen:
        return None
    rows = votes.fills(run, {view.facts["photo"] for view, _ in chosen})
    keys = zip(rows["photo"], rows["tier"], rows["draw"], rows["method"], strict=True)
    names = dict(zip(keys, rows["fill"], strict=True))
    cases = [_case(view, shown, order, names) for view, shown in chosen]
    return {"format": votes.FORMAT, "run": fingerprint, "cases": cases}


def _case(
    view: CaseView, shown: Sequence[FillView], order: list[str], names: dict[Any, str]
) -> dict[str, Any]:
    facts = view.facts
    key = (facts["photo"], facts["tier"], facts["draw"])
    fills = [
        [order.index(f.method), names[(*key, f.method)], f.full.path, f.full.below]
        for f in shown
        if f.full is not None
    ]
    marked = view.with_hole[1] if view.with_hole else None
    return {
        "photo": marked.below if marked else "",
        "hole": marked.path if marked else "",
        "width": int(facts["width"]),
        "height": int(facts["height"]),
        "fills": sorted(fills),
    }


def write(site: Site, found: dict[str, Any] | None) -> None:
    """Write ``votes.html``, if there is something to vote on."""
    if found is not None:
        site.page("votes.html", "votes.html", "Judge by eye", {"ballot": found})
