import json
import sys

import pytest

from bench.cli import main
from bench.metrics import DEFAULT, METRICS
from masks.tiers import TIERS
from methods.spec import TABLE


def printed(arguments, capsys, status=0):
    assert main(arguments) == status
    return json.loads(capsys.readouterr().out)


def test_the_listing_for_machines_has_every_name(capsys):
    found = printed(["list", "--json"], capsys)
    names = {
        kind: [each["name"] for each in found[kind]] for kind in ("methods", "metrics", "tiers")
    }
    assert names["methods"][: len(TABLE)] == list(TABLE)
    assert names["metrics"][: len(METRICS)] == list(METRICS)
    assert {tier.name for tier in TIERS} <= set(names["tiers"])
    assert {each["name"] for each in found["metrics"] if each["default"]} == set(DEFAULT)
    lama = next(each for each in found["methods"] if each["name"] == "lama")
    assert {"big-lama", "small"} <= set(lama["choices"])
    assert "lama:small" in lama["weights"]
    assert printed(["list", "metrics", "--json"], capsys).keys() == {"metrics", "broken"}


def test_tiers_are_listed_with_their_shares(capsys):
    assert main(["list", "tiers"]) == 0
    shown = capsys.readouterr().out
    for tier in TIERS:
        assert tier.name in shown
        assert f"{tier.low}% to {tier.high}%" in shown


def test_the_version_names_python_and_torch(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    shown = capsys.readouterr().out
    assert shown.startswith("inpaint-bench ")
    assert f"Python {'.'.join(map(str, sys.version_info[:3]))}" in shown
    assert "torch " in shown


def test_the_doctor_finds_what_is_missing_and_what_mends_it(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    found = printed(["doctor", "--json", "--out", str(tmp_path / "runs")], capsys)
    by_name = {each["name"]: each for each in found}
    assert {"torch", "cores", "memory", "cpu", "runs", "weights", "lama", "chromium"} <= set(
        by_name
    )
    assert by_name["torch"]["state"] == "ok"
    fid = by_name["fid-inception"]
    assert (fid["state"], fid["mend"]) == ("missing", "inpaint-bench weights fetch fid-inception")
    assert not (tmp_path / "runs").exists()  # looking changes nothing


def test_the_doctor_sees_damage(capsys, tmp_path, monkeypatch):
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    (folder / "alexnet-owt-7be5be79.pth").write_bytes(b"no weights")
    monkeypatch.setattr("importlib.metadata.requires", lambda name: ["numpy<1", "no-such-thing>=2"])
    (tmp_path / "file").write_text("not a folder")
    found = printed(
        ["doctor", "--json", "--out", str(tmp_path / "file" / "runs")], capsys, status=1
    )
    broken = {each["name"]: each for each in found if each["state"] == "broken"}
    assert broken.keys() == {"numpy", "no-such-thing", "runs", "lpips-alex"}
    assert broken["numpy"]["mend"] == "pip install --force-reinstall 'numpy<1'"
    assert "not installed" in broken["no-such-thing"]["detail"]
    assert "expected about" in broken["lpips-alex"]["detail"]
    assert main(["doctor"]) == 1
    assert "broken" in capsys.readouterr().out.splitlines()[-1]
