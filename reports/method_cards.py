"""The page of the methods: a card for each."""

from __future__ import annotations

from reports import tables
from reports.site import Site


def write(site: Site) -> None:
    """Write ``methods.html``."""
    cards = [
        {"label": tables.label(site.run, name), "facts": facts, "link": _web(facts["url"])}
        for name, facts in ((str(name), row) for name, row in site.run.methods.iterrows())
    ]
    site.page("methods.html", "methods.html", "Methods", {"cards": cards})


def _web(url: str) -> str:
    """Return an address only if it is one of the web; anything else is shown as text."""
    return url if isinstance(url, str) and url.startswith(("https://", "http://")) else ""
