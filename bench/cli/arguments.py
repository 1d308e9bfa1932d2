"""Kinds of arguments that several commands take."""

from __future__ import annotations

import argparse
import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any, TypeAlias

from bench.errors import BenchError, did_you_mean, spelt_like

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"

# What torch calls devices; whether one is here, only torch can tell.
_DEVICES = ("cpu", "cuda", "mps", "xpu", "hpu", "npu", "xla", "mtia")


def positive(text: str) -> int:
    """A whole number from 1."""
    if not text.isdigit() or int(text) < 1:
        raise argparse.ArgumentTypeError(f"expected a whole number from 1, found {text!r}")
    return int(text)


def milliseconds(text: str) -> float:
    """A time above 0."""
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value < math.inf:
        raise argparse.ArgumentTypeError(f"expected milliseconds above 0, found {text!r}")
    return value


def device(text: str) -> str:
    """A device as torch writes it, such as ``cuda:1``."""
    if text.partition(":")[0].lower() not in _DEVICES:
        raise argparse.ArgumentTypeError(f"expected cpu, cuda, cuda:N, mps or xpu, found {text!r}")
    return text.lower()


def named(text: str) -> tuple[str, ...]:
    """Names between commas."""
    names = tuple(filter(None, map(str.strip, text.split(","))))
    if not names:
        raise argparse.ArgumentTypeError(f"expected names, found {text!r}")
    return names


def tiers(text: str) -> list[str]:
    """Tiers of generated holes, comma-separated."""
    from masks.tiers import ALL

    known = [tier.name for tier in ALL]
    asked = list(dict.fromkeys(spelt_like(word, known) for word in named(text)))
    for name in asked or [text]:
        if name not in known:
            meant = did_you_mean(name, known)
            raise argparse.ArgumentTypeError(
                f"expected some of {', '.join(known)}, found {name!r}.{meant}"
            )
    return asked


def taken(options: argparse.Namespace, *names: str) -> dict[str, Any]:
    """The options of these names, to be passed on under them."""
    return {name: getattr(options, name) for name in names}


def listed(lists: Sequence[str] | None) -> list[str]:
    """The names in comma-separated lists of methods, each looked up without loading any.

    Raises:
        BenchError: If there is no such method.
    """
    import methods

    found = [methods.look_up(name).text for text in lists or () for name in methods.split(text)]
    if lists and not found:
        raise BenchError("--methods: expected names, found none")
    return found


def completed(argument: argparse.Action, known: Callable[[], Iterable[str]]) -> None:
    """Let a shell complete an argument, also behind the last comma of a list.

    Args:
        argument: What ``add_argument`` gave.
        known: Gives the words.
    """

    def complete(prefix: str, **_: Any) -> list[str]:
        before = "".join(prefix.rpartition(",")[:2])
        label, equals = prefix.removeprefix(before).partition("=")[:2]
        words = _kinds(label) if equals and known is methods_known else known()
        return [f"{before}{word}" for word in words]

    argument.completer = complete  # type: ignore[attr-defined]


def add_reference(command: argparse.ArgumentParser) -> None:
    """The option of comparing with one method only."""
    reference = command.add_argument(
        "--reference",
        metavar="METHOD",
        help="compare each method with this one only, which tells smaller differences apart",
    )
    completed(reference, methods_known)


def add_budget(command: argparse._ActionsContainer) -> None:
    """The option of a budget of time in the report."""
    command.add_argument(
        "--budget-ms",
        type=milliseconds,
        metavar="MS",
        help="say in the report which methods fill within so many milliseconds, as timed by "
        "'latency', and which of those is best",
    )


def protocols_known() -> list[str]:
    """Names of published protocols."""
    from bench.protocols.read import catalogue

    return list(catalogue())


def methods_known() -> list[str]:
    """Methods, bare and with each of their weights."""
    from methods.card import read
    from methods.naming import names
    from methods.spec import TABLE

    return [*names(), *(f"{name}:{each}" for name in TABLE for each in read(name).weights)]


def _kinds(label: str) -> list[str]:
    """The kinds that may stand behind a label."""
    from methods.spec import KINDS

    return [f"{label}={kind}:" for kind in KINDS]


def metrics_known() -> list[str]:
    """Metrics of this project and of installed packages."""
    from bench.metrics import METRICS
    from bench.metrics.plug_ins import installed

    return [*METRICS, *installed()[0]]
