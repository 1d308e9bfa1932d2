"""``inpaint-bench list`` and ``check``."""

from __future__ import annotations

import argparse

from bench.cli.arguments import Commands
from bench.text.plain import one_line, visible


def add(commands: Commands) -> None:
    """Describe the commands."""
    listing = commands.add_parser("list", help="list methods")
    listing.set_defaults(command=_list)
    check = commands.add_parser("check", help="run the conformance kit on a method")
    check.set_defaults(command=_check)
    check.add_argument("name", help="NAME, or LABEL=module:Class")


def _list(options: argparse.Namespace) -> int:
    import methods
    from methods.weights import present

    cards = [(name, methods.card(name)) for name in methods.names()]
    width = max(len(visible(name)) for name, _ in cards)
    for name, card in cards:
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
    print("\n* part of the default job, networks with their small weights")
    print("Own methods: LABEL=module:Class, LABEL=folder:PATH, LABEL=trained:PATH")
    return 0


def _check(options: argparse.Namespace) -> int:
    from methods.conformance import check

    results = check(options.name)
    for result in results:
        print(f"{result.status:9} {result.rule:12} {one_line(result.detail)}")
    failed = sum(result.status == "failed" for result in results)
    print(f"{options.name}: {failed} of {len(results)} rules failed")
    return 1 if failed else 0
