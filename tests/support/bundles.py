"""Bundles for tests: of a small real run, changed as a test wants, with a true checksum."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pandas as pd

from bench.bundle.bundle import Bundle, read, write
from bench.bundle.of_run import means_of
from bench.cli import main
from bench.folder.json_file import CHECKSUM, checksum

METRICS = "psnr_db,psnr_hole_db,l1,l1_hole,seam,swd"


def small_run(folder: Path) -> Path:
    """Run two methods on two bundled photos."""
    asked = ["--methods", "telea,mean", "--limit", "2", "--tiers", "small,large"]
    asked += ["--metrics", METRICS, "--executor", "inline", "--offline", "--no-report"]
    assert main(["run", "--out", str(folder), *asked]) == 0
    return folder


def changed(path: Path, out: Path, change) -> Path:
    """A bundle whose JSON was changed by a program that also knows how to hash it."""
    value = json.loads(path.read_text("utf-8"))
    del value[CHECKSUM]
    change(value)
    out.write_text(json.dumps(value | {CHECKSUM: checksum(value)}), "utf-8")
    return out


def elsewhere(path: Path, out: Path, processor: str) -> Bundle:
    """The same bundle as if another machine had made it."""
    bundle = read(path)
    made = replace(bundle, machine=replace(bundle.machine, processor=processor))
    write(made, out)
    return made


def recomputed(bundle: Bundle) -> Bundle:
    """A bundle whose means are those of its values."""
    tiers = list(dict.fromkeys(case.tier for case in bundle.cases))
    methods = []
    for method in bundle.methods:
        table = pd.DataFrame(dict(method.fills.values)).assign(
            status=method.fills.status,
            tier=[bundle.cases[place].tier for place in method.fills.case],
            cluster=[bundle.cases[place].cluster for place in method.fills.case],
        )
        for metric, places in method.fills.infinite.items():
            table.loc[list(places), metric] = float("inf")
        means = list(means_of(table, list(method.fills.values), tiers))
        methods.append(replace(method, means=means))
    return replace(bundle, methods=methods)
