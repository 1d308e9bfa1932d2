"""``inpaint-bench weights``: what is here, what is missing, and how to get it."""

from __future__ import annotations

import argparse
import re
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from bench.cli.arguments import Commands, completed
from bench.errors import BenchError, did_you_mean, spelt_like
from bench.text.plain import visible

if TYPE_CHECKING:
    from methods.weights import Checkpoint

_NAME = "as weights list shows it"


def add(commands: Commands) -> None:
    """Describe the commands."""
    weights = commands.add_parser("weights", help="list, fetch, add or verify weight files")
    verbs = weights.add_subparsers(required=True, metavar="VERB")
    listing = verbs.add_parser("list", help="which weights are on this machine")
    listing.set_defaults(command=_list)
    fetch = verbs.add_parser("fetch", help="download weights and check their hash")
    fetch.set_defaults(command=_fetch)
    completed(fetch.add_argument("name", help=_NAME), _known)
    _takes_hash(fetch)
    for verb, text, command in (
        ("add", "copy a file you have to where it is looked for, after checking its hash", _add),
        ("verify", "check a file's hash", _verify),
    ):
        parser = verbs.add_parser(verb, help=text)
        parser.set_defaults(command=command)
        completed(parser.add_argument("name", help=_NAME), _known)
        parser.add_argument("file", help="weight file")
        if command is _add:
            _takes_hash(parser)


def _takes_hash(parser: argparse.ArgumentParser) -> None:
    words = "hash that you have from its authors, where none, or a part only, is documented"
    parser.add_argument("--sha256", default="", metavar="HEX", help=words)


def _list(options: argparse.Namespace) -> int:
    import methods
    from methods.weights import damage, located

    for checkpoint in _known().values():
        path, broken = located(checkpoint), damage(checkpoint)
        state = f"at {path}" if path else f"missing; {checkpoint.command}"
        state = f"broken; {broken}" if broken else state
        size = f"{checkpoint.bytes / 1e6:6.1f} MB" if checkpoint.bytes else "   size ?"
        print(visible(f"{checkpoint.name:26} {size}  {state}"))
    for card in methods.inventory()[0].values():
        if card.training:
            print(visible(f"{card.name:26} {'':9}  none published; {card.training}"))
    return 0


def _fetch(options: argparse.Namespace) -> int:
    from methods.weights import fetch

    checkpoint = _stated(options)
    print(fetch(checkpoint, partial(_load_once, checkpoint)))
    return 0


def _add(options: argparse.Namespace) -> int:
    from methods.weights import add as copy
    from methods.weights import hub

    checkpoint = _stated(options)
    print(copy(hub.local(options.file), checkpoint, partial(_load_once, checkpoint)))
    return 0


def _stated(options: argparse.Namespace) -> Checkpoint:
    """A checkpoint, with the hash that the user states of it."""
    checkpoint, stated = _checkpoint(options.name), options.sha256.lower()
    if not stated:
        return checkpoint
    if not re.fullmatch("[0-9a-f]{64}", stated) or not stated.startswith(checkpoint.sha256):
        known = checkpoint.sha256 or "unknown here"
        raise BenchError(f"--sha256: expected 64 hex digits ({known}), found {options.sha256!r}")
    return replace(checkpoint, sha256=stated)


def _load_once(checkpoint: Checkpoint, path: Path) -> None:
    """Load a file as what will use it does; raises BenchError if it is of something else."""
    import methods
    from bench.metrics import networks
    from bench.training.features import NETWORKS
    from methods import own, weights
    from methods.pretrained import Pretrained

    owners = [
        name
        for name, card in methods.inventory()[0].items()
        if checkpoint.name in {each.name for each in card.checkpoints}
    ]
    kinds = [own.load_class(methods.parse(name)) for name in owners]
    try:
        if checkpoint.name in NETWORKS:
            NETWORKS[checkpoint.name].read(path)
        elif checkpoint.name in weights.CHECKPOINTS:
            networks.load(checkpoint.name, path)
        for kind in kinds:
            if issubclass(kind, Pretrained):
                kind.check_file(path, checkpoint)
    except ModuleNotFoundError as error:
        print(f"{checkpoint.name}: not compared with its network, as {error.name} is not installed",
              file=sys.stderr)  # fmt: skip


def _verify(options: argparse.Namespace) -> int:
    from methods.weights import digest, hub, verify
    from methods.weights.files import record_of

    checkpoint = _checkpoint(options.name)
    file = hub.local(options.file)
    verify(file, checkpoint)
    if not checkpoint.sha256 and not record_of(file).is_file():
        raise BenchError(
            f"{file}: no SHA-256 is documented for {checkpoint.name}, and none recorded "
            f"beside the file, whose own is {digest(file)}; run: {checkpoint.command}"
        )
    print(f"{file}: is {options.name}")
    return 0


def _known() -> dict[str, Checkpoint]:
    """All weight files: those of the metrics, and those on the cards of methods."""
    import methods
    from methods.weights import CHECKPOINTS

    cards, _ = methods.inventory()
    return CHECKPOINTS | {each.name: each for card in cards.values() for each in card.checkpoints}


def _checkpoint(name: str) -> Checkpoint:
    files = _known()
    name = spelt_like(name, files)
    if name in files:
        return files[name]
    import methods

    cards = methods.inventory()[0]
    method, _, choice = name.partition(":")
    method = spelt_like(method, cards)
    checkpoints = cards[method].checkpoints if method in cards else ()
    its = [each.name for each in checkpoints if choice in ("", each.choice)]
    if its:
        raise BenchError(
            f"weights {name!r}: {method} is a method, whose files are {', '.join(its)}; name "
            f"one, as in: inpaint-bench weights fetch {its[0]}"
        )
    raise BenchError(
        f"there are no weights {name!r}.{did_you_mean(name, files)} All: inpaint-bench weights list"
    )
