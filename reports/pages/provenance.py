"""The page on how the run came about: what is needed to do it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from bench.folder.header import Header
from bench.folder.store import records
from bench.text import numbers
from reports.results import orders
from reports.site.section import Section
from reports.site.site import Site

LONGEST_LIST = 500
_FIRST = {
    "fingerprint": "Fingerprint of the protocol",
    "state": "State",
    "missing": "Fills missing",
    "counts": "Fills by status",
    "photo_set": "Photos",
    "size_rule": "Size rule",
    "samples": "Samples of stochastic methods",
    "created": "Created",
    "finished": "Finished",
}
_OWN_PLACE = ("environment", "protocol", "starts")
Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Start:
    """One start of the run: when, by which command, where, and what else differed."""

    time: str
    command: str
    place: str
    differs: Pairs


def write(site: Site, sections: Sequence[Section]) -> None:
    """Write ``provenance.html``."""
    run = site.run
    info = _recorded(run.header)
    machine = {key: value for key, value in info["environment"].items() if key != "packages"}
    groups = [
        ("The run", [(words, _text(info[key])) for key, words in _FIRST.items() if key in info]),
        ("Protocol", _dotted(info.get("protocol", {}))),
        ("Cases with a page", list(_chosen(sections))),
        ("Machine", _dotted(machine)),
        ("Packages", _dotted(info["environment"]["packages"])),
    ]
    rest = {k: v for k, v in info.items() if k not in _FIRST and k not in _OWN_PLACE}
    context = {
        "groups": [(heading, pairs) for heading, pairs in groups if pairs],
        "starts": [_start(each, info["environment"]) for each in info.get("starts", [])],
        "rest": _dotted(rest),
        "metrics": records(run.metrics),
        "credits": _credits(run.plan),
        "inputs": records(run.inputs.head(LONGEST_LIST)),
        "input_count": len(run.inputs),
    }
    site.page("provenance.html", "provenance.html", "Provenance", context)


def _credits(plan: pd.DataFrame) -> Pairs:
    """Photos with who is to be named for them."""
    known = plan.loc[plan["credit"] != "", ["photo", "credit"]].drop_duplicates()
    return list(known.itertuples(index=False, name=None))


def _recorded(header: Header) -> dict[str, Any]:
    """The keys of ``run.json`` that say something; those of runs side by side with the others."""
    info = header.as_json()
    info |= info.pop("joined", {})
    info["fingerprint"] = header.fingerprints
    return {key: value for key, value in info.items() if value not in ("", [], {})}


def _start(facts: dict[str, Any], environment: dict[str, Any]) -> Start:
    told = {"time", "command", "device", "workers", "threads", "executor", "environment"}
    place = (
        f"{facts['device']}, {numbers.counted(facts['workers'], 'worker')} of "
        f"{numbers.counted(facts['threads'], 'thread')}, executor {facts['executor']}"
    )
    known = dict(_dotted(environment))
    differs = [pair for pair in _dotted(facts["environment"]) if known.get(pair[0]) != pair[1]]
    settings = _dotted({k: v for k, v in facts.items() if k not in told})
    return Start(facts["time"], _command(facts["command"]), place, [*settings, *differs])


def _command(words: Any) -> str:
    """A command line, to be pasted into a shell."""
    return shlex.join(map(str, words)) if isinstance(words, list) else str(words)


def _chosen(sections: Sequence[Section]) -> Iterator[tuple[str, str]]:
    """Which cases of each tier are shown, and by which rule."""
    for section in sections:
        shown, every = len(section.cases), section.ranking.expected
        rule = f": {orders.SELECTION_RULE}" if shown < every else ""
        yield section.ranking.tier, f"{shown} of {every}{rule}"
    yield "at most", f"{orders.MOST_CASES:,} in a report; data/shown.csv lists them"


def _dotted(value: Any, name: str = "") -> Pairs:
    """Turn nested settings into pairs of a dotted name and a text."""
    if isinstance(value, dict):
        return [pair for key, v in value.items() for pair in _dotted(v, f"{name}.{key}".strip("."))]
    if isinstance(value, list) and any(isinstance(v, dict | list) for v in value):
        return [pair for i, v in enumerate(value) for pair in _dotted(v, f"{name}.{i}")]
    return [(name, _command(value) if name.endswith("command") else _text(value))]


def _text(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{key} {_text(each)}" for key, each in value.items())
    if isinstance(value, list):
        return "\n".join(map(str, value))
    return "" if value is None else str(value)
