"""``inpaint-bench protocols``: which published protocols there are, and whether data fits one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands, completed, protocols_known
from bench.errors import InputError, beside
from bench.text.plain import table, visible, wrapped

if TYPE_CHECKING:
    from bench.planning.data_check import Checked
    from bench.protocols.record import Published

_LONGEST = 2000  # letters of a complaint: lists may hold anything in the place of names
_CHECKED = """exit status of check:
  0  all that the protocol expects is there; without --protocol: some protocol fits
  1  something is missing, left over or of another number
"""


def add(commands: Commands) -> None:
    """Describe the command."""
    protocols = commands.add_parser(
        "protocols",
        help="published protocols by name: list them, show one, check data before a run",
    )
    verbs = protocols.add_subparsers(title="commands", required=True, metavar="COMMAND")
    listing = verbs.add_parser("list", help="all, with what can be reproduced")
    listing.set_defaults(command=_list)
    listing.add_argument("--json", action="store_true", help="print all facts as JSON")
    show = verbs.add_parser("show", help="what one is: data, sizes, holes, metrics, traps, figures")
    show.set_defaults(command=_show)
    completed(show.add_argument("name", help="as for run --protocol"), protocols_known)
    check = verbs.add_parser(
        "check", help="what is missing of a folder, before anything runs", epilog=_CHECKED
    )
    check.set_defaults(command=_check)
    check.add_argument("folder", type=Path, help="as for run --images")
    check.add_argument("--masks", type=Path, help="folder of mask files, if they lie elsewhere")
    named = check.add_argument(
        "--protocol", default="", metavar="NAME", help="only this one (default: which fit)"
    )
    completed(named, protocols_known)


def _list(options: argparse.Namespace) -> int:
    from bench.protocols.read import catalogue

    known = catalogue()
    if options.json:
        print(json.dumps([asdict(each) for each in known.values()], indent=1))
        return 0
    rows = [[name, each.title, each.reproduces] for name, each in known.items()]
    print(table(("protocol", "what", "numbers here"), rows, "lll"))
    print("\nWhat one is, and why: inpaint-bench protocols show NAME")
    return 0


def _show(options: argparse.Namespace) -> int:
    from bench.protocols.read import get

    print("\n".join(wrapped(visible(line)) for line in described(get(options.name))))
    return 0


def described(published: Published) -> Iterator[str]:
    """What a protocol is, line by line."""
    from bench.protocols.record import PAIRED

    data, holes, score = published.data, published.holes, published.score
    yield f"{published.name}: {published.title}"
    yield f"  paper: {published.paper}"
    yield f"  read in: {published.source}"
    yield f"  numbers here: {published.reproduces}. {published.why}"
    yield f"  data: {data.about}"
    for what, where in (("photos", data.photos), ("masks", data.masks), ("truth", data.truth),
                        ("list", data.names)):  # fmt: skip
        if where:
            yield f"    {what}: {where}"
    yield f"  pictures: {f'{published.expects:,}' if published.expects else 'number not stated'}"
    yield f"  size: {published.size}"
    if holes.generator:
        yield f"  holes: drawn by {holes.generator}, seed {published.seed}"
    else:
        yield f"  holes: files, {PAIRED[holes.pairing]}"
        yield f"    {holes.hole} is hole; white is from level {holes.threshold} up"
    yield f"  scored: paste {score.paste}, levels {score.quantise}"
    yield f"  metrics: {', '.join(published.metrics) or 'none of the authors; the usual ones'}"
    for name, why in published.elsewhere.items():
        yield f"  not measured: {name}: {why}"
    for trap in published.traps:
        yield f"  trap: {trap}"
    for row in published.rows:
        stated = [f"{name} {value:g}" for name, value in row.figures.items()]
        stated += [f"{name} {value:g} (not held beside ours)" for name, value in row.others.items()]
        figures = ", ".join(stated)
        here = f" (here {row.method})" if row.method else ""
        read = ", read in a copy" if row.secondary else ""
        yield f"  published: {row.title}{here}: {figures}; {row.source}{read}"
        if row.note:
            yield f"    {row.note}"
    yield f"run it: inpaint-bench run --protocol {published.name} --images DIR"


def _check(options: argparse.Namespace) -> int:
    from bench.planning.data_check import check
    from bench.protocols.read import catalogue, get

    folder, masks = options.folder, options.masks
    for path in filter(None, (folder, masks)):
        if not path.is_dir():
            raise InputError(f"expected a folder, found none at {path}.{beside(path)}")
    if options.protocol:
        published = get(options.protocol)
        checked = check(published, folder, masks)
        doubts = (f"perhaps: {doubt}" for doubt in checked.doubts)
        said = [_counts(published, checked)] if checked.photos else []
        for line in (*said, *checked.complaints, *doubts):
            print(wrapped(visible(line[:_LONGEST])))
        return int(bool(checked.complaints))
    fitting = []
    for published in catalogue().values():
        checked = check(published, folder, masks, names_only=True)
        if not checked.complaints:
            checked = check(published, folder, masks)
        if checked.photos:
            fitting.append(not checked.complaints)
            more = "; not all, see --protocol" if checked.complaints else ""
            print(visible(f"{_counts(published, checked)}{more}"))
    if not fitting:
        print(f"{folder}: laid out as no protocol says; what one lacks: --protocol NAME")
    return int(not any(fitting))


def _counts(published: Published, checked: Checked) -> str:
    expected = published.expects
    of = f" of {expected:,}" if expected else ", how many are expected was not stated"
    return f"{published.name}: {checked.cases:,}{of}"
