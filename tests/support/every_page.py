"""A run with something for every page of a report, hostile names included."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

import methods
from bench.cli import main
from bench.folder.store import RunFolder
from bench.statistics import CASE
from bench.training import ledger
from tests.support import made_up_latency, run_builder
from tests.support.sample_run import HOSTILE_NAMES, write_run

_SMALL = Path(methods.__file__).parent / "small"


def write_report(folder: Path, names: Sequence[str] = ("astronaut.png", *HOSTILE_NAMES)) -> Path:
    """Write a run into ``folder / "run"`` and build its report; gives the report's folder.

    The verdict is against a baseline from before Telea got worse, so that something regressed.
    """
    run, baseline = folder / "run", folder / "baseline"
    write_run(run, names=names, side=64)
    store = RunFolder(run)
    store.write_table("samples.parquet", _samples(store))
    store.write_table("training.parquet", _training(store))
    made_up_latency.write(run)
    _with_fields(store)
    _with_further_pictures(store)
    with_tracebacks(store)
    write_run(baseline, names=names, side=64)
    made_up_latency.write(baseline)
    cases = store.read_table("cases.parquet")
    worse = (cases["method"] == "telea") & (cases["tier"] == "large")
    store.write_table(
        "cases.parquet", cases.assign(texture_structure=cases["texture_structure"] - 0.01 * worse)
    )
    assert main(["report", str(run), "--baseline", str(baseline)]) == 0
    return run / "report"


def kinds(report: Path) -> dict[str, Path]:
    """One page of each kind: all at the top, of tiers and cases the first, Telea's."""
    found = {path.stem: path for path in sorted(report.glob("*.html"))}
    found |= {of: sorted((report / of).glob("*.html"))[0] for of in ("cases", "tiers")}
    found["method"] = report / "methods" / "telea.html"
    return found


def _samples(store: RunFolder) -> pd.DataFrame:
    """Telea pretends to be stochastic: the spread of its own values stands for that of samples."""
    cases = store.read_table("cases.parquet").query("method == 'telea'")
    table = cases[["method", *CASE, "cluster"]].assign(samples=3, note="")
    of = ["psnr_db", "psnr_hole_db", "ssim", "ssim_hole", "l1", "l1_hole", "texture_structure"]
    for name in of:
        for place, over in enumerate(("mean", "best", "worst")):
            table[f"{name}_{over}"] = cases[name] * (1 - 0.01 * place)
    return table.assign(diversity_l1=cases["l1"], diversity_lpips_untrained=cases["l1"] / 10)


def _training(store: RunFolder) -> pd.DataFrame:
    """The ledger and the card of weights that come with the project, as if they were Telea's."""
    table = store.read_table("methods.parquet")
    card = (_SMALL / "pennet-small.json").read_text("utf-8")
    training = table["method"].map({"telea": card}).fillna("")
    store.write_table("methods.parquet", table.assign(training=training))
    return pd.DataFrame(
        {"method": "telea", "pictures": block.pictures, "stage": block.stage,
         "seconds": block.seconds, "flops": block.flops, "kind": kind, "quantity": name,
         "value": value}
        for block in ledger.read(_SMALL / "pennet-small.jsonl")
        for kind, figures in (("term", block.terms), ("held out", block.held_out))
        for name, value in figures.items()
    )  # fmt: skip


def _with_fields(store: RunFolder) -> None:
    """A field that falls off around a hole in the middle, and a method without one."""
    facts = {"side": 64, "photos": 3, "network_side": 64.0, "hole_top": 24.0, "hole_bottom": 40.0,
             "hole_left": 24.0, "hole_right": 40.0}  # fmt: skip
    measured = facts | {"method": "telea", "identity": "sample:telea", "status": "ok", "reason": "",
                        "r50": 10.0, "r90": 20.0, "r99": 30.0, "known_share": 0.4}  # fmt: skip
    missing = facts | {"method": "ns", "identity": "sample:ns", "status": "declined",
                       "reason": "has no receptive field"}  # fmt: skip
    rows = run_builder.table("receptive", [measured, missing])
    store.write_table("receptive.parquet", rows)
    rows, columns = np.indices((64, 64)) - 31.5
    field = np.exp(-(rows**2 + columns**2) / 200).astype(np.float32)
    store.write_array("receptive/telea.npy", field)


def with_tracebacks(store: RunFolder) -> None:
    """Long lines and tags in the tracebacks of all that was not completed."""
    deep = "".join(
        f'  File "/home/<b>user</b>/{"long-" * 30}{n}.py", line {n}, in <lambda>\n    f(x)\n'
        for n in range(40)
    )
    text = (
        f"Traceback (most recent call last):\n{deep}ValueError: no idea </pre><script>x</script>\n"
    )
    cases = store.read_table("cases.parquet")
    kept = store.write_named("tracebacks/{}.txt", text.encode())
    cases["traceback"] = np.where(cases["status"] == "ok", "", kept)
    store.write_table("cases.parquet", cases)


def _with_further_pictures(store: RunFolder) -> None:
    """A flow picture and a count beside each fill of the shift-map."""
    cases = store.read_table("cases.parquet")
    rows = (cases["method"] == "shiftmap") & (cases["status"] == "ok")
    flow = np.zeros((64, 64, 3), np.uint8)
    flow[..., 0] = np.arange(64) * 4
    run_builder.write_picture(store.file("pictures/shiftmap/flow.png"), flow)
    cases["pictures"] = np.where(rows, json.dumps({"flow": "pictures/shiftmap/flow.png"}), "")
    cases["counts"] = np.where(rows, json.dumps({"passes": 7}), "")
    store.write_table("cases.parquet", cases)
