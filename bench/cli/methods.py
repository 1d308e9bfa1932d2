"""``inpaint-bench list`` and ``check``."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterable, Mapping
from typing import Any

from bench.cli import claims
from bench.cli.arguments import Commands, completed, methods_known
from bench.errors import BenchError
from bench.text.plain import lines, one_line, visible

_Rows = Mapping[str, Mapping[str, Any]]
_KINDS = ("methods", "metrics", "tiers")
_OF_METRICS = ("label", "unit", "direction", "scope", "region", "definition", "reference", "note",
               "implementation", "version")  # fmt: skip


def add(commands: Commands) -> None:
    """Describe the commands."""
    listing = commands.add_parser("list", help="list methods, metrics and tiers of holes")
    listing.set_defaults(command=_list)
    listing.add_argument("kind", nargs="?", choices=_KINDS, help="only these")
    listing.add_argument("--json", action="store_true", help="print all facts as JSON")
    check = commands.add_parser(
        "check", help="run the conformance kit on a method", epilog=claims.STATUSES
    )
    check.set_defaults(command=_check)
    completed(check.add_argument("name", help="as for run --methods"), methods_known)
    claims.add_options(check)


def _list(options: argparse.Namespace) -> int:
    # Tiers are made of functions that draw, and so take longer to load than all the rest.
    kinds = [options.kind] if options.kind else _KINDS if options.json else _KINDS[:2]
    found: dict[str, tuple[_Rows, Mapping[str, str]]] = {kind: _FACTS[kind]() for kind in kinds}
    if options.json:
        shown: dict[str, Any] = {
            kind: [{"name": name, **row} for name, row in rows.items()]
            for kind, (rows, _) in found.items()
        }
        broken = {name: why for _, some in found.values() for name, why in some.items()}
        print(json.dumps(shown | {"broken": broken}, indent=1))
        return 0
    print(lines("\n\n".join("\n".join(_SHOWN[kind](*found[kind])) for kind in kinds)))
    if options.kind is None:
        print("\nTiers of generated holes: inpaint-bench list tiers")
    return 0


def _methods() -> tuple[_Rows, Mapping[str, str]]:
    import methods

    cards, broken = methods.inventory()
    return {name: methods.facts(name, card) for name, card in cards.items()}, broken


def _show_methods(rows: _Rows, broken: Mapping[str, str]) -> Iterable[str]:
    from methods import FORMS

    width = max(len(visible(name)) for name in (*rows, *broken))
    for name, row in rows.items():
        mark = "*" if row["default"] else " "
        summary = one_line(row["summary"])
        yield f"{mark} {visible(name):{width}}  {visible(row['family']):15}  {summary}"
        if row["weights"]:
            yield f"  {'':{width}}  {'weights here:':15}  {', '.join(row['weights'])}"
        elif row["fetch"] or row["train"]:
            why = f"no weights here; run: {row['fetch']}"
            why = why if row["fetch"] else f"none published; run: {row['train']}"
            yield f"  {'':{width}}  {'unavailable:':15}  {why}"
        for weights, why in row["broken"].items():
            yield f"  {'':{width}}  {'unavailable:':15}  {weights}: {one_line(why)}"
    for name, reason in broken.items():
        yield f"! {visible(name):{width}}  {'broken':15}  {one_line(reason)}"
    yield "\n* part of the default job, networks with their small weights"
    yield f"Methods {FORMS}"


def _metrics() -> tuple[_Rows, Mapping[str, str]]:
    from bench.metrics import DEFAULT, GROUPS
    from bench.metrics.networks import missing, parts
    from bench.metrics.plug_ins import installed

    added, broken = installed()
    rows = {
        metric.name: {
            **{key: getattr(metric, key) for key in _OF_METRICS},
            "group": group,
            "default": metric.name in DEFAULT,
            "weights": ", ".join(parts(metric.network)),
            "fetch": missing(metric.network),
        }
        for group, metrics in {**GROUPS, "Of installed packages": added.values()}.items()
        for metric in metrics
    }
    return rows, broken


def _show_metrics(rows: _Rows, broken: Mapping[str, str]) -> Iterable[str]:
    width, wide = max(map(len, rows)), max(len(row["label"]) for row in rows.values())
    group = ""
    for name, row in rows.items():
        if row["group"] != group:
            yield f"\n{row['group']}" if group else row["group"]
            group = row["group"]
        mark = "*" if row["default"] else " "
        facts = f"{row['label']:{wide}}  {row['direction']:6} is better  {row['unit']}"
        yield f"{mark} {name:{width}}  {facts}".rstrip()
        if row["fetch"]:
            yield f"  {'':{width}}  unavailable: no weights here; run: {row['fetch']}"
        elif row["weights"]:
            yield f"  {'':{width}}  weights here: {row['weights']}"
    for name, reason in broken.items():
        yield f"  {name:{width}}  unavailable: {reason}"
    yield "\n* measured unless --metrics says otherwise"
    yield "Own metrics: LABEL=module:function, LABEL=path/file.py:function"


def _tiers() -> tuple[_Rows, Mapping[str, str]]:
    from bench.planning.protocol import Protocol
    from masks.tiers import ALL

    rows = {
        tier.name: {
            "above": tier.low / 100,
            "up_to": tier.high / 100,
            "default": tier.name in Protocol().tiers,
            "shapes": tier.shapes(),
        }
        for tier in ALL
    }
    return rows, {}


def _show_tiers(rows: _Rows, broken: Mapping[str, str]) -> Iterable[str]:
    width = max(map(len, rows))
    for name, row in rows.items():
        mark = "*" if row["default"] else " "
        shares = f"{row['above']:.0%} to {row['up_to']:.0%} of the picture"
        yield f"{mark} {name:{width}}  {shares:26}  {', '.join(row['shapes'])}"
    yield "\n* drawn unless --tiers says otherwise"


_FACTS = {"methods": _methods, "metrics": _metrics, "tiers": _tiers}
_SHOWN = {"methods": _show_methods, "metrics": _show_metrics, "tiers": _show_tiers}


def _check(options: argparse.Namespace) -> int:
    if options.protocol is not None:
        return claims.check(options)
    if given := [name for name in claims.OF_A_RUN if getattr(options, name)]:
        raise BenchError(f"--{given[0]}: for --protocol only")

    import methods

    name = methods.look_up(options.name).text  # before what takes seconds to load

    from methods import user_code
    from methods.conformance import check

    user_code.share()
    results = check(name)
    failed = [result.rule for result in results if result.status == "failed"]
    verdict = f"{visible(name)}: {len(failed)} of {len(results)} rules failed"
    if failed:
        print(f"{verdict}: {', '.join(failed)}")
    for result in sorted(results, key=lambda each: each.status != "failed"):
        print(f"{result.status:9} {result.rule:14} {one_line(result.detail)}")
    print(verdict)
    return 1 if failed else 0
