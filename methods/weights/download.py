"""Fetch weight files."""

from __future__ import annotations

from pathlib import Path

from bench.errors import BenchError
from methods.weights.checkpoint import Checkpoint
from methods.weights.files import Check, cache_folder, placed

_TIMEOUT_SECONDS = 10
_CHUNK = 1 << 20


def fetch(checkpoint: Checkpoint, check: Check = str) -> Path:
    """Download a weight file into the cache folder, with progress on standard error.

    The file appears under its name only after size, hash and content have been checked.

    Args:
        checkpoint: What is wanted.
        check: Loads the file once before it gets its place.

    Raises:
        BenchError: If no address gave the right file; it says why, and what to do by hand.
    """
    failures = []
    for url in checkpoint.urls:
        try:
            with placed(checkpoint, check) as part:
                _download(url, part)
            return cache_folder() / checkpoint.file
        except (BenchError, OSError) as error:
            failures.append(f"{url}: {error}")
    reasons = "; ".join(failures) or "no address is known"
    where = "there" if checkpoint.urls else f"from {checkpoint.origin}"
    raise BenchError(
        f"weights {checkpoint.name} could not be fetched ({reasons}); get {checkpoint.file} "
        f"{where} by other means, then run: inpaint-bench weights add {checkpoint.name} FILE"
    )


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
