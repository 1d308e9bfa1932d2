"""A run as one file: complete, the same each time, and caught where it contradicts itself."""

from __future__ import annotations

import json
import math
import shutil

import numpy as np
import pytest

from bench.bundle import schema
from bench.bundle.bundle import read, write
from bench.bundle.check import complaints
from bench.bundle.of_run import bundle_of
from bench.cli import main
from bench.errors import InputError
from bench.folder.read import read_run
from tests.support.bundles import changed, small_run
from tests.support.sample_run import write_run


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    return small_run(tmp_path_factory.mktemp("bundle") / "run")


@pytest.fixture(scope="module")
def made(run):
    assert main(["bundle", str(run)]) == 0
    return run.with_name("run.bundle.json")


def test_it_holds_every_value_of_the_run_and_no_path_of_this_machine(run, made):
    bundle, table = read(made), read_run(run, ("plan", "cases", "sets"))
    for method in bundle.methods:
        rows = table.cases[table.cases["method"] == method.name]
        assert list(method.fills.output_sha) == list(rows["output_sha"])
        for metric, values in method.fills.values.items():
            theirs = [math.nan if value is None else value for value in values]
            for place in method.fills.infinite.get(metric, ()):
                theirs[place] = math.inf
            assert np.array_equal(theirs, rows[metric], equal_nan=True)
    assert str(run.parent) not in made.read_text("utf-8")


def test_it_holds_metrics_of_sets_with_their_intervals(tmp_path):
    found = bundle_of(write_run(tmp_path / "run"))
    table = read_run(tmp_path / "run", ("sets",)).sets.dropna(subset="value")
    named = {metric.name for metric in found.metrics if metric.scope == "set"}
    own = {(m.name, x.tier, x.metric): (x.value, x.n) for m in found.methods for x in m.means
           if x.metric in named}  # fmt: skip
    assert own
    assert own == {
        (row.method, row.tier, row.metric): (row.value, row.n) for row in table.itertuples()
    }


def test_the_same_run_gives_the_same_bytes(run, made, tmp_path):
    assert main(["bundle", str(run), "--out", str(tmp_path / "again.json")]) == 0
    assert (tmp_path / "again.json").read_bytes() == made.read_bytes()


def test_it_keeps_to_its_schema_which_is_that_of_the_types(made):
    jsonschema = pytest.importorskip("jsonschema")
    stated = json.loads(schema.FILE.read_text("utf-8"))
    assert stated == schema.schema(), "python -m bench.bundle.schema > bench/bundle/schema.json"
    value = json.loads(made.read_text("utf-8"))
    jsonschema.Draft202012Validator(stated).validate(value)
    value["cases"][0]["height"] = "256"
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.Draft202012Validator(stated).validate(value)


def test_a_true_bundle_agrees_with_itself_and_its_run(run, made, capsys):
    assert main(["bundle", str(made), "--check", "--of", str(run)]) == 0
    assert "agrees" in capsys.readouterr().out


def better(value):
    value["methods"][0]["means"][0]["value"] += 1


def other_value(value):
    value["methods"][0]["fills"]["values"]["l1"][0] *= 0.9


def impossible(value):
    value["methods"][0]["fills"]["values"]["l1"][0] = -0.1


def another_photo(value):
    value["cases"][0]["photo_sha"] = "0" * 16


def fewer(value):
    del value["cases"][-1]


def another_protocol(value):
    value["protocol"] = "mat-places-512-small"


def longer(value):
    value["methods"][0]["fills"]["seconds"].append(1.0)


def no_ceiling(value):
    (ceiling,) = (each for each in value["methods"] if each["family"] == "ceiling")
    ceiling["fills"]["output_sha"][0] = "f" * 16


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (better, "the values give"), (other_value, "the values give"), (impossible, "beyond"),
        (another_photo, "hashes give"), (fewer, "one value a fill"),
        (another_protocol, "protocol is none"), (longer, "one value a fill"),
        (no_ceiling, "is not its photo"),
    ],
)  # fmt: skip
def test_what_was_changed_is_found(made, tmp_path, capsys, change, said):
    path = changed(made, tmp_path / "changed.json", change)
    assert complaints(read(path))
    assert main(["bundle", str(path), "--check"]) == 1
    assert said in capsys.readouterr().err


def test_a_fill_that_is_another_now_is_found_beside_the_run(run, made, tmp_path, capsys):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    rows = read_run(copy, ("cases",)).cases
    first, second = rows[rows["method"] == "telea"]["output"].iloc[:2]
    shutil.copy(copy / second, copy / first)
    assert main(["bundle", str(made), "--check", "--of", str(copy)]) == 1
    assert first in capsys.readouterr().err


@pytest.mark.parametrize("text", ["", "{}", '{"format": 1}', '{"format": 99}', "[1]"])
def test_no_bundle_is_refused_in_words(tmp_path, capsys, text):
    path = tmp_path / "odd.bundle.json"
    path.write_text(text, "utf-8")
    with pytest.raises(InputError):
        read(path)
    assert main(["bundle", str(path), "--check"]) == 2
    assert str(path) in capsys.readouterr().err


def test_a_correction_is_dated_and_leaves_values_and_checksum(made, tmp_path):
    path = tmp_path / "corrected.bundle.json"
    write(read(made), path)
    words = ["--correct", "telea ran with radius 1", "--method", "telea"]
    assert main(["bundle", str(path), *words]) == 0
    corrected = read(path)
    (correction,) = corrected.corrections
    assert (correction.method, correction.text) == ("telea", "telea ran with radius 1")
    assert len(correction.date) == 10
    assert corrected.checksum == read(made).checksum
    assert corrected.methods == read(made).methods
    assert main(["bundle", str(path), "--correct", "x", "--method", "tela"]) == 2
    assert main(["bundle", str(path), "--correct", " "]) == 2


def test_a_run_that_is_not_complete_has_none(run, tmp_path, capsys):
    copy = tmp_path / "run"
    shutil.copytree(run, copy)
    header = json.loads((copy / "run.json").read_text("utf-8"))
    del header["checksum"]
    (copy / "run.json").write_text(json.dumps(header | {"state": "interrupted"}), "utf-8")
    assert main(["bundle", str(copy)]) == 2
    assert "interrupted" in capsys.readouterr().err
