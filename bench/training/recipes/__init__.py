"""What each paper adds to the training of its network."""

from __future__ import annotations

import importlib

from bench.errors import BenchError
from bench.training.recipe import Recipe

_TABLE = {
    "context_encoder_any": "context_encoder_any:ContextEncoderAny",
    "pennet": "pennet:PENNet",
    "deepfill": "deepfill:DeepFill",
    "hifill": "hifill:HiFill",
    "lama": "lama:LaMa",
    "relama": "lama:LaMa",
    "ict": "ict:ICT",
    "pluralistic": "pluralistic:Pluralistic",
}


def recipe_for(method: str) -> type[Recipe]:
    """The recipe of a method.

    Raises:
        BenchError: If there is none.
    """
    if method not in _TABLE:
        raise BenchError(
            f"{method}: there is no training recipe for it; there is one for {', '.join(_TABLE)}"
        )
    module, _, name = _TABLE[method].partition(":")
    kind: type[Recipe] = getattr(importlib.import_module(f"{__name__}.{module}"), name)
    return kind
