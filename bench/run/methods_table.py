"""The table of methods: what their cards say, and what can be said of their networks."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict

import pandas as pd
import torch

from bench.folder.schema import METHODS
from methods.base import Inpainter
from methods.pretrained import Pretrained
from methods.verification import certificate

_FIELDS = (
    "title", "family", "summary", "paper", "url", "implementation", "licence", "stochastic",
    "limits", "verified",
)  # fmt: skip


def methods_table(chosen: Sequence[Inpainter], identities: Mapping[str, str]) -> pd.DataFrame:
    """One row per method: what its card says, and its identity by full name."""
    return METHODS.frame(
        {
            "method": method.name,
            **{name: getattr(method.card, name) for name in _FIELDS},
            "title": method.card.called,
            "timed": method.timed,
            "size": str(method.card.size),
            "certificate": certificate.in_words(method),
            "weights": method.weights_note,
            "files": _files(method),
            "parameters": parameters(method),
            "published": json.dumps([asdict(each) for each in method.card.published]),
            "training": getattr(method, "training", ""),
            "identity": identities[method.name],
            "status": "ok",
            "reason": "",
        }
        for method in chosen
    )


def parameters(method: Inpainter) -> float:
    """Number of parameters of a method's network, whether its weights are here or not.

    Returns:
        NaN if it has no network, or one that cannot be made without its weights.
    """
    if not isinstance(method, Pretrained):
        return float("nan")
    try:
        with torch.device("meta"):  # shapes alone: no memory, hardly any time
            network = method.build(method.config)
    except Exception:  # a plug-in's network may need real tensors; a run does not stop for that
        return float("nan")
    return float(sum(each.numel() for each in network.parameters()))


def _files(method: Inpainter) -> str:
    """Name, hash, licence and origin of each weight file, as JSON."""
    if not isinstance(method, Pretrained):
        return "[]"
    names = ("name", "sha256", "licence", "origin")
    return json.dumps([{n: getattr(each, n) for n in names} for each in method.checkpoints])
