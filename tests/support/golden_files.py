"""Reference outputs kept with the tests, and files made up on the spot."""

import importlib
import json
from pathlib import Path

import numpy as np

from methods.verification.case import read
from methods.verification.verify import Outcome, verify

FOLDER = Path(__file__).parents[1] / "goldens"


def outcome(network: str, file: str, case: str) -> Outcome:
    golden = read(FOLDER / file)
    golden.cases[:] = [each for each in golden.cases if each.name == case]
    (found,) = verify(importlib.import_module(f"methods.verification.networks.{network}"), golden)
    return found


def write(path: Path, cases: dict, **arrays: np.ndarray) -> Path:
    meta = {"format": 1, "method": "made up", "reference": "the test", "cases": cases}
    np.savez(path, meta=json.dumps(meta), **arrays)
    return path


def edited(source: str, target: Path, cases: set[str], edit=lambda meta, arrays: None) -> Path:
    """Copy some cases of a file, with changes."""
    with np.load(FOLDER / source) as stored:
        arrays = dict(stored)
    meta = json.loads(str(arrays.pop("meta")))
    meta["cases"] = {name: case for name, case in meta["cases"].items() if name in cases}
    kept = {key: arrays[key].copy() for case in meta["cases"].values() for key in case["arrays"]}
    edit(meta, kept)
    np.savez(target, meta=json.dumps(meta), **kept)
    return target
