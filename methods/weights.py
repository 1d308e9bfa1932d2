"""Weight files: which ones there are, where to look for them, how to get and check them.

A file is trusted only after its SHA-256 agrees, and is read as tensors only, never as
arbitrary pickles. This module is read by the command line, so it imports torch late.
"""

from __future__ import annotations

import hashlib
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError

if TYPE_CHECKING:
    import torch

FOLDER_VARIABLE = "INPAINT_BENCH_WEIGHTS"
_TIMEOUT_SECONDS = 10
_CHUNK = 1 << 20
_MIB = 1 << 20
# Published sizes are rounded; a file outside of this margin is not worth hashing.
_SIZE_MARGIN = 0.01


@dataclass(frozen=True)
class Checkpoint:
    """One weight file.

    Attributes:
        name: What users call it, such as ``lpips-alex``.
        file: File name in a weights folder.
        urls: Where to fetch it, tried in order; empty if it cannot be fetched.
        sha256: Hex digest, or its first characters (at least 8).
        bytes: Size, known to 1 %.
        licence: Licence of the weights.
        origin: Who made them and from what.
    """

    name: str
    file: str
    urls: tuple[str, ...]
    sha256: str
    bytes: int
    licence: str
    origin: str = ""


def _torchvision(name: str, file: str, sha256: str, mebibytes: float, network: str) -> Checkpoint:
    return Checkpoint(
        name,
        file,
        (f"https://download.pytorch.org/models/{file}",),
        sha256,
        int(mebibytes * _MIB),
        "BSD-3-Clause",
        f"{network} of torchvision, trained on ImageNet (non-commercial research terms)",
    )


# What is known of the metric networks' files; methods bring their own checkpoints.
CHECKPOINTS = {
    checkpoint.name: checkpoint
    for checkpoint in (
        _torchvision("lpips-alex", "alexnet-owt-7be5be79.pth", "7be5be79", 233.1, "AlexNet"),
        _torchvision("lpips-vgg", "vgg16-397923af.pth", "397923af", 527.8, "VGG-16"),
        _torchvision(
            "lpips-squeeze", "squeezenet1_1-b8a52dc0.pth", "b8a52dc0", 4.73, "SqueezeNet 1.1"
        ),
        Checkpoint(
            "fid-inception",
            "weights-inception-2015-12-05-6726825d.pth",
            (
                "https://github.com/toshas/torch-fidelity/releases/download/v0.2.0/"
                "weights-inception-2015-12-05-6726825d.pth",
            ),
            "6726825d",
            95_600_000,
            "Apache-2.0",
            "Inception v3 of TensorFlow (2015-12-05), converted by torch-fidelity",
        ),
    )
}


def cache_folder() -> Path:
    """Where torch.hub keeps checkpoints, found by its rules without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"


def folders() -> list[Path]:
    """The folders searched, in order: that of the environment variable, then the cache."""
    named = os.environ.get(FOLDER_VARIABLE)
    return [*([Path(named).expanduser()] if named else []), cache_folder()]


def find(checkpoint: Checkpoint, path: Path | None = None) -> Path | None:
    """Find a weight file and check it.

    Args:
        checkpoint: What is wanted.
        path: The file, or the folder that holds it; nothing else is searched if given.

    Returns:
        The verified file, or None if no folder searched has it.

    Raises:
        BenchError: If ``path`` is given and not there, or a file found is not the right one.
    """
    if path is not None:
        candidate = path / checkpoint.file if path.is_dir() else path
        verify(candidate, checkpoint)
        return candidate
    for folder in folders():
        candidate = folder / checkpoint.file
        if candidate.is_file():
            verify(candidate, checkpoint)
            return candidate
    return None


def verify(path: Path, checkpoint: Checkpoint) -> None:
    """Check size and SHA-256 of a file.

    Raises:
        BenchError: If it is not there, not readable, or not the file expected.
    """
    wrong = _mismatch(path, checkpoint)
    if wrong:
        action = "fetch" if checkpoint.urls else "add"
        file = "" if checkpoint.urls else " FILE"
        raise BenchError(
            f"{path}: {wrong}; run: inpaint-bench weights {action} {checkpoint.name}{file}"
        )


def load(path: Path, checkpoint: Checkpoint) -> dict[str, torch.Tensor]:
    """Read the tensors of a PyTorch state dict after checking the file.

    Raises:
        BenchError: If the file is not the right one or holds anything but tensors.
    """
    import torch

    verify(path, checkpoint)
    try:
        state: Any = torch.load(path, map_location="cpu", weights_only=True)
    except Exception as error:  # torch raises many kinds for a malformed file
        raise BenchError(f"{path}: expected a PyTorch state dict of tensors: {error}") from error
    if not isinstance(state, dict) or not all(isinstance(v, torch.Tensor) for v in state.values()):
        raise BenchError(f"{path}: expected a flat dict of tensors, found something else")
    return state


def fetch(checkpoint: Checkpoint) -> Path:
    """Download a weight file into the cache folder, with progress on standard error.

    The file appears under its name only after size and hash have been checked.

    Raises:
        BenchError: If no address gave the right file; it says why, and what to do by hand.
    """
    target = cache_folder() / checkpoint.file
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    failures = []
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        for url in checkpoint.urls:
            try:
                _download(url, part)
                wrong = _mismatch(part, checkpoint)
                if wrong:
                    raise BenchError(wrong)
                os.replace(part, target)
                return target
            except (BenchError, OSError) as error:
                failures.append(f"{url}: {error}")
    except OSError as error:
        failures.append(f"{target.parent}: {error}")
    finally:
        part.unlink(missing_ok=True)
    reasons = "; ".join(failures) or "no address is known"
    raise BenchError(
        f"weights {checkpoint.name} could not be fetched ({reasons}). Get {checkpoint.file} from "
        f"{' or '.join(checkpoint.urls) or checkpoint.origin} by other means and put it into "
        f"{target.parent}, or run: inpaint-bench weights add {checkpoint.name} FILE"
    )


def add(path: Path, checkpoint: Checkpoint) -> Path:
    """Copy a file got by other means into the cache folder after checking it.

    Raises:
        BenchError: If it is not the right file or the folder cannot be written.
    """
    verify(path, checkpoint)
    target = cache_folder() / checkpoint.file
    part = target.with_name(f"{target.name}.{os.getpid()}.part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(path, part)
        os.replace(part, target)
    except OSError as error:
        raise BenchError(
            f"{target}: cannot be written ({error.strerror}); make room or access there, or set "
            f"{FOLDER_VARIABLE} to the folder of {path.name}"
        ) from error
    finally:
        part.unlink(missing_ok=True)
    return target


def _mismatch(path: Path, checkpoint: Checkpoint) -> str:
    """What is wrong with a file; empty if nothing."""
    try:
        size = path.stat().st_size
        if abs(size - checkpoint.bytes) > _SIZE_MARGIN * checkpoint.bytes:
            return (
                f"expected about {checkpoint.bytes:,} bytes for {checkpoint.name}, found {size:,}"
            )
        with path.open("rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()
    except OSError as error:
        return f"expected the weights {checkpoint.name}, found {error.strerror}"
    if not digest.startswith(checkpoint.sha256.lower()):
        return f"expected SHA-256 {checkpoint.sha256} for {checkpoint.name}, found {digest}"
    return ""


def _download(url: str, part: Path) -> None:
    import urllib.request
    from http.client import HTTPException

    from tqdm import tqdm

    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT_SECONDS) as answer:
            stated = answer.headers.get("Content-Length")
            total = int(stated) if stated else None
            with (
                part.open("wb") as file,
                tqdm(total=total, unit="B", unit_scale=True, desc=url.rsplit("/", 1)[-1]) as bar,
            ):
                while chunk := answer.read(_CHUNK):
                    file.write(chunk)
                    bar.update(len(chunk))
                received = file.tell()
    except HTTPException as error:
        raise BenchError(f"expected a file, found a malformed answer: {error!r}") from error
    if total is not None and received < total:
        raise BenchError(f"expected {total:,} bytes, the connection ended after {received:,}")
