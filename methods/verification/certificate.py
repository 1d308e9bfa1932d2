"""Certificates: what a check against reference outputs found, kept beside the method's card."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from methods.base import Inpainter
from methods.sources import code_of
from methods.weights import digest

if TYPE_CHECKING:
    from methods.verification.case import GoldenFile
    from methods.verification.verify import Outcome

FOLDER = Path(__file__).parents[1] / "certificates"


def write(method: Inpainter, file: GoldenFile, outcomes: Sequence[Outcome]) -> Path:
    """Keep the result of a check of this code; returns the file written."""
    arrays = [each for outcome in outcomes for each in outcome.comparisons]
    facts = {
        "reference": file.reference,
        "file": file.path.name,
        "sha256": digest(file.path),
        "cases": len(outcomes),
        "rebuilt": sum(not outcome.reason for outcome in outcomes),
        "arrays": len(arrays),
        "within_tolerance": sum(each.passed for each in arrays),
        "largest_share_of_tolerance": round(max((each.share for each in arrays), default=0), 3),
        "code": _code(method),
        "torch": torch.__version__,
    }
    path = FOLDER / f"{method.card.name}.json"
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(facts, indent=1) + "\n", "utf-8")
    return path


def read(name: str) -> Mapping[str, Any]:
    """The certificate of a method, empty if there is none."""
    path = FOLDER / f"{name}.json"
    facts: dict[str, Any] = json.loads(path.read_text("utf-8")) if path.exists() else {}
    return facts


def in_words(method: Inpainter) -> str:
    """Say what is certified, and whether it was for the code of today; empty without one."""
    facts = read(method.card.name)
    if not facts:
        return ""
    state = (
        "this very code"
        if facts["code"] == _code(method)
        else "other code than today's; check again with inpaint-bench verify"
    )
    return (
        f"{facts['within_tolerance']} of {facts['arrays']} stored activations and outputs of "
        f"{facts['rebuilt']} of {facts['cases']} cases met ({facts['file']}, SHA-256 "
        f"{facts['sha256'][:8]}), the worst at {facts['largest_share_of_tolerance']:.0%} of its "
        f"tolerance; torch {facts['torch']}; {state}"
    )


def _code(method: Inpainter) -> str:
    """Hash of the code that was checked: the network and its layers, not the base classes."""
    return code_of(type(method), within=("methods.networks", "methods.layers"))[0]
