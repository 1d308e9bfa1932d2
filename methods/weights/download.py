"""Fetch weight files."""

from __future__ import annotations

import threading
import time
import urllib.request
from concurrent.futures import Future
from pathlib import Path
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError
from methods.weights.checkpoint import Checkpoint
from methods.weights.files import Check, cache_folder, came_instead, digest, largest, placed

if TYPE_CHECKING:
    from http.client import HTTPResponse

_TIMEOUT_SECONDS = 10  # without a byte
_PATIENCE_SECONDS = 60.0  # until the content begins
_SLOWEST = 50_000  # bytes a second, on average
_CHUNK = 1 << 20


def fetch(checkpoint: Checkpoint, check: Check = str) -> Path:
    """Download a weight file into the cache folder, with progress on standard error.

    The file appears under its name only after size, hash and content have been checked. Addresses
    are of ``https`` only, also those that a server leads on to. No more is taken than the file may
    have, nor for longer than a slow connection takes.

    Args:
        checkpoint: What is wanted.
        check: Loads the file once before it gets its place.

    Raises:
        BenchError: If no address gave the right file, or nothing says which is the right one; it
            says why, and what to do by hand.
    """
    failures = []
    for url in checkpoint.urls:
        try:
            with placed(checkpoint, check) as part:
                _download(url, part, largest(checkpoint))
                if not checkpoint.sha256:
                    raise BenchError(_unknown(checkpoint, part))
            return cache_folder() / checkpoint.file
        except (BenchError, OSError) as error:
            failures.append(_printable(f"{url}: {error}"))
    reasons = "; ".join(failures) or "no address is known"
    where = "there" if checkpoint.urls else f"from {checkpoint.origin}"
    raise BenchError(
        f"weights {checkpoint.name} could not be fetched ({reasons}); get {checkpoint.file} "
        f"{where} by other means, then run: inpaint-bench weights add {checkpoint.name} FILE"
    )


def _unknown(checkpoint: Checkpoint, part: Path) -> str:
    if odd := came_instead(part):
        return f"expected the weights {checkpoint.name}, found {odd}"
    return (
        f"no SHA-256 is documented, so what a server sends is not trusted; this file has "
        f"{digest(part)}: if its authors, or you by other means, say the same, run: "
        f"{checkpoint.command} --sha256 {digest(part)}"
    )


def _printable(text: str) -> str:
    """What a server says, without what acts on a terminal."""
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


class _Secure(urllib.request.HTTPRedirectHandler):
    """Follows a server to addresses of https only."""

    def redirect_request(self, request: Any, *rest: Any) -> urllib.request.Request | None:
        """Look at where it leads."""
        _require_https(rest[-1])
        return super().redirect_request(request, *rest)


def _require_https(url: str) -> None:
    if not url.lower().startswith("https://"):
        raise BenchError(f"expected an address of https, found {url:.200}")


def _opened(url: str) -> HTTPResponse:
    """The answer, once its content begins; its head may come byte by byte."""
    answer: Future[Any] = Future()

    def ask() -> None:
        try:
            opener = urllib.request.build_opener(_Secure)
            answer.set_result(opener.open(url, timeout=_TIMEOUT_SECONDS))
        except BaseException as error:
            answer.set_exception(error)

    threading.Thread(target=ask, daemon=True).start()
    try:
        return answer.result(_PATIENCE_SECONDS)  # type: ignore[no-any-return]
    except TimeoutError as error:
        raise BenchError(f"no answer within {_PATIENCE_SECONDS:.0f} s: {error}") from error


def _download(url: str, part: Path, most: int) -> None:
    from http.client import HTTPException

    from tqdm import tqdm

    _require_https(url)
    received, begun = 0, time.monotonic()
    try:
        with _opened(url) as answer:
            stated = answer.headers.get("Content-Length")
            if stated is not None and not (stated.isascii() and stated.isdigit()):
                raise BenchError(f"expected a size as Content-Length, found {stated!r:.60}")
            total = int(stated[:20]) if stated else None
            with (
                part.open("wb") as file,
                tqdm(total=total, unit="B", unit_scale=True, desc=url.rsplit("/", 1)[-1]) as bar,
            ):
                while max(received, total or 0) <= most and (chunk := answer.read1(_CHUNK)):
                    file.write(chunk)
                    bar.update(len(chunk))
                    received += len(chunk)
                    late = time.monotonic() - begun - _PATIENCE_SECONDS
                    if late > received / _SLOWEST:
                        raise BenchError(f"{received:,} bytes in {late:.0f} s, which is too slow")
    except HTTPException as error:
        raise BenchError(f"expected a file, found a malformed answer: {error!r}") from error
    if max(received, total or 0) > most:
        raise BenchError(f"expected at most {most:,} bytes, found {total or received:,} or more")
    if total is not None and received < total:
        raise BenchError(f"expected {total:,} bytes, the connection ended after {received:,}")
