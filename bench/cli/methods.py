"""``inpaint-bench list`` and ``check``."""

from __future__ import annotations

import argparse

from bench.cli.arguments import Commands
from bench.text.plain import one_line, visible


def add(commands: Commands) -> None:
    """Describe the commands."""
    listing = commands.add_parser("list", help="list methods and metrics")
    listing.set_defaults(command=_list)
    check = commands.add_parser("check", help="run the conformance kit on a method")
    check.set_defaults(command=_check)
    check.add_argument("name", help="as for run --methods")


def _list(options: argparse.Namespace) -> int:
    import methods
    from methods.weights import present

    cards, broken = methods.inventory()
    width = max(len(visible(name)) for name in (*cards, *broken))
    for name, card in cards.items():
        mark = "*" if card.default or "small" in card.weights else " "
        print(
            f"{mark} {visible(name):{width}}  {visible(card.family):15}  {one_line(card.summary)}"
        )
        here = [w for w in card.weights if all(present(each) for each in card.files(w))]
        if here:
            print(f"  {'':{width}}  {'weights here:':15}  {', '.join(f'{name}:{w}' for w in here)}")
        elif card.checkpoints:
            missing = [each.command for each in card.files() if not present(each)]
            command = " && ".join(missing)
            print(f"  {'':{width}}  {'unavailable:':15}  no weights here; run: {command}")
        elif card.training:
            print(f"  {'':{width}}  {'unavailable:':15}  none published; run: {card.training}")
    for name, reason in broken.items():
        print(f"! {visible(name):{width}}  {'broken':15}  {one_line(reason)}")
    print("\n* part of the default job, networks with their small weights")
    print(f"Methods {methods.FORMS}\n")
    _list_metrics()
    return 0


def _list_metrics() -> None:
    from bench.metrics import DEFAULT, METRICS
    from bench.metrics.networks import PUBLISHED, missing
    from bench.metrics.plug_ins import installed

    added, broken = installed()
    metrics = [*METRICS.values(), *added.values()]
    width, wide = (max(len(getattr(m, field)) for m in metrics) for field in ("name", "label"))
    for metric in metrics:
        mark = "*" if metric.name in DEFAULT else " "
        facts = f"{metric.label:{wide}}  {metric.direction:6} is better  {metric.unit}"
        print(f"{mark} {metric.name:{width}}  {facts}".rstrip())
        if command := missing(metric.network):
            print(f"  {'':{width}}  unavailable: no weights here; run: {command}")
        elif metric.network in PUBLISHED:
            print(f"  {'':{width}}  weights here: {metric.network}")
    for name, reason in broken.items():
        print(f"  {name:{width}}  unavailable: {reason}")
    print("\n* measured unless --metrics says otherwise")
    print("Own metrics: LABEL=module:function, LABEL=path/file.py:function")


def _check(options: argparse.Namespace) -> int:
    from methods.conformance import check

    results = check(options.name)
    for result in results:
        print(f"{result.status:9} {result.rule:12} {one_line(result.detail)}")
    failed = sum(result.status == "failed" for result in results)
    print(f"{options.name}: {failed} of {len(results)} rules failed")
    return 1 if failed else 0
