"""The networks that metrics need: their names, their weight files, and how they are made."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, did_you_mean
from methods import weights
from methods.card import read
from methods.weights import Checkpoint

if TYPE_CHECKING:
    from bench.metrics.distribution import InceptionFeatures
    from bench.metrics.self_consistency import SecondFills

LPIPS_NETWORK, LPIPS_UNTRAINED = "lpips-alex", "lpips-untrained"
FID_NETWORK, FID_UNTRAINED = "fid-inception", "fid-untrained"
LAMA = "lama-big"  # of the method lama:big-lama
REFILL = f"{LAMA}+{LPIPS_NETWORK}"  # what needs several networks joins their names
PUBLISHED = (LPIPS_NETWORK, FID_NETWORK, LAMA)  # those whose weights are a file
# SHA-256 of the linear heads that the lpips package ships, by backbone.
LPIPS_HEADS = {"alex": "df73285e", "vgg": "a78928a0", "squeeze": "4a5350f2"}


def check_names(given: Iterable[str]) -> None:
    """Refuse names of weights that no metric's network has.

    Raises:
        BenchError: If one is unknown.
    """
    for name in given:
        if name not in PUBLISHED:
            raise BenchError(
                f"--weights {name}: networks of the metrics are {' and '.join(PUBLISHED)}."
                f"{did_you_mean(name, PUBLISHED)} Files of methods are put in place with: "
                "inpaint-bench weights add NAME FILE"
            )


def files(network: str) -> tuple[str, ...]:
    """Names of the weight files that a network, or several joined by ``+``, are made from."""
    return tuple(name for name in network.split("+") if name in PUBLISHED)


def checkpoint(name: str) -> Checkpoint:
    """What the weight file of a network is."""
    return read("lama").files("big-lama")[0] if name == LAMA else weights.CHECKPOINTS[name]


def missing(network: str) -> str:
    """The command that gets the weights of a network; empty if it needs none or they are here."""
    needed = map(checkpoint, files(network))
    return " && ".join(each.command for each in needed if not weights.present(each))


def weight_file(network: str, given: Path | None, *, offline: bool) -> tuple[Path | None, str]:
    """The weight file of a network, or why it is not here and what to do.

    Args:
        network: Name of the network and its checkpoint.
        given: File or folder to take it from, instead of a search.
        offline: Never fetch.

    Raises:
        BenchError: If a file given is not the right one.
    """
    wanted = checkpoint(network)
    if given is not None:
        return weights.find(wanted, given), ""
    try:
        path = weights.find(wanted)
        if path is None and not offline:
            path = weights.fetch(wanted)
    except BenchError as error:
        return None, str(error)
    if path is None:
        return None, (
            f"weights {network} ({wanted.file}) are not on this machine and --offline forbids "
            f"fetching them; run: inpaint-bench weights fetch {network}"
        )
    return path, ""


def pair_network(name: str, given: Mapping[str, Path], device: str) -> Any:
    """Make what a `NetworkMetric` is measured with.

    Raises:
        BenchError: If there is none of that name, or its weights are missing or wrong.
    """
    from bench.metrics.perceptual import Lpips

    _require(name, given, (LPIPS_NETWORK, LPIPS_UNTRAINED, REFILL))
    if name == REFILL:
        return _second_fills(given, device)
    return Lpips(given.get(name), device=device)


def _second_fills(given: Mapping[str, Path], device: str) -> SecondFills:
    """LaMa with its published weights, and LPIPS with its own."""
    import methods
    from bench.metrics.perceptual import Lpips
    from bench.metrics.self_consistency import SecondFills

    kind = methods.learnable("lama")
    lama = kind.with_own_weights(given[LAMA], "lama", config="big-lama", device=device)
    lama.load()
    return SecondFills(lama, Lpips(given[LPIPS_NETWORK], device=device))


def extractor(name: str, given: Mapping[str, Path], device: str) -> InceptionFeatures:
    """Make a network that finds features of a picture; raises as `pair_network`."""
    from bench.metrics.distribution import InceptionFeatures

    _require(name, given, (FID_NETWORK, FID_UNTRAINED))
    return InceptionFeatures(given.get(name), device=device)


def _require(name: str, given: Mapping[str, Path], known: tuple[str, ...]) -> None:
    if name not in known:
        raise BenchError(f"network {name!r} is unknown to the metrics; known: {', '.join(known)}")
    for file in files(name):
        if file not in given:
            command = checkpoint(file).command
            raise BenchError(f"network {file}: no weight file given; run: {command}")
