"""Weight files: which ones there are, where to look for them, how to get and check them.

A file is trusted only after its SHA-256 agrees, and is read as tensors only, never as
arbitrary pickles. This package is read by the command line, so it imports torch late.
"""

from methods.weights.checkpoint import CHECKPOINTS, Checkpoint
from methods.weights.download import fetch
from methods.weights.files import (
    FOLDER_VARIABLE,
    SMALL,
    add,
    cache_folder,
    came_instead,
    damage,
    digest,
    find,
    folders,
    located,
    need,
    present,
    verify,
)
from methods.weights.tensors import differences, fit, in_words, load, load_archive, put, read
from methods.weights.ways import Ambiguous, one_way

__all__ = [
    "CHECKPOINTS",
    "FOLDER_VARIABLE",
    "SMALL",
    "Ambiguous",
    "Checkpoint",
    "add",
    "cache_folder",
    "came_instead",
    "damage",
    "differences",
    "digest",
    "fetch",
    "find",
    "fit",
    "folders",
    "in_words",
    "load",
    "load_archive",
    "located",
    "need",
    "one_way",
    "present",
    "put",
    "read",
    "verify",
]
