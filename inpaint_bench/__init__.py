"""Compare image-inpainting methods honestly, from Python: pictures in, arrays and tables out.

    >>> import inpaint_bench as ib
    >>> ib.methods().loc["telea", "family"]
    'diffusion-based'

Everything that a user needs is here, and all of it does what the commands of ``inpaint-bench`` do.
Scripts need no main guard, and notebooks work. Importing this loads no other library; the
functions load what they need.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from bench.errors import BenchError, ContractError, Declined, InputError, WeightsMissing
from inpaint_bench._fills import fill, fill_details, load, measure
from inpaint_bench._listing import methods, metrics
from inpaint_bench._runs import compare, read_run, run

if TYPE_CHECKING:
    from methods.base import Fill, Inpainter, PictureInpainter
    from methods.card import Card, SizeRule
    from methods.harness import Filled

__all__ = [
    "BenchError",
    "Card",
    "ContractError",
    "Declined",
    "Fill",
    "Filled",
    "Inpainter",
    "InputError",
    "PictureInpainter",
    "SizeRule",
    "WeightsMissing",
    "compare",
    "fill",
    "fill_details",
    "load",
    "measure",
    "methods",
    "metrics",
    "read_run",
    "run",
]

# What one's own methods and annotations are made of; most of it takes torch.
_LATER = {
    "Card": "methods.card",
    "Fill": "methods.base",
    "Filled": "methods.harness",
    "Inpainter": "methods.base",
    "PictureInpainter": "methods.base",
    "SizeRule": "methods.card",
}


def __getattr__(name: str) -> Any:
    if name in _LATER:
        return getattr(importlib.import_module(_LATER[name]), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return __all__
