"""Latency in the gate: ratios to the anchor, what does not vary, what vanished."""

import json
import math
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from bench.cli import main
from bench.errors import InputError
from bench.folder.latency_facts import AnchorPlace, AnchorTwice, LatencyFacts
from bench.folder.schema import LATENCY
from bench.folder.store import RunFolder
from bench.gate import baseline as baselines
from bench.gate.baseline_file import write
from bench.latency import compare
from bench.latency.compare import ROW, Timings, judge

ANCHOR = AnchorPlace("2.14", "one", "", 1)


def timings(anchor_times: float, *, half: float = 0.01, twice: float = 1.0, **facts) -> Timings:
    """One method at one size, that many times the anchor."""
    row = {
        "method": "telea", "side": 256, "tier": "region", "region": "infer", "device": "cpu",
        "status": "converged", "ratio": anchor_times,
        "ratio_low": anchor_times * math.exp(-half), "ratio_high": anchor_times * math.exp(half),
        "ratio_wall": anchor_times, "rounds": 60.0, "basis": "cpu",
        "ratio_wall_low": anchor_times * math.exp(-half),
        "ratio_wall_high": anchor_times * math.exp(half),
        "products": 1e9, "fourier": 0.0, "parameters": 1e6, "peak_bytes": 1e8, **facts,
    }  # fmt: skip
    test = AnchorTwice(256, "region", twice, twice / 1.01, twice * 1.01, 60)
    return Timings(pd.DataFrame([row], columns=ROW), ANCHOR, "dedicated", [test])


def verdict(before: Timings, now: Timings | None) -> tuple[str, str]:
    (row,) = judge(before, now).to_dict("records")
    return row["verdict"], row["reason"]


@pytest.mark.parametrize(
    ("now", "expected"),
    [(1.0, "same"), (1.02, "same"), (1.2, "slower"), (0.8, "faster"), (1.06, "cannot tell")],
)
def test_a_ratio_is_judged_by_its_interval_and_the_margin(now, expected):
    assert verdict(timings(1.0), timings(now))[0] == expected


def test_a_shared_machine_has_a_wider_margin():
    shared = replace(timings(1.1), kind="shared")
    assert verdict(timings(1.0), timings(1.1))[0] == "slower"
    assert verdict(timings(1.0), shared)[0] == "same"


def test_a_wide_interval_cannot_tell():
    said, reason = verdict(timings(1.0), timings(1.5, half=0.5))
    assert said == "cannot tell"
    assert "margin 5%" in reason


def test_another_anchor_cannot_tell_and_is_named():
    other = replace(timings(9.0), anchor=replace(ANCHOR, processor="another"))
    said, reason = verdict(timings(1.0), other)
    assert said == "cannot tell"
    assert "processor 'one' before, 'another' now" in reason


@pytest.mark.parametrize("noisy", ["before", "now"])
def test_an_anchor_that_disagrees_with_itself_turns_every_verdict_into_cannot_tell(noisy):
    sides = {name: timings(ratio) for name, ratio in (("before", 1.0), ("now", 9.0))}
    ratio = sides[noisy].rows["ratio"].iloc[0]
    sides[noisy] = timings(ratio, twice=1.2)
    said, reason = verdict(sides["before"], sides["now"])
    assert said == "cannot tell"
    assert "1.200 times itself" in reason


def waiting(times: float, **facts) -> Timings:
    """A method that takes so many times the anchor's wall time, and hardly any CPU time."""
    return timings(times, basis="wall", **facts)


def test_a_method_that_begins_to_wait_is_slower_by_wall_time():
    said, reason = verdict(timings(0.1), waiting(10.0))
    assert said == "slower"
    assert reason.startswith("by wall time, as it waits now or did before: 100.00 times")
    assert verdict(waiting(10.0), timings(0.1))[0] == "faster"
    assert verdict(waiting(10.0), waiting(20.0))[0] == "slower"
    assert verdict(timings(10.0), waiting(10.1))[0] == "same"
    unknown = timings(0.1, ratio_wall_low=math.nan, ratio_wall_high=math.nan)
    assert verdict(unknown, waiting(10.0))[0] == "cannot tell"
    assert judge(timings(1.0), waiting(1.0))["basis"].tolist() == ["wall"]


def test_more_cpu_time_without_more_wall_time_cannot_tell():
    said, reason = verdict(timings(1.0), timings(1.5, ratio_wall=0.99))
    assert (said, reason) == ("cannot tell", "more CPU time, but no more wall time")


@pytest.mark.parametrize("cpu", [1.0, 0.5])
def test_more_wall_time_without_more_cpu_time_cannot_tell(cpu):
    ends = {"ratio_wall": 1.6, "ratio_wall_low": 1.5, "ratio_wall_high": 1.7}
    said, reason = verdict(timings(1.0), timings(cpu, **ends))
    assert said == "cannot tell"
    assert reason.startswith("no more CPU time, but by wall time 1.60 times the time before")
    assert verdict(timings(1.0), timings(1.0, **ends | {"ratio_wall_low": 0.5}))[0] == "same"


@pytest.mark.parametrize("name", ["products", "fourier", "parameters"])
def test_operations_and_parameters_may_not_grow_at_all(name):
    before = timings(1.0)
    value = before.rows[name].iloc[0]
    assert verdict(before, timings(1.0, **{name: value + 1}))[0] == "slower"
    assert verdict(before, timings(1.0, **{name: value}))[0] == "same"
    # Nor on another machine, where times cannot be told.
    other = replace(timings(1.0, **{name: value + 1}), anchor=replace(ANCHOR, processor="another"))
    assert verdict(before, other)[0] == "slower"


def test_peak_memory_counts_on_a_cuda_device_only():
    for device, expected in (("cuda", "slower"), ("cpu", "same")):
        before = timings(1.0, device=device)
        assert verdict(before, timings(1.0, device=device, peak_bytes=1.02e8))[0] == expected
        assert verdict(before, timings(1.0, device=device, peak_bytes=1.005e8))[0] == "same"


@pytest.mark.parametrize(
    "now",
    [None, timings(1.0, method="mean"), timings(1.0, rounds=0.0, status="oom")],
    ids=["no latency", "method gone", "out of memory"],
)
def test_what_vanished_is_not_passed(now):
    assert verdict(timings(1.0), now)[0] == "not measured"


def test_what_was_not_timed_before_is_not_asked_for():
    assert judge(timings(math.nan, rounds=0.0), None).empty


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("gated") / "run"
    command = ["run", "--out", str(folder), "--limit", "6", "--methods", "mean", "--metrics",
               "psnr_db", "--no-report", "--executor", "inline"]  # fmt: skip
    assert main(command) == 0
    return folder


def give(folder, **values) -> None:
    """Put a measurement of `mean` into a run folder."""
    made = timings(1.0, method="mean", **values)
    RunFolder(folder).write_table(compare.TABLE, LATENCY.typed(made.rows))
    facts = LatencyFacts(anchor_identity=made.anchor, kind=made.kind, self_tests=made.self_tests)
    facts.write(RunFolder(folder))


def outcome(file, run, capsys) -> tuple[int, str]:
    status = main(["gate", str(file), str(run)])
    return status, capsys.readouterr().out


def test_the_gate_fails_for_a_method_that_became_slower(run, tmp_path, capsys):
    give(run)
    file = tmp_path / "baseline.json"
    write(file, baselines.read_run(run))
    assert outcome(file, run, capsys)[0] == 0
    give(run, ratio=1.3, ratio_low=1.28, ratio_high=1.32, ratio_wall=1.3)
    status, said = outcome(file, run, capsys)
    assert status == 1
    assert "mean region latency, infer at 256 px: 1.30 times the time before" in said
    judged = json.loads((run / "verdict.json").read_text())
    (row,) = judged["latency"]
    assert row["verdict"] == "slower"
    (run / compare.TABLE).unlink()
    status, said = outcome(file, run, capsys)
    assert status == 4
    assert "not timed in this run" in said


def test_what_cannot_be_told_warns_and_passes(run, tmp_path, capsys):
    give(run)
    file = tmp_path / "baseline.json"
    write(file, baselines.read_run(run))
    give(run, ratio=1.3, ratio_low=0.9, ratio_high=1.9, ratio_wall=1.3)
    status, said = outcome(file, run, capsys)
    assert status == 0
    assert "latency: 1 timings of mean cannot be told" in said


def test_a_baseline_file_keeps_what_is_compared(run, tmp_path):
    give(run, products=np.nan)
    file = tmp_path / "baseline.json"
    written = baselines.read_run(run)
    write(file, written)
    found = baselines.read(file)
    assert written.latency is not None
    assert found.latency is not None
    pd.testing.assert_frame_equal(found.latency.rows, written.latency.rows, rtol=1e-5)
    assert found.latency.anchor == written.latency.anchor
    assert found.latency.twice(256, "region").n == 60


def test_a_damaged_measurement_is_named(run):
    give(run)
    pd.DataFrame({"method": ["mean"]}).to_parquet(run / compare.TABLE)
    with pytest.raises(InputError, match="measure again with inpaint-bench latency"):
        baselines.read_run(run)
