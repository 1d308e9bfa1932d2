"""The networks that metrics need: their names, their weight files, and how they are made."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import partial
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, did_you_mean
from methods import weights
from methods.card import read
from methods.weights import Checkpoint

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from bench.metrics.pair import Picture
    from bench.metrics.self_consistency import SecondFills
    from methods.base import Inpainter

    Extractor = Callable[[Picture | NDArray[np.float32]], NDArray[np.float32]]

LPIPS_NETWORK, LPIPS_UNTRAINED = "lpips-alex", "lpips-untrained"
FID_NETWORK, FID_UNTRAINED = "fid-inception", "fid-untrained"
# Behind an @ stands how a network sees a picture, where that is not its usual way.
FID_PYTORCH, FID_FLOAT, FID_CLEAN = (
    f"{FID_NETWORK}@{seen}" for seen in ("pytorch", "float", "clean")
)
TORCHVISION = "inception-torchvision"
INCEPTIONS = (FID_NETWORK, FID_UNTRAINED, FID_PYTORCH, FID_FLOAT, FID_CLEAN, TORCHVISION)
LPIPS_PUBLISHED = (LPIPS_NETWORK, "lpips-vgg", "lpips-squeeze")
OF_PAIRS = (*LPIPS_PUBLISHED, LPIPS_UNTRAINED)  # those that compare two pictures
CLIP, DINOV2_L, DINOV2_G = "clip-vit-l14-336", "dinov2-vitl14", "dinov2-vitg14"
VITS = (CLIP, DINOV2_L, DINOV2_G)  # those that timm builds
LAMA = "lama-big"  # of the method lama:big-lama
# What needs several networks joins their names.
REFILL, REFILL_UNTRAINED = f"{LAMA}+{LPIPS_NETWORK}", f"telea+{LPIPS_UNTRAINED}"
PUBLISHED = (*LPIPS_PUBLISHED, FID_NETWORK, TORCHVISION, *VITS, LAMA)  # whose weights are a file
INSTALL_TIMM = "pip install 'inpaint-bench[vit]'"
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
                f"--weights {name}: networks of the metrics are {', '.join(PUBLISHED)}."
                f"{did_you_mean(name, PUBLISHED)} Files of methods are put in place with: "
                "inpaint-bench weights add NAME FILE"
            )


def parts(network: str) -> tuple[str, ...]:
    """The networks with published weights of which one, or several joined by ``+``, consists."""
    names = (part.partition("@")[0] for part in network.split("+"))
    return tuple(name for name in names if name in PUBLISHED)


def checkpoint(name: str) -> Checkpoint:
    """What the weight file of a network is."""
    return read("lama").files("big-lama")[0] if name == LAMA else weights.CHECKPOINTS[name]


def missing(network: str) -> str:
    """The command that gets what a network needs; empty if it needs nothing or it is here."""
    if network in VITS and not find_spec("timm"):
        return INSTALL_TIMM
    needed = map(checkpoint, parts(network))
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
    if network in VITS and not find_spec("timm"):
        return None, f"network {network} needs timm, which is not installed; run: {INSTALL_TIMM}"
    if given is not None:
        return weights.find(wanted, given), ""
    try:
        path = weights.find(wanted)
        if path is None and not offline:
            path = weights.fetch(wanted, partial(load, network))
    except BenchError as error:
        return None, str(error)
    if path is None:
        return None, (
            f"weights {network} ({wanted.file}) are not on this machine and --offline forbids "
            f"fetching them; run: inpaint-bench weights fetch {network}"
        )
    return path, ""


def load(name: str, path: Path) -> None:
    """Load a file once as what measures with it does.

    Raises:
        BenchError: If it is not that of the network of this name.
    """
    if name == LAMA:
        import methods

        methods.learnable("lama").check_file(path, checkpoint(name))
    elif name in LPIPS_PUBLISHED:
        pair_network(name, {name: path}, "cpu")
    elif name in VITS:
        from bench.metrics.vit import NETWORKS

        vit = NETWORKS[name]  # of gigabytes: its shapes will do
        named = vit.rename(weights.load(path, checkpoint(name)))
        weights.fit(named, vit.empty().state_dict(), str(path), name)
    else:
        extractor(name, {name: path}, "cpu")


def pair_network(name: str, files: Mapping[str, Path], device: str) -> Any:
    """Make what a `NetworkMetric` is measured with.

    Raises:
        BenchError: If there is none of that name, or its weights are missing or wrong.
    """
    from bench.metrics.perceptual import Lpips

    refills = (REFILL, REFILL_UNTRAINED)
    _require(name, files, (*OF_PAIRS, *refills, *VITS))
    if name in refills:
        return _second_fills(name, files, device)
    if name in VITS:
        from bench.metrics.coherence import SIDE
        from bench.metrics.vit import VitFeatures

        # The patches that DINOv2 is asked for are those of its training; CLIP sees whole pictures.
        side = None if name == CLIP else SIDE
        return VitFeatures(name, files[name], device=device, side=side)
    net = "alex" if name == LPIPS_UNTRAINED else name.removeprefix("lpips-")
    return Lpips(files.get(name), net=net, device=device)


def _second_fills(name: str, files: Mapping[str, Path], device: str) -> SecondFills:
    """LaMa and LPIPS with their published weights; or Telea's method and untrained LPIPS."""
    import methods
    from bench.metrics.perceptual import Lpips
    from bench.metrics.self_consistency import SecondFills

    second: Inpainter = methods.get("telea")
    if name == REFILL:
        kind = methods.learnable("lama")
        second = kind.with_own_weights(files[LAMA], "lama", config="big-lama", device=device)
    second.load()
    lpips = files[LPIPS_NETWORK] if name == REFILL else None
    return SecondFills(second, Lpips(lpips, device=device))


def extractor(name: str, files: Mapping[str, Path], device: str) -> Extractor:
    """Make a network that finds features of a picture; raises as `pair_network`."""
    _require(name, files, (*INCEPTIONS, *VITS))
    if name in VITS:
        from bench.metrics.vit import VitFeatures

        return VitFeatures(name, files[name], device=device)
    from bench.metrics.inception import InceptionFeatures

    return InceptionFeatures(files.get(name.partition("@")[0]), network=name, device=device)


def _require(name: str, files: Mapping[str, Path], known: tuple[str, ...]) -> None:
    if name not in known:
        raise BenchError(f"network {name!r} is unknown to the metrics; known: {', '.join(known)}")
    for part in parts(name):
        if part not in files:
            command = checkpoint(part).command
            raise BenchError(f"network {part}: no weight file given; run: {command}")
