"""The cases of a run as methods are told of them before it starts."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from bench.folder.store import records
from methods.case_key import CaseKey


def case_keys(
    plan: pd.DataFrame,
    inputs: pd.DataFrame,
    protocol: Mapping[str, Any],
    size_rule: str,
    samples: int,
) -> list[CaseKey]:
    """The fills of all cases that have a hole, in the order of the plan.

    Args:
        plan: The plan.
        inputs: What was read.
        protocol: The request for photos and holes, as ``run.json`` holds it.
        size_rule: How photos become evaluated photos.
        samples: Fills of each case.
    """
    photos = inputs.loc[inputs["kind"] == "photo", ["path", "height", "width"]]
    before = {path: size for path, *size in photos.itertuples(index=False, name=None)}
    keys = []
    for case in records(plan[plan["hole_share"] > 0]):
        height, width = before.get(case["photo"], (case["height"], case["width"]))
        size, rule = (case["height"], case["width"]), size_rule
        if size != (height, width):
            rule += f", photo {width}x{height} before"
        of_file = case["family"] == "file"
        mask = below(protocol.get("masks"), case["mask_source"]) if of_file else ""
        hole = (case["photo"], case["tier"], case["draw"])
        asked = CaseKey(*hole, 0, mask, size, rule, case["prompt"])
        keys += [asked._replace(sample=sample) for sample in range(samples)]
    return keys


def below(folder: str | None, path: str) -> str:
    """A path relative to a folder; its last part if it is not in there."""
    found = Path(path)
    if folder is not None and found.is_relative_to(folder) and found != Path(folder):
        return found.relative_to(folder).as_posix()
    return found.name
