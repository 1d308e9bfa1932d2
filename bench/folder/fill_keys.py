"""Keys that fills are kept by: of methods that read prompts, a fill holds as long as its prompt."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

import pandas as pd

_PROMPT = "+prompt:"


def of_run(key: str, prompts: Iterable[tuple[str, str]]) -> str:
    """The key, in ``run.json``, of a method that reads prompts: with those of all cases.

    Args:
        key: Hash of what all its fills depend on.
        prompts: Keys of the cases, each with its prompt.
    """
    return f"{key}{_PROMPT}{_hash(sorted(prompts))}"


def of_case(key: str, prompt: str) -> str:
    """The key of a fill: that of the run, of a method that reads prompts with its own prompt."""
    method, reads, _ = key.partition(_PROMPT)
    return f"{method}{reads}{_hash(prompt)}" if reads else key


def of_cases(keys: pd.Series, prompts: pd.Series) -> pd.Series:
    """As `of_case`, of the keys of many fills; those of methods that are no more stay missing."""
    reads = keys.astype(str).str.contains(_PROMPT, regex=False, na=False)
    found = list(map(of_case, keys[reads], prompts[reads]))
    return keys.astype(str).mask(reads, pd.Series(found, keys.index[reads], dtype=str))


def of_method(keys: pd.Series) -> pd.Series:
    """What of keys holds for all fills of a method."""
    return keys.astype(str).str.partition(_PROMPT)[0]


def _hash(value: object) -> str:
    return hashlib.sha256(repr(value).encode("utf-8", "surrogatepass")).hexdigest()[:8]
