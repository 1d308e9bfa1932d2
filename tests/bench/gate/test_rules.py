"""The rule and the tolerances that a baseline file states, and what is comparable."""

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from bench.cli import main
from bench.errors import BenchError, InputError
from bench.gate import baseline, baseline_file, formats
from bench.gate.judge import judge
from bench.gate.machine import Machine, numbers
from bench.gate.rules import Rules
from bench.gate.tolerances import TOLERANCES
from tests.support.gate_results import cases, change, results

P2 = "method == 'a' and photo == 'p2' and tier == 'large'"
PSNR, L1 = TOLERANCES["psnr_db"], TOLERANCES["l1_hole"]
LED_BY_L1 = Rules(lead="l1_hole", rules={"a": "mean"})


def by_mean(old, new, rules=LED_BY_L1):
    return judge(replace(results(old), rules=rules), results(new))


def moved(photos=40, *, psnr=0.0, l1=0.0, spread=0.5, seed=0):
    """Every case of PSNR and L1 worse by so many tolerances in the mean, with a spread."""
    old = cases("a", photos=photos)
    noise = np.random.default_rng(seed).normal(0, spread, (2, len(old)))
    noise -= noise.mean(axis=1, keepdims=True)
    return old, old.assign(
        psnr_db=old["psnr_db"] - PSNR * (psnr + noise[0]),
        l1_hole=old["l1_hole"] + L1 * (l1 + noise[1]),
    )


def test_one_bad_case_among_many_better_ones_fails_by_cases_and_passes_by_mean():
    old, new = moved(psnr=-20, l1=-20)
    new = change(new, P2, l1_hole=0.5)
    assert judge(results(old), results(new)).outcome == "regressed"
    verdict = by_mean(old, new)
    assert verdict.outcome == "same or better"
    assert set(verdict.checks.query("method == 'a'")["outcome"]) <= {"better", "same"}


@pytest.mark.parametrize(
    ("psnr", "l1", "outcome", "kinds"),
    [
        (0, 0, "same or better", set()),
        (3, 3, "regressed", {"regressed"}),
        (0, 3, "regressed", {"regressed"}),
        (3, 0, "regressed", {"regressed"}),  # nothing outweighs it
        (3, -3, "same or better", {"trade-off", "better"}),
        (-3, 3, "regressed", {"regressed", "better"}),  # the lead outweighs, not the other
        (0.5, 0.5, "same or better", set()),  # within the margin
    ],
)
def test_the_mean_is_judged_as_a_whole_led_by_one_metric(psnr, l1, outcome, kinds):
    verdict = by_mean(*moved(psnr=psnr, l1=l1))
    assert (verdict.outcome, set(verdict.findings["kind"])) == (outcome, kinds)
    if "trade-off" in kinds:
        assert "worse, outweighed by the leading metric" in formats.sentence(verdict)
        for form in (formats.as_text, formats.as_markdown):
            assert "psnr_db" in form(verdict).replace("\\", "")


def test_without_a_lead_every_loss_counts():
    old, new = moved(psnr=3, l1=-3)
    assert by_mean(old, new, Rules(rules={"a": "mean"})).outcome == "regressed"


def test_a_small_loss_is_found_with_enough_photos():
    found = []
    for photos in (6, 200):
        old, new = moved(photos=photos, l1=2, spread=4.0)
        found.append(by_mean(old, new).outcome)
    assert found == ["same or better", "regressed"]


def test_the_intervals_of_a_verdict_hold_together():
    """Where nothing changed but the draws, at most 5 % of verdicts are regressions."""
    rng = np.random.default_rng(1)
    old = cases("a", photos=20)
    rules = replace(LED_BY_L1, tolerances={"psnr_db": 1e-6, "l1_hole": 1e-9})
    wrong = 0
    for _ in range(60):
        draws = rng.normal(size=(2, len(old)))
        new = old.assign(psnr_db=old["psnr_db"] + draws[0], l1_hole=old["l1_hole"] + draws[1])
        wrong += by_mean(old, new, rules).outcome == "regressed"
    # Half of 5 % are on this side: 1.5 expected, standard deviation 1.2.
    assert wrong <= 6


# -- the file ---------------------------------------------------------------------------------


def edited(path: Path, **changes) -> None:
    value = json.loads(path.read_text("utf-8"))
    for key, change_of in changes.items():
        value[key] = value[key] | change_of if isinstance(change_of, dict) else change_of
    path.write_text(json.dumps(value), "utf-8")


def test_an_update_keeps_what_the_file_says(tmp_path):
    path = tmp_path / "b.json"
    run = replace(results(cases("a", "b"), stochastic=("b",)), lead="psnr_db")
    baseline_file.update_baseline(path, run)
    said = baseline.read(path).rules
    assert said.rules == {"a": "cases", "b": "mean"}
    assert said.tolerances == {"psnr_db": PSNR, "l1_hole": L1}
    assert said.lead == "psnr_db"
    edited(path, rules={"a": "mean"}, tolerances={"psnr_db": 7.0, "mine": 0.1}, lead="l1_hole")
    baseline_file.update_baseline(path, run)
    kept = baseline.read(path).rules
    assert kept.rules == {"a": "mean", "b": "mean"}
    assert kept.tolerances == {"psnr_db": 7.0, "l1_hole": L1, "mine": 0.1}
    assert kept.lead == "l1_hole"
    baseline_file.update_baseline(path, run, ["cases", "b=mean"])
    assert baseline.read(path).rules.rules == {"a": "cases", "b": "mean"}
    for wrong in ("a=median", "c=mean", "median"):
        with pytest.raises(BenchError, match=f"--rule {wrong}"):
            baseline_file.update_baseline(path, run, [wrong])


def test_the_tolerance_of_the_file_decides(tmp_path):
    path = tmp_path / "b.json"
    baseline_file.write(path, results(cases("a")))
    worse = results(change(cases("a"), P2, psnr_db=21.0))
    assert judge(baseline.read(path), worse).outcome == "regressed"
    edited(path, tolerances={"psnr_db": 2.0})
    verdict = judge(baseline.read(path), worse)
    assert verdict.outcome == "same or better"
    assert verdict.metrics.set_index("metric")["tolerance"].to_dict() == {
        "psnr_db": 2.0, "l1_hole": L1,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"rules": {"a": "median"}}, "expected cases or mean, found 'median'"),
        ({"rules": "mean"}, "rules"),
        ({"tolerances": {"psnr_db": 0}}, "tolerances: psnr_db: expected a number above 0"),
        ({"tolerances": {"psnr_db": "small"}}, "tolerances"),
        ({"lead": 3}, "lead"),
    ],
)
def test_a_rule_or_tolerance_that_is_none_is_refused(changes, said, tmp_path):
    path = tmp_path / "b.json"
    baseline_file.write(path, results(cases("a")))
    edited(path, **changes)
    with pytest.raises(InputError, match=said):
        baseline.read(path)


def test_a_file_of_the_format_before_is_read_and_judged_as_it_was(tmp_path):
    path = tmp_path / "b.json"
    run = results(cases("a", "b"), stochastic=("b",))
    baseline_file.write(path, run)
    value = json.loads(path.read_text("utf-8")) | {"format": 1}
    for key in ("lead", "rules", "tolerances", "machine"):
        del value[key]
    for method in value["methods"].values():
        del method["fills"]
    path.write_text(json.dumps(value), "utf-8")
    verdict = judge(baseline.read(path), replace(run, machine=Machine(device="cuda")))
    assert verdict.outcome == "same or better"
    rules = dict(zip(verdict.methods["method"], verdict.methods["rule"], strict=True))
    assert rules == {"a": "cases", "b": "mean", "original": "cases"}


FORMS = [
    formats.as_text,
    formats.as_markdown,
    formats.as_junit,
    lambda verdict: json.dumps(formats.as_json(verdict)),
]


@pytest.mark.parametrize("form", FORMS)
def test_the_rule_is_said_in_every_form(form):
    old = cases("a", "b")
    rules = Rules(lead="l1_hole", rules={"a": "mean"})
    text = form(judge(replace(results(old), rules=rules), results(old)))
    assert "case by case: b; by the mean over photos led by l1" in text.replace("\\", "")


def test_nothing_is_written_outside_of_this_project_unless_said_where(
    tmp_path, monkeypatch, capsys
):
    monkeypatch.chdir(tmp_path)
    for pyproject in (None, "[project]\nname = 'mine'\n", "broken ["):
        if pyproject is not None:
            Path("pyproject.toml").write_text(pyproject)
        assert main(["baseline", "update", "runs/mine"]) == 2
        assert "say with --file where the baseline is to be kept" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["pyproject.toml"]


# -- devices, number formats, machines --------------------------------------------------------


def on(device, table, **more):
    return replace(results(table), machine=Machine(device, "one", "none", "1"), **more)


def test_another_device_is_not_comparable_and_says_what_to_do():
    worse = change(cases("a"), P2, psnr_db=1.0)
    verdict = judge(on("cpu", cases("a")), on("cuda", worse))
    assert verdict.outcome == "not comparable"
    assert verdict.protocol.to_numpy().tolist() == [["device", "cpu", "cuda"]]
    assert "--file FILE" in verdict.notes[0]
    assert "device: cpu in the baseline, cuda in the run" in formats.sentence(verdict)
    unknown = replace(results(cases("a")), machine=Machine())
    assert judge(unknown, on("cuda", cases("a"))).outcome == "same or better"


def in_format(run, **of_methods):
    named = [of_methods.get(name, "") for name in run.methods["method"]]
    return replace(run, methods=run.methods.assign(numbers=named))


def test_another_number_format_of_a_method_is_not_comparable():
    run = in_format(results(cases("a")))
    verdict = judge(run, in_format(run, a="bf16"))
    assert verdict.protocol.to_numpy().tolist() == [["number format of a", "as it is", "bf16"]]
    assert verdict.exit_status == 3
    twin = "a@channels_last"
    old = in_format(results(cases(twin)))
    new = in_format(results(cases("a@bf16+channels_last")), **{"a@bf16+channels_last": "bf16"})
    assert judge(old, new).protocol["part"].tolist() == [f"number format of {twin}"]
    both = cases(twin, "a@bf16+channels_last")
    assert judge(results(both), results(both)).outcome == "same or better"


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ("lama", ""), ("lama:small", ""), ("lama:small@bf16", "bf16"), ("lama@graph+tf32", "tf32"),
        ("lama@dilated", ""), ("mine=lama@bf16+tf32:/a/b@tf32.pt(config=x)", "bf16+tf32"),
        ("mine=/a/b@bf16.py:Class", ""), ("mine=folder:/a@bf16", ""), ("telea", ""),
    ],
)  # fmt: skip
def test_the_number_format_is_what_a_method_was_asked_for_in(asked, expected):
    assert numbers(asked) == expected


def pictures(run, **hashes):
    fills = [hashes.get(name, "same") for name in run.methods["method"]]
    return replace(run, methods=run.methods.assign(fills=fills))


def test_the_same_code_with_other_pictures_is_explained():
    worse = change(cases("a"), P2, psnr_db=1.0)
    old, new = pictures(on("cpu", cases("a")), a="1"), pictures(on("cpu", worse), a="2")
    verdict = judge(old, new)
    assert verdict.outcome == "regressed"
    (flag,) = verdict.flags
    assert flag.startswith("a is not deterministic: the same code and weights gave other pictures")
    assert flag in formats.as_text(verdict)
    elsewhere = replace(new, machine=replace(new.machine, processor="two"))
    assert "on another machine (processor one before, two now)" in judge(old, elsewhere).flags[0]
    (flag,) = judge(old, pictures(new, a="1")).flags
    assert "same to the last bit" in flag
    other = replace(new, methods=change(new.methods, "method == 'a'", identity="other code"))
    for silent in (other, pictures(new, a="")):
        assert judge(old, silent).flags == ()
    assert judge(old, pictures(on("cpu", cases("a")), a="1")).flags == ()
