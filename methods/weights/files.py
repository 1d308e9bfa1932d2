"""Find weight files in their folders, check them, and put them there."""

from __future__ import annotations

import contextlib
import functools
import glob
import hashlib
import os
import shutil
import sys
import tempfile
import zipfile
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from filelock import FileLock, Timeout

from bench.errors import BenchError, WeightsMissing
from methods.weights.checkpoint import Checkpoint

FOLDER_VARIABLE = "INPAINT_BENCH_WEIGHTS"
SMALL = Path(__file__).parents[1] / "small"  # weights that come with this project
# Published sizes are rounded; a file outside of this margin is not worth hashing.
_SIZE_MARGIN = 0.01
_LARGEST = 8_000_000_000  # bytes of a file whose size is not documented

_LOCK = ".lock"
_WHOLE = 64  # digits of a SHA-256

Check = Callable[[Path], object]  # loads a file once; raises BenchError if it is not as it should


def cache_folder() -> Path:
    """Where torch.hub keeps checkpoints, found by its rules without importing torch."""
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    home = os.environ.get("TORCH_HOME", os.path.join(cache, "torch"))
    return Path(home).expanduser() / "hub" / "checkpoints"


def folders() -> list[Path]:
    """The folders searched, in order: the environment variable's, the cache, the project's own."""
    named = os.environ.get(FOLDER_VARIABLE)
    return [*([Path(named).expanduser()] if named else []), cache_folder(), SMALL]


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
    found = located(checkpoint)
    if found is not None:
        verify(found, checkpoint)
        trust(found, checkpoint)
    return found


def located(checkpoint: Checkpoint) -> Path | None:
    """The first file of that name in the folders searched, unread."""
    candidates = (folder / checkpoint.file for folder in folders())
    return next((each for each in candidates if each.is_file()), None)


def present(checkpoint: Checkpoint) -> bool:
    """Tell whether a file of that name is here, without reading it."""
    return located(checkpoint) is not None


def damage(checkpoint: Checkpoint) -> str:
    """Why a file that is here cannot be used; empty if it can, or is not here.

    Quick: what was not touched since its digest was recorded is not read through again.
    """
    path = located(checkpoint)
    if path is None:
        return ""
    record = record_of(path)
    kept = record.is_file() and record.stat().st_mtime_ns > path.stat().st_ctime_ns
    wrong = (_glance if kept else mismatch)(path, checkpoint)
    return f"{path}: {wrong}; run: {checkpoint.command}" if wrong else ""


def need(checkpoints: Sequence[Checkpoint], method: str) -> list[Path]:
    """Find the weights of a method, verified.

    Raises:
        WeightsMissing: If no folder searched has one of them, or a file found is not the right one;
            it names all that are missing, with the commands that fix it.
    """
    paths = [find(each) for each in checkpoints]
    missing = [each for each, path in zip(checkpoints, paths, strict=True) if path is None]
    if missing:
        searched = " or ".join(str(folder) for folder in folders()[:-1])
        sources = [f"; get {each.file} from {each.origin}" for each in missing if not each.urls]
        commands = [each.command for each in missing if each.command]
        sources += [f"; run: {' && '.join(commands)}"] if commands else ["; put it there"]
        raise WeightsMissing(
            f"{method} needs the weights {', '.join(each.name for each in missing)}, expected "
            f"{', '.join(each.file for each in missing)} in {searched}, found none"
            f"{''.join(sources)}"
        )
    return [path for path in paths if path is not None]


def verify(path: Path, checkpoint: Checkpoint) -> None:
    """Check size and SHA-256 of a file.

    Raises:
        WeightsMissing: If it is not there, not readable, or not the file expected.
    """
    wrong = mismatch(path, checkpoint)
    if wrong:
        mend = f"; run: {checkpoint.command}" if checkpoint.command else ""
        raise WeightsMissing(f"{path}: {wrong}{mend}")


def add(path: Path, checkpoint: Checkpoint, check: Check = str) -> Path:
    """Copy a file got by other means into the cache folder after checking it.

    Args:
        path: The file, of any name.
        checkpoint: What it should be.
        check: Loads the copy, which has its later name, before it gets its place.

    Raises:
        BenchError: If it is not the right file or the folder cannot be written.
    """
    wrong = _glance(path, checkpoint)
    if wrong:
        raise BenchError(f"{path}: {wrong}. Nothing was added")
    target = cache_folder() / checkpoint.file
    try:
        with placed(checkpoint, check) as part:
            shutil.copyfile(path, part)
    except OSError as error:
        raise BenchError(
            f"{target}: cannot be written ({error.strerror}); make room or access there, or set "
            f"{FOLDER_VARIABLE} to the folder of {path.name}"
        ) from error
    except BenchError as error:
        raise BenchError(f"{path}: {str(error).rstrip('.')}. Nothing was added") from error
    return target


@contextlib.contextmanager
def placed(checkpoint: Checkpoint, check: Check) -> Iterator[Path]:
    """Give a file to write that gets its place in the cache folder if it is the right one.

    Until then it lies beside it, in a folder of its own and under its later name, by which some
    files are read.

    Raises:
        BenchError: If it is not; nothing is left then.
    """
    target = cache_folder() / checkpoint.file
    target.parent.mkdir(parents=True, exist_ok=True)
    for left in target.parent.glob(f"{glob.escape(target.name)}.*.part"):  # of one that was killed
        with contextlib.suppress(Timeout, OSError), FileLock(left / _LOCK, timeout=0):
            shutil.rmtree(left)
    with (
        tempfile.TemporaryDirectory(".part", f"{target.name}.", target.parent) as folder,
        FileLock(Path(folder, _LOCK)),
    ):
        part = Path(folder) / target.name
        yield part
        wrong = mismatch(part, checkpoint)
        if wrong:
            raise BenchError(wrong)
        try:
            check(part)
        except BenchError as error:  # of a file that nobody will find there
            raise BenchError(str(error).replace(f"{part}: ", "")) from error
        found = digest(part)
        os.replace(part, target)
    if not checkpoint.sha256:
        _record(target, checkpoint, found)
    elif len(checkpoint.sha256) < _WHOLE:
        print(
            f"weights {checkpoint.name}: of its SHA-256 {4 * len(checkpoint.sha256)} of 256 bits "
            f"are documented: a damaged or another file is found by them, one that somebody made "
            f"to pass is not; it is {found}",
            file=sys.stderr,
        )


def digest(path: Path) -> str:
    """SHA-256 of a file, in hexadecimal; read once in a process unless it changes."""
    found = path.stat()
    return _digest(path, found.st_ino, found.st_size, found.st_mtime_ns, found.st_ctime_ns)


@functools.cache
def _digest(path: Path, *state: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def mismatch(path: Path, checkpoint: Checkpoint) -> str:
    """What is wrong with a file; empty if nothing."""
    wrong = _glance(path, checkpoint)
    if wrong:
        return wrong
    try:
        found = digest(path)
        expected = checkpoint.sha256.lower()
        if not expected and record_of(path).is_file():
            recorded = record_of(path).read_text("ascii", "replace").split()
            expected = recorded[0] if recorded else "(its record is empty)"
    except OSError as error:
        return f"expected the weights {checkpoint.name}, found {error.strerror}"
    if not found.startswith(expected):
        return f"expected SHA-256 {expected} for {checkpoint.name}, found {found}"
    return ""


def _glance(path: Path, checkpoint: Checkpoint) -> str:
    """What is wrong with a file by its size and beginning; empty if nothing."""
    try:
        size = path.stat().st_size
        odd = came_instead(path)
    except OSError as error:
        odd = error.strerror or str(error)
    if odd:
        return f"expected the weights {checkpoint.name}, found {odd}"
    if checkpoint.bytes and abs(size - checkpoint.bytes) > _SIZE_MARGIN * checkpoint.bytes:
        return f"expected about {checkpoint.bytes:,} bytes for {checkpoint.name}, found {size:,}"
    return ""


def came_instead(path: Path) -> str:
    """What a file is that came in place of another; empty for any that may be a network."""
    size = path.stat().st_size
    with path.open("rb") as file:
        start = file.read(64)
    if not start:
        return "an empty file; get it again"
    if start[8:9] == b"{":  # safetensors, whose first eight bytes are a number
        return ""
    if start.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"<"):
        return "a web page: download the file in a browser"
    if start.startswith(b"version https://git-lfs"):
        return f"a Git LFS pointer of {size} bytes in place of the file: run git lfs pull there"
    if start.startswith(b"PK\x03\x04") and not _is_zip(path):
        return f"the first {size:,} bytes of a zip file that is cut off; get it again"
    return ""


def _is_zip(path: Path) -> bool:
    try:
        return zipfile.is_zipfile(path)
    except zipfile.BadZipFile:  # an end that tells of several disks
        return False


def largest(checkpoint: Checkpoint) -> int:
    """Bytes that a file of this kind has at most."""
    return int(checkpoint.bytes * (1 + _SIZE_MARGIN)) + (1 << 16) if checkpoint.bytes else _LARGEST


def trust(path: Path, checkpoint: Checkpoint) -> None:
    """Record the digest of a file for which none is documented, and say so."""
    if not checkpoint.sha256 and not record_of(path).is_file():
        _record(path, checkpoint, digest(path))


def _record(path: Path, checkpoint: Checkpoint, found: str) -> None:
    record = record_of(path)
    try:
        record.write_text(f"{found}  {path.name}\n", "ascii")
    except OSError as error:
        raise BenchError(
            f"{record}: cannot be written ({error.strerror}); no SHA-256 is documented for "
            f"{checkpoint.name}, so that of the first file is kept there: give access to the folder"
        ) from error
    print(
        f"weights {checkpoint.name}: no SHA-256 is documented, so this file is trusted on first "
        f"use; {found} is recorded in {record}",
        file=sys.stderr,
    )


def record_of(path: Path) -> Path:
    """Where the digest of a file without a documented one is kept."""
    return path.with_name(f"{path.name}.sha256")
