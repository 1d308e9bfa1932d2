"""How the networks of a run were trained, where this project did it: curves for the report."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.training import ledger
from methods.base import Inpainter
from methods.pretrained import Pretrained

COLUMNS = ["method", "pictures", "stage", "seconds", "flops", "kind", "quantity", "value"]


def table(chosen: Sequence[Inpainter]) -> pd.DataFrame:
    """One row per method, block of the training and figure: loss terms and held-out figures."""
    rows = [
        (method.name, block.pictures, block.stage, block.seconds, block.flops, kind, name, value)
        for method in chosen
        if isinstance(method, Pretrained) and method.ledger is not None
        for block in ledger.read(method.ledger)
        for kind, figures in (("term", block.terms), ("held out", block.held_out))
        for name, value in figures.items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)
