"""Reference outputs: the rule, the inputs made from descriptions, the comparison, the command."""

import importlib.util
import json
from types import ModuleType

import numpy as np
import pytest
import torch

from bench.cli import main
from bench.errors import BenchError, InputError
from methods.verification import CannotRebuild, traced
from methods.verification.case import Part, Row, read
from methods.verification.compare import compare
from methods.verification.inputs import indices, make
from methods.verification.verify import verify
from methods.weights import rule
from tests.support.golden_files import edited, write

NAMES = ("a.weight", "a.bias", "b.running_mean", "b.running_var", "c.weight_u", "c.gamma", "bias")
SHAPES = ((8,), (4, 3), (2, 3, 3, 3), ())


@pytest.fixture(scope="module")
def rulefill(shared_data):
    path = shared_data.parent / "tools" / "rulefill.py"
    if not path.is_file():
        pytest.skip(f"no {path}")
    spec = importlib.util.spec_from_file_location("rulefill", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("name", NAMES)
def test_weights_are_those_of_the_rule_bit_for_bit(rulefill, name):
    for shape in SHAPES[:-1] if name.endswith("_u") else SHAPES:
        ours = rule.tensor(name, shape, 0.7)
        theirs = rulefill.rule_tensor(name, shape, 0.7)
        assert ours.dtype == theirs.dtype == np.float32
        assert np.array_equal(ours, theirs)


@pytest.mark.parametrize(("height", "width", "seed"), [(64, 64, 0), (17, 40, 3), (96, 33, 11)])
def test_pictures_and_holes_are_those_of_the_rule_bit_for_bit(rulefill, height, width, seed):
    assert np.array_equal(
        rule.image(height, width, seed, 5), rulefill.rule_image(height, width, seed, 5)
    )
    assert np.array_equal(rule.mask(height, width, seed), rulefill.rule_mask(height, width, seed))


def test_a_module_is_filled_by_the_longest_gain_and_without_what_is_skipped():
    module = torch.nn.ModuleDict(
        {"a": torch.nn.Linear(3, 2), "b": torch.nn.BatchNorm1d(2), "c": torch.nn.Linear(2, 2)}
    )
    kept = module["c"].weight.clone()
    part = Part("m", None, "module", "x.", {"": 1.0, "a.": 3.0, "a": 2.0}, skip=("*c.weight",))
    part.fill(module)
    expected = torch.from_numpy(rule.tensor("x.a.weight", (2, 3), 3.0))
    assert torch.equal(module["a"].weight, expected)
    assert torch.equal(module["c"].weight, kept)
    assert module["b"].num_batches_tracked == 0
    assert module["b"].running_var.min() >= 0.5
    with pytest.raises(CannotRebuild, match=r"no gain is given for b\.weight"):
        Part("m", None, "module", "", {"a.": 1.0}).fill(module)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("[...]", (...,)),
        (
            "[:, ::4, 1::5, 0:1]",
            (slice(None), slice(None, None, 4), slice(1, None, 5), slice(0, 1)),
        ),
        ("[0, -1, 2:]", (0, -1, slice(2, None))),
    ],
)
def test_indexing_is_read(text, expected):
    assert indices(text) == expected


@pytest.mark.parametrize("text", ["", "[]", "[a]", "[__import__('os')]", "[1.5]", ":, :", "[:,,:]"])
def test_other_text_is_refused_not_evaluated(text):
    with pytest.raises(CannotRebuild, match="expected indexing"):
        indices(text)


def made(tmp_path, *entries, derive=None, **arrays):
    case = {"target": "t", "config": {}, "fill": [], "inputs": list(entries), "arrays": {"y": {}}}
    file = read(write(tmp_path / "f.npz", {"c": case}, y=np.zeros(1), **arrays))
    return make(file.cases[0], file, derive)


def test_inputs_are_made_as_described(tmp_path):
    stored = np.arange(6, dtype=np.uint8)
    found = made(
        tmp_path,
        {"name": "t", "make": "integers", "streams": [1, 2], "low": 0, "high": 9, "shape": [4],
         "ops": [["zero_where", "mask"]]},
        {"name": "mask", "make": "constant", "value": 1, "shape": [2, 4],
         "ops": [["multiply", 1], ["slice", "[:, :2]"], ["repeat", 1, 2]]},
        {"name": "u", "make": "uniform", "stream": 3, "shape": ["M", 2], "dtype": "float64"},
        {"name": "box", "make": "boxes", "height": 4, "width": 5, "boxes": [[[1, 2, 2, 3]], []]},
        {"name": "kept", "make": "array", "array": "stored",
         "ops": [["reshape", [2, 3]], ["transpose", [1, 0]]]},
        {"name": "none", "make": "none"},
        {"name": "x", "make": "normal", "stream": 4, "shape": [3],
         "ops": [["add", 0.5], ["round"], ["floor"], ["subtract", 1]]},
        stored=stored,
    )  # fmt: skip
    assert list(found) == ["t", "mask", "u", "box", "kept", "none", "x"]
    assert found["t"].shape == (2, 4)
    assert not found["t"].any()
    assert torch.equal(
        found["u"], torch.from_numpy(np.random.Generator(np.random.PCG64(3)).random((8, 2)))
    )
    assert found["box"].shape == (2, 1, 4, 5)
    assert found["box"][0, 0, 1:3, 2:5].all()
    assert found["box"].sum() == 6
    assert found["kept"].tolist() == [[0, 3], [1, 4], [2, 5]]
    assert found["none"] is None
    assert found["x"].dtype == torch.float32


IMAGE = {"name": "x", "make": "rule_image", "height": 8, "width": 8, "channels": 3, "seeds": [1]}


@pytest.mark.parametrize(
    ("entry", "complaint"),
    [
        ({"name": "x", "make": "magic"}, "not known how to make 'magic'"),
        (IMAGE | {"ops": [["divide", 2]]}, "divide"),
        (IMAGE | {"ops": [["reshape", [7]]]}, "input x: ValueError"),
        (IMAGE | {"ops": [["zero_where", "y"]]}, "no input 'y'"),
        (IMAGE | {"then": "inside out"}, "inside out"),
        (IMAGE | {"mean": 0.9}, "states mean 0.9"),
        ({"name": "x", "make": "derived"}, "does not say how"),
        ({"name": "x", "make": "file", "file": "data/no-such-file.npy"}, "no-such-file"),
    ],
)
def test_inputs_that_cannot_be_made_are_refused_with_the_reason(tmp_path, entry, complaint):
    with pytest.raises(CannotRebuild, match=complaint):
        made(tmp_path, entry)


def test_steps_in_words_are_the_method_s(tmp_path):
    def derive(words, inputs):
        return inputs[words]

    found = made(tmp_path, IMAGE, {"name": "y", "make": "derived", "then": "x"}, derive=derive)
    assert torch.equal(found["x"], found["y"])


def test_the_inputs_of_all_shared_files_are_made(shared_data):
    files = sorted((shared_data.parent / "goldens").glob("*.npz"))
    if not files:
        pytest.skip("no shared reference outputs")
    reasons = []
    for path in files:
        file = read(path)
        for case in file.cases:
            case.parts(), case.rows()
            try:
                make(case, file, None)
            except CannotRebuild as error:
                reasons.append(str(error))
    # What words describe is each method's own; all else is made here.
    assert all("the method derives no input" in reason for reason in reasons), reasons


ROW = {"tensor": "y", "slice": "[...]", "atol": 0.1, "rtol": 0.1}


def compared(found, stored, **changes):
    row = Row(**(ROW | changes))
    return compare("y", row, np.asarray(found), {"y": np.asarray(stored), "z": np.array([0, 5.0])})


@pytest.mark.parametrize(
    ("found", "stored", "changes", "passed"),
    [
        ([1.19], [1.0], {}, True),
        ([1.21], [1.0], {}, False),
        ([np.nan], [1.0], {}, False),
        ([np.nan], [np.nan], {}, False),
        ([np.inf], [np.inf], {}, True),
        ([[1.0]], [1.0], {}, False),
        ([1, 2], [1, 2], {"atol": 0.0, "rtol": 0.0}, True),
        ([1, 3], [1, 2], {"atol": 0.0, "rtol": 0.0}, False),
        ([9.0, 1.0], [0.0, 1.0], {}, False),
        ([9.0, 1.0], [0.0, 1.0], {"outliers": {"share": 0.5, "atol": None}}, True),
        ([9.0, 1.0], [0.0, 1.0], {"outliers": {"share": 0.5, "atol": 8.0}}, False),
        ([9.0, 1.0], [0.0, 1.0], {"outliers": {"share": 0.4, "atol": None}}, False),
        ([9.0, 1.0], [0.0, 1.0], {"where": {"array": "z", "above": 1}}, True),
        ([9.0, 1.0], [0.0, 1.0], {"where": {"array": "z", "above": 9}}, False),
        ([1.0], [1.0], {"shape": [1]}, True),
        ([1.0], [1.0], {"shape": [2]}, False),
        ([1.0, 3.0], [2, 1], {"reduce": ["mean", "std"]}, True),
        ([1.0, 3.0], [np.sqrt(2), 1, 3], {"reduce": ["std1", "min", "max"], "atol": 1e-9}, True),
        ([1.0, 3.0], [2, 2], {"reduce": ["mean", "std"]}, False),
        (np.zeros((2, 3)), [2, 3], {"reduce": "shape"}, True),
        ([1.0, 9.0], [1.0], {"slice": "[:1]", "mean": 5.0, "std": 4.0}, True),
        ([1.0, 9.0], [1.0], {"slice": "[:1]", "mean": 1.0, "std": 0.0}, False),
    ],
)
def test_rows_are_compared_by_their_bounds(found, stored, changes, passed):
    result = compared(found, stored, **changes)
    assert result.passed == passed
    assert bool(result.reason) != passed


def test_the_largest_deviation_is_told():
    assert compared([1.0, 2.5], [1.0, 2.0]).deviation == 0.5


def test_layers_are_traced_by_name():
    network = torch.nn.Sequential(torch.nn.Linear(2, 3), torch.nn.Dropout(0.5))
    output, seen = traced(network, {"0", "elsewhere"}, torch.ones(1, 2))
    assert list(seen) == ["0"]
    assert torch.equal(seen["0"], output)


def implementation(function):
    module = ModuleType("made_up")
    if function:
        module.verify_case = function
    return module


def one_case(tmp_path, **changes):
    row = ROW | {"tensor": "twice"}
    inputs = [IMAGE]
    case = {"target": "t", "config": {}, "fill": [], "inputs": inputs, "arrays": {"y": row}}
    image = rule.image(8, 8, 1, 3)[None]
    return read(write(tmp_path / "g.npz", {"c": case | changes}, y=2 * image))


def test_a_case_is_rebuilt_and_compared(tmp_path):
    double = implementation(lambda case, parts, inputs: {"twice": 2 * inputs["x"]})
    triple = implementation(lambda case, parts, inputs: {"twice": 3 * inputs["x"]})
    file = one_case(tmp_path)
    assert [outcome.passed for outcome in verify(double, file)] == [True]
    (outcome,) = verify(triple, file)
    assert not outcome.passed
    assert outcome.reason == ""


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (lambda case, parts, inputs: {}, "has no tensor twice"),
        (lambda case, parts, inputs: inputs["no"], "KeyError"),
        (lambda case, parts, inputs: parts["no"], "expected a part 'no'"),
        (lambda case, parts, inputs: torch.ones(2) @ torch.ones(3), "RuntimeError"),
    ],
)
def test_a_case_that_cannot_be_rebuilt_is_told_with_its_reason(tmp_path, function, reason):
    (outcome,) = verify(implementation(function), one_case(tmp_path))
    assert not outcome.passed
    assert reason in outcome.reason


def test_a_case_without_arrays_is_named_not_passed(tmp_path):
    double = implementation(lambda case, parts, inputs: {"twice": 2 * inputs["x"]})
    file = one_case(tmp_path)
    bare = write(tmp_path / "h.npz", {"bare": {}, "c": vars(file.cases[0])}, **file.arrays)
    first, second = verify(double, read(bare))
    assert first.case == "bare"
    assert "does not hold any array" in first.reason
    assert second.passed


def test_unknown_fields_of_a_row_or_part_are_not_passed_over(tmp_path):
    double = implementation(lambda case, parts, inputs: {"twice": 2 * inputs["x"]})
    strange = one_case(tmp_path, arrays={"y": ROW | {"tensor": "twice", "metric": "cosine"}})
    (outcome,) = verify(double, strange)
    assert "metric" in outcome.reason


def test_a_module_without_verify_case_is_told(tmp_path):
    with pytest.raises(BenchError, match="expected a function verify_case"):
        list(verify(implementation(None), one_case(tmp_path)))


def test_files_that_are_no_reference_outputs_are_refused(tmp_path):
    text = tmp_path / "text.npz"
    text.write_text("no zip")
    np.savez(tmp_path / "plain.npz", a=np.zeros(3))
    np.savez(tmp_path / "new.npz", meta=json.dumps({"format": 2, "cases": {}}))
    write(tmp_path / "stray.npz", {}, stray=np.zeros(2))
    pickled = tmp_path / "pickled.npz"
    np.savez(pickled, meta=np.array({"format": 1}, dtype=object), allow_pickle=True)
    for name in ("absent", "text", "plain", "new", "stray", "pickled"):
        with pytest.raises(InputError, match=name):
            read(tmp_path / f"{name}.npz")


def test_the_command_passes_a_good_file(tmp_path, capsys):
    good = edited("pennet.npz", tmp_path / "good.npz", {"atn_nofuse_k1"})
    assert main(["verify", "pennet", str(good)]) == 0
    shown = capsys.readouterr().out
    assert "atn_nofuse_k1/output" in shown
    assert "3.0e-04 + 1e-03 x |value|" in shown
    assert "1 of 1 arrays within tolerance, 0 of 1 cases not rebuilt" in shown


def test_the_command_fails_a_wrong_array_and_a_case_it_cannot_rebuild(tmp_path, capsys):
    def spoil(meta, arrays):
        arrays["atn_nofuse_k1/output"][0, 0, 0, 0] += 0.01
        meta["cases"]["atn_fuse_k3"]["config"]["colour"] = 1

    cases = {"atn_nofuse_k1", "atn_fuse_k3"}
    spoilt = edited("pennet.npz", tmp_path / "spoilt.npz", cases, spoil)
    assert main(["verify", "pennet", str(spoilt)]) == 1
    shown = capsys.readouterr().out
    assert "exceeds      atn_nofuse_k1/output" in shown
    assert "not rebuilt  atn_fuse_k3: " in shown
    assert "found colour" in shown


def test_the_command_refuses_methods_without_a_network(tmp_path, capsys):
    good = edited("pennet.npz", tmp_path / "good.npz", {"atn_nofuse_k1"})
    assert main(["verify", "telea", str(good)]) == 2
    assert "verify_case" in capsys.readouterr().err
