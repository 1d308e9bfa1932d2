import json
import math
import shutil
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bench.errors import InputError
from bench.folder.json_file import NewerFormat
from bench.folder.store import KEYS
from bench.gate import baseline, baseline_file, formats, judge
from bench.gate.tolerances import TOLERANCES, decimals
from bench.metrics import METRICS as ALL_METRICS
from bench.metrics.networks import PUBLISHED, parts
from bench.metrics.protocol_table import PROTOCOLS
from tests.support import commands
from tests.support.gate_results import METRICS, cases, change, results

CASE = "method == 'a' and photo == 'p2' and tier == 'large'"


def saved(path, table, **facts):
    run = results(table, **facts)
    baseline_file.write(path, run)
    return run, baseline.read(path)


def test_a_file_gives_back_what_was_written_up_to_its_precision(tmp_path):
    table = change(cases("b", "a"), CASE, psnr_db=np.inf, l1_hole=np.nan)
    table = change(table, "method == 'b' and photo == 'p1'", status="declined", l1_hole=np.nan,
                   psnr_db=np.nan, psnr_hole_db=np.nan)  # fmt: skip
    table["psnr_db"] += 1 / 3
    run, found = saved(tmp_path / "b.json", table, stochastic=("b",))
    assert (found.fingerprint, found.packages) == (run.fingerprint, run.packages)
    assert found.metrics.equals(run.metrics[list(found.metrics)])
    assert dict(zip(found.methods["method"], found.methods["stochastic"], strict=True)) == {
        "a": False, "b": True, "original": False,
    }  # fmt: skip
    old, new = (r.cases.set_index(KEYS).sort_index() for r in (run, found))
    assert new["status"].tolist() == old["status"].tolist()
    for name in METRICS:
        np.testing.assert_allclose(new[name], old[name], atol=TOLERANCES[name] / 100, rtol=0)


def test_rounding_costs_less_than_a_hundredth_of_a_tolerance():
    assert all(10.0 ** -decimals(each) / 2 <= each / 100 for each in [*TOLERANCES.values(), 3.0])


def test_a_file_can_be_reviewed_as_a_diff(tmp_path):
    table = cases("a", "b")
    saved(tmp_path / "one", table)
    saved(tmp_path / "same", table.sample(frac=1, random_state=0))
    saved(tmp_path / "two", change(table, CASE, psnr_db=20.0))
    one, same, two = ((tmp_path / n).read_text().splitlines() for n in ("one", "same", "two"))
    assert one == same
    assert [(a.split(":")[0].strip(), b) for a, b in zip(one, two, strict=True) if a != b] == [
        ('"p2|large|0|0"', '    "p2|large|0|0": [20.0, 0.07],')
    ]
    assert all(len(line) < 200 for line in one)
    assert json.loads("\n".join(one), parse_constant=pytest.fail)["format"] == baseline.FORMAT == 2


def test_names_of_photos_may_hold_what_separates_the_keys(tmp_path):
    table = change(cases("a"), CASE, photo='x|y|"\n\u202e')
    _, found = saved(tmp_path / "b.json", table)
    assert set(found.cases["photo"]) == set(table["photo"])


@pytest.mark.parametrize("status", ["failed", "timeout", "killed", "oom", "unavailable"])
def test_what_was_not_measured_makes_no_baseline(status, tmp_path):
    table = change(cases("a"), CASE, status=status, reason="why")
    with pytest.raises(InputError, match=rf"a p2\|large\|0\|0: {status}, why"):
        saved(tmp_path / "b.json", table)
    with pytest.raises(InputError, match="complete run"):
        saved(tmp_path / "b.json", cases("a"), unfinished="its state is running")
    assert not (tmp_path / "b.json").exists()


@pytest.mark.parametrize(
    "text",
    ["", "[]", "{}", '{"format": 1}', '{"format": "x"}', '{"format": 1, "metrics": [], '
     '"methods": {"a": {"stochastic": false, "identity": "", "cases": {"x": [1]}}}, '
     '"made_from": {"finished": "", "cases": ""}, "fingerprint": "", "packages": {}}'],
)  # fmt: skip
def test_a_damaged_file_is_refused_with_its_name(text, tmp_path):
    path = tmp_path / "b.json"
    path.write_text(text)
    with pytest.raises(InputError, match=r"b\.json"):
        baseline.read(path)


def test_a_missing_file_is_refused(tmp_path):
    with pytest.raises(InputError, match="baseline update"):
        baseline.read(tmp_path / "none.json")


def test_a_newer_format_is_told_apart(tmp_path):
    (tmp_path / "b.json").write_text('{"format": 99}')
    (tmp_path / "run.json").write_text('{"format": 99}')
    for path in (tmp_path / "b.json", tmp_path):
        with pytest.raises(NewerFormat, match="99 is newer"):
            baseline.read(path)


def test_an_update_tells_what_it_changes(tmp_path):
    file = tmp_path / "sub" / "b.json"
    assert baseline_file.update_baseline(file, results(cases("a", "b"))) is None
    assert formats.as_update(None) == "there was no baseline before"
    again = baseline_file.update_baseline(file, results(cases("a", "b")))
    assert formats.as_update(again) == "no value moved by more than its tolerance"
    new = change(cases("a", "c"), CASE, psnr_db=20.0, l1_hole=0.02)
    text = formats.as_update(
        baseline_file.update_baseline(file, results(new, packages={"numpy": "3.0"}))
    )
    for line in (
        "method removed: b",
        "method c (new)",
        "package numpy: 2.0 before, 3.0 now",
        "1 value of 1 case worse, the largest moves:",
        "  a p2|large|0|0 psnr_db: 22 -> 20, 40 times the tolerance",
        "1 value of 1 case better, the largest moves:",
    ):
        assert line in text.splitlines(), text
    assert set(baseline.read(file).methods["method"]) == {"a", "c", "original"}


def test_an_imperfect_ceiling_makes_no_baseline(tmp_path):
    ceiling = "method == 'original'"
    table = change(cases("a", "original"), ceiling, psnr_db=math.inf, l1_hole=0.0)
    baseline_file.update_baseline(tmp_path / "b.json", results(table))
    broken = change(table, f"{ceiling} and photo == 'p3'", l1_hole=0.01)
    with pytest.raises(InputError, match="expected the ceiling to be perfect, found l1_hole"):
        baseline_file.update_baseline(tmp_path / "b.json", results(broken))
    run = results(cases("a"))
    none = replace(run, cases=cases("a"))
    with pytest.raises(InputError, match="found the run has no ceiling for tier"):
        baseline_file.update_baseline(tmp_path / "b.json", none)


def test_an_update_names_a_dropped_metric_even_where_the_protocol_differs(tmp_path):
    file = tmp_path / "b.json"
    baseline_file.update_baseline(file, results(cases("a")))
    other = results(cases("a").drop(columns="l1_hole"), fingerprint="photos:zz/1")
    text = formats.as_update(baseline_file.update_baseline(file, other))
    assert "no longer there: l1_hole: the run has no such metric" in text.splitlines()


def test_a_run_folder_is_read_as_the_file_made_of_it(photos, tmp_path):
    options = ["--methods", "telea,noise", "--tiers", "small", "--executor", "inline"]
    done = commands.run(tmp_path / "run", photos, *options, "--limit", "2")
    assert done.returncode == 0, done.stderr
    run = baseline.read(tmp_path / "run")
    assert run.unfinished == ""
    assert run.metrics["metric"].tolist() == ["psnr_db", "ssim_hole", "drift"]
    by_name = run.metrics.set_index("metric")["signature"]
    assert by_name["psnr_db"] == ALL_METRICS["psnr_db"].signature + "|higher|dB"
    assert (len(run.cases_hash), run.finished[:2]) == (16, "20")
    assert run.not_bundled == "its photos are own photos"
    assert run.cases.groupby("method").size().to_dict() == {"noise": 2, "original": 2, "telea": 2}
    baseline_file.write(tmp_path / "b.json", run)
    file = baseline.read(tmp_path / "b.json")
    assert file.metrics["signature"].tolist() == run.metrics["signature"].tolist()
    old, new = (r.cases.set_index(KEYS).sort_index() for r in (run, file))
    np.testing.assert_allclose(new["psnr_db"], old["psnr_db"], atol=1e-4)
    assert (file.finished, file.cases_hash) == (run.finished, run.cases_hash)
    damage_each_part(tmp_path / "run")
    (tmp_path / "run" / "cases.parquet").unlink()
    with pytest.raises(InputError, match=r"cases\.parquet, found none; if the run"):
        baseline.read(tmp_path / "run")
    shutil.rmtree(tmp_path / "run")
    with pytest.raises(InputError, match="run"):
        baseline.read(tmp_path / "run")


def damage_each_part(folder):
    header = json.loads((folder / "run.json").read_text("utf-8"))
    del header["checksum"]
    for key in ("state", "fingerprint", "environment", "format"):
        less = {name: value for name, value in header.items() if name != key}
        refuse_with(folder / "run.json", json.dumps(less), key)
    refuse_with(folder / "run.json", json.dumps(header | {"environment": {}}), "packages")
    refuse_with(folder / "run.json", json.dumps(header | {"environment": None}), "JSON object")
    tables = {
        "cases": ["psnr_db", "photo", "sample", "status", "cluster"],
        "methods": ["identity", "stochastic", "method"],
        "metrics": ["metric", "scope", "direction", "version"],
    }
    for name, columns in tables.items():
        table = pd.read_parquet(folder / f"{name}.parquet")
        for column in columns:
            less = table.drop(columns=column).to_parquet()
            refuse_with(folder / f"{name}.parquet", less, column)
    twice = pd.read_parquet(folder / "cases.parquet")
    twice = pd.concat([twice, twice[:1]]).to_parquet()
    refuse_with(folder / "cases.parquet", twice, "there twice")


def refuse_with(path, content, said):
    kept = path.read_bytes()
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InputError, match=said):
        baseline.read(path.parent)
    path.write_bytes(kept)


def test_a_file_without_one_of_its_keys_is_refused(tmp_path):
    path = tmp_path / "b.json"
    saved(path, cases("a"))
    whole = json.loads(path.read_text("utf-8"))
    for key in whole:
        path.write_text(json.dumps({name: whole[name] for name in whole if name != key}))
        with pytest.raises(InputError, match=rf"b\.json: expected .* found no {key}"):
            baseline.read(path)


def test_both_sides_of_a_merge_conflict_are_refused(tmp_path):
    path = tmp_path / "b.json"
    saved(path, cases("a"))
    lines = path.read_text("utf-8").splitlines()
    place = next(i for i, line in enumerate(lines) if '"p2|large|0|0"' in line)
    path.write_text("\n".join([*lines[:place], lines[place], *lines[place:]]))
    with pytest.raises(InputError, match="there twice, as after a merge"):
        baseline.read(path)


def test_a_file_that_cannot_be_written_is_refused_and_the_old_one_kept(tmp_path):
    folder = tmp_path / "folder"
    folder.mkdir()
    with pytest.raises(InputError, match=r"cannot write .*folder"):
        baseline_file.write(folder, results(cases("a")))
    with pytest.raises(InputError, match="cannot write /proc"):
        baseline_file.write(Path("/proc/none/x.json"), results(cases("a")))
    assert [path.name for path in tmp_path.iterdir()] == ["folder"]


def test_the_baseline_in_the_repository_holds_the_quick_job_of_the_bundled_set():
    found = baseline.read(Path(baseline.__file__).parents[1] / "baseline.json")
    assert " size:short-256-centre " in found.fingerprint
    expected = dict.fromkeys(
        ["biharmonic", "mean", "navier_stokes", "noise", "original", "patchmatch", "telea"], 144
    )
    assert found.cases.groupby("method").size().to_dict() == expected
    # What wants weights, an unknown truth, or to be asked for.
    elsewhere = {"seam_visible", "swd_hole", "cw_ssim_hole", "self_consistency_untrained"}
    elsewhere |= {metric.name for metric in PROTOCOLS}
    elsewhere |= {name for name in TOLERANCES if {*parts(ALL_METRICS[name].network)} & {*PUBLISHED}}
    assert set(found.metrics["metric"]) == set(TOLERANCES) - elsewhere
    # A metric that was redefined needs a new baseline, or every gate says "not comparable".
    for name, signature in zip(found.metrics["metric"], found.metrics["signature"], strict=True):
        metric = ALL_METRICS[name]
        assert signature == f"{metric.signature}|{metric.direction}|{metric.unit}"
    assert judge.judge(found, found_as_run(found)).outcome == "same or better"


def found_as_run(found):
    return results(found.cases.assign(cluster=found.cases["photo"]), fingerprint=found.fingerprint,
                   metrics=found.metrics, methods=found.methods)  # fmt: skip
