"""Files of the Hugging Face hub, ``hf:OWNER/REPO[@REVISION]/path/in/repo``, got by its own library.

A file lies in that library's cache once it was got, under the commit it is of.
"""

from __future__ import annotations

import os
import re
import sys
from pathlib import Path

from bench.errors import BenchError, WeightsMissing

PREFIX = "hf:"
INSTALL = "pip install 'inpaint-bench[hub]'"
_FORM = re.compile(r"hf:([\w.-]+/[\w.-]+)(?:@([^/]+))?/(.+)")


def local(address: str | os.PathLike[str], *, offline: bool = False) -> Path:
    """Give the file that an address or a path stands for.

    Args:
        address: ``hf:OWNER/REPO[@REVISION]/path/in/repo``, got if it is not here; any other text
            is a path.
        offline: Fetch nothing, as ``HF_HUB_OFFLINE`` says too.

    Raises:
        BenchError: If the address is malformed, the library or the file is not there, or it may
            not be had without an account.
        WeightsMissing: If it is not here, and cannot or must not be fetched.
    """
    text = os.fspath(address)
    return _found(text, offline)[0] if text.startswith(PREFIX) else Path(text).expanduser()


def pinned(address: str, *, offline: bool = False) -> str:
    """Get the file, and give its address with the commit; which is said if it had none.

    Raises:
        BenchError: As `local`.
    """
    repo, _, path = _parts(address)
    exact = f"{PREFIX}{repo}@{_found(address, offline)[1]}/{path}"
    if exact != address:
        print(f"{address} is not pinned to a commit; today's is {exact}", file=sys.stderr)
    return exact


def _parts(address: str) -> tuple[str, str, str]:
    match = _FORM.fullmatch(address)
    if not match:
        raise BenchError(
            f"expected hf:OWNER/REPO/path/in/repo or hf:OWNER/REPO@REVISION/path/in/repo, found "
            f"{address!r}"
        )
    return match[1], match[2] or "", match[3]


def _found(address: str, offline: bool) -> tuple[Path, str]:
    """The file and its commit."""
    repo, revision, path = _parts(address)
    try:
        from huggingface_hub import errors, hf_hub_download, is_offline_mode
    except ImportError as error:
        raise BenchError(f"{address}: needs huggingface_hub ({error}); run: {INSTALL}") from error
    fetch = f"hf download {repo} {path}" + (f" --revision {revision}" if revision else "")
    try:
        file = hf_hub_download(repo, path, revision=revision or None, local_files_only=offline)
    except errors.GatedRepoError as error:
        raise BenchError(
            f"{address}: its owner gives it to those who accept the terms at "
            f"https://huggingface.co/{repo}; do so, then run: hf auth login"
        ) from error
    except errors.RepositoryNotFoundError as error:
        raise BenchError(
            f"{address}: there is no repository {repo}, or it is private; if it is yours, run: hf "
            "auth login"
        ) from error
    except errors.RevisionNotFoundError as error:
        raise BenchError(f"{address}: {repo} has no revision {revision!r}") from error
    except errors.LocalEntryNotFoundError as error:
        forbidden = offline or is_offline_mode()
        why = "is not to be fetched (offline)" if forbidden else "the hub does not answer"
        raise WeightsMissing(f"{address}: not on this machine, and {why}; run: {fetch}") from error
    except errors.EntryNotFoundError as error:
        raise BenchError(f"{address}: {repo} has no file {path!r}") from error
    except (errors.HFValidationError, OSError) as error:
        raise BenchError(f"{address}: cannot be had: {error}") from error
    # The cache's layout: snapshots/COMMIT/path.
    return Path(file), Path(file).parts[-len(Path(path).parts) - 1]
