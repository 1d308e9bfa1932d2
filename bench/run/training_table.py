"""How the networks of a run were trained, where this project did it: curves for the report."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from bench.folder.schema import TRAINING
from bench.training import ledger
from methods.base import Inpainter
from methods.pretrained import Pretrained


def table(chosen: Sequence[Inpainter]) -> pd.DataFrame:
    """One row per method, block of the training and figure: loss terms and held-out figures."""
    rows = [
        {"method": method.name, "kind": kind, "quantity": name, "value": value}
        | {each: getattr(block, each) for each in ("pictures", "stage", "seconds", "flops")}
        for method in chosen
        if isinstance(method, Pretrained) and method.ledger is not None
        for block in ledger.read(method.ledger)
        for kind, figures in (("term", block.terms), ("held out", block.held_out))
        for name, value in figures.items()
    ]
    return TRAINING.frame(rows)
