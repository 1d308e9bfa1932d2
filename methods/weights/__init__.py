"""Weight files: which ones there are, where to look for them, how to get and check them.

A file is trusted only after its SHA-256 agrees, and is read as tensors only, never as
arbitrary pickles. This package is read by the command line, so it imports torch late.
"""

from methods.weights.archive import load_archive
from methods.weights.checkpoint import CHECKPOINTS, Checkpoint
from methods.weights.download import fetch
from methods.weights.files import (
    FOLDER_VARIABLE,
    SMALL,
    add,
    cache_folder,
    digest,
    find,
    folders,
    need,
    present,
    verify,
)
from methods.weights.tensors import differences, load, put

__all__ = [
    "CHECKPOINTS",
    "FOLDER_VARIABLE",
    "SMALL",
    "Checkpoint",
    "add",
    "cache_folder",
    "differences",
    "digest",
    "fetch",
    "find",
    "folders",
    "load",
    "load_archive",
    "need",
    "present",
    "put",
    "verify",
]
