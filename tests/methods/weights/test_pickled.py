"""What torch writes is read as data, whatever its pickles name: tensors, nothing else."""

import argparse
import collections
import datetime
import enum
import fractions
import os
import pathlib
import pickle
import shutil
import subprocess
import sys
import types
import typing
import warnings
import zipfile

import numpy as np
import pytest
import torch
from torch import nn

from bench.errors import BenchError
from methods.weights import Checkpoint, load, load_archive

ANY = Checkpoint("any", "any.ckpt")
DTYPES = [torch.float32, torch.float64, torch.float16, torch.bfloat16, torch.int64, torch.int32,
          torch.int16, torch.int8, torch.uint8, torch.bool]  # fmt: skip
FOREIGN = {
    "pytorch_lightning.callbacks.model_checkpoint": ["ModelCheckpoint"],
    "omegaconf.base": ["ContainerMetadata", "Metadata"],
    "omegaconf.dictconfig": ["DictConfig"],
    "omegaconf.listconfig": ["ListConfig"],
    "omegaconf.nodes": ["AnyNode"],
}


def put_modules(monkeypatch, names):
    """Modules of these names with empty classes; returns the classes by name."""
    made = {}
    for module, classes in names.items():
        package = ""
        for word in module.split("."):
            package = f"{package}.{word}".lstrip(".")
            monkeypatch.setitem(sys.modules, package, types.ModuleType(package))
        for name in classes:
            made[name] = type(name, (), {"__module__": module})
            setattr(sys.modules[module], name, made[name])
    return made


def settings(classes):
    """What a training framework leaves in its checkpoint."""

    def make(name, **fields):
        made = classes[name]()
        made.__dict__.update(fields)
        return made

    metadata = make(
        "ContainerMetadata", ref_type=typing.Any, object_type=dict, key_type=typing.Any, flags={}
    )
    node = make("AnyNode", _val=3, _metadata=make("Metadata", ref_type=int, object_type=int))
    values = make("ListConfig", _content=[node], _metadata=metadata)
    config = make("DictConfig", _content={"gpus": values, "kind": node}, _metadata=metadata)
    history = collections.defaultdict(list, {"loss": [1.0, 0.5]})
    return {
        "epoch": 12,
        "callbacks": {classes["ModelCheckpoint"]: {"best": 0.9, "dirpath": "x"}},
        "hyper_parameters": config,
        "history": history,
        "kinds": [dict, int, list],
    }


def save_checkpoint(path, state, monkeypatch):
    """Write as the framework does, with its classes here only meanwhile."""
    with monkeypatch.context() as meanwhile:
        classes = put_modules(meanwhile, FOREIGN)
        torch.save({"state_dict": state, **settings(classes)}, path)
    assert "omegaconf" not in sys.modules
    return path


def state(**more):
    tensors = {
        "generator.a.weight": torch.arange(6.0).view(2, 3),
        "generator.a.half": torch.tensor([1.5, -2.0], dtype=torch.float16),
        "generator.a.count": torch.tensor(7),
        "generator.a.turned": torch.arange(6.0).view(2, 3).t(),
        "evaluator.weight": torch.ones(4),
    }
    return collections.OrderedDict(tensors, **more)


def test_tensors_of_a_training_checkpoint_are_read_without_its_packages(tmp_path, monkeypatch):
    path = save_checkpoint(tmp_path / "best.ckpt", state(), monkeypatch)
    with pytest.raises(pickle.UnpicklingError):
        torch.load(path, weights_only=True)
    found = load_archive(path, ANY, "generator.")
    assert list(found) == ["a.weight", "a.half", "a.count", "a.turned"]
    for name, tensor in found.items():
        expected = state()[f"generator.{name}"]
        assert tensor.dtype == expected.dtype
        assert torch.equal(tensor, expected)


def test_tensors_that_share_their_numbers_are_read_apart(tmp_path, monkeypatch):
    whole = torch.arange(10.0)
    shared = {"generator.all": whole, "generator.end": whole[7:]}
    path = save_checkpoint(tmp_path / "best.ckpt", shared, monkeypatch)
    found = load_archive(path, ANY, "generator.")
    found["end"].zero_()
    assert torch.equal(found["all"], whole)
    assert len(found["end"]) == 3


def test_a_checkpoint_within_a_zip_file_is_found(tmp_path, monkeypatch):
    inner = save_checkpoint(tmp_path / "best.ckpt", state(), monkeypatch)
    outer = tmp_path / "big.zip"
    with zipfile.ZipFile(outer, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("big/config.yaml", "model: 1")
        archive.write(inner, "big/models/best.ckpt")
    found, expected = (load_archive(path, ANY, "generator.") for path in (outer, inner))
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)
    with zipfile.ZipFile(outer, "a") as archive:
        archive.write(inner, "big/models/last.ckpt")
    with pytest.raises(BenchError, match=r"expected one \.ckpt inside, found .*best.*last"):
        load_archive(outer, ANY, "generator.")


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.model = nn.Module()
        self.model.generator = nn.Sequential(nn.Conv2d(4, 3, 1), nn.BatchNorm2d(3))

    def forward(self, image, mask):
        return self.model.generator(torch.cat([image, mask], 1))


def save_traced(module, path, *inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch advises against its own tracing
        torch.jit.trace(module.eval(), inputs).save(str(path))
    return path


def test_tensors_of_a_torchscript_file_are_read_by_their_names(tmp_path):
    module = Wrapped()
    inputs = torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 4)
    path = save_traced(module, tmp_path / "traced.pt", *inputs)
    found = load_archive(path, ANY, "model.generator.")
    expected = module.model.generator.state_dict()
    assert found.keys() == expected.keys()
    assert all(torch.equal(found[name], expected[name]) for name in expected)


class Malicious:
    def __init__(self, function, *arguments):
        self.call = function, arguments

    def __reduce__(self):
        return self.call


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize(
    ("function", "argument"),
    [
        (print, "executed"),
        (eval, "print('executed')"),
        (exec, "print('executed')"),
        (os.system, "echo executed"),
        (getattr, "executed"),
        (torch.load, "executed"),
        (collections.Counter, "executed"),
    ],
)
def test_nothing_that_a_file_names_is_run_and_its_tensors_are_read(
    tmp_path, capfd, function, argument, zipped
):
    first = Malicious(function, argument)
    evil = {"callbacks": first, "chain": Malicious(function, first), "state_dict": state()}
    path = tmp_path / "best.ckpt"
    torch.save(evil, path, _use_new_zipfile_serialization=zipped)
    found = load_archive(path, ANY, "generator.")
    assert torch.equal(found["a.weight"], state()["generator.a.weight"])
    assert "executed" not in "".join(capfd.readouterr())


class Colour(enum.Enum):
    RED = 1


HARMLESS = {
    "scalar": np.float64(1),
    "dtype": np.dtype("int16"),
    "array": np.arange(3),
    "path": pathlib.PurePosixPath("a/b"),
    "settings": argparse.Namespace(a=1),
    "time": datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC),
    "fraction": fractions.Fraction(1, 2),
    "colour": Colour.RED,
    "device": torch.device("cpu"),
    "format": torch.float16,
    "size": torch.Size([1, 2]),
    "generator": torch.Generator().get_state(),
    "containers": [collections.deque([1]), collections.Counter("ab"), {1, 2}, frozenset([3])],
    "named": collections.namedtuple("Pair", "a b"),  # the class itself
    "function": shutil.rmtree,
}
HARMLESS["named"].__module__ = __name__
Pair = HARMLESS["named"]


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("name", HARMLESS)
def test_names_of_bookkeeping_do_not_hinder(tmp_path, name, zipped):
    path = tmp_path / "best.ckpt"
    content = {name: HARMLESS[name], "state_dict": state()}
    torch.save(content, path, _use_new_zipfile_serialization=zipped)
    assert len(load_archive(path, ANY, "generator.")) == 4
    assert len(load(path, ANY, wrapper="state_dict")) == 5


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("dtype", sorted({*DTYPES}, key=str))
def test_tensors_are_those_that_torch_reads(tmp_path, dtype, zipped):
    path = tmp_path / "state.pth"
    numbers = torch.randn(6, 5).mul(9).to(dtype)
    attributed = nn.Parameter(torch.randn(2))
    attributed.tensor_model_parallel = True
    tensors = {
        "whole": numbers,
        "strided": numbers[1::2, 2:].t(),
        "scalar": numbers[3, 3],
        "empty": numbers[:0],
        "parameter": nn.Parameter(numbers) if numbers.is_floating_point() else numbers,
        "attributed": attributed,
    }
    torch.save(tensors, path, _use_new_zipfile_serialization=zipped)
    expected = torch.load(path, weights_only=True)
    found = load(path, ANY)
    assert found.keys() == expected.keys()
    for name, tensor in found.items():
        assert tensor.dtype == expected[name].dtype
        assert torch.equal(tensor, expected[name].data), name


@pytest.mark.parametrize("zipped", [True, False])
def test_a_tensor_of_a_kind_that_is_not_read_is_refused_by_name(tmp_path, zipped):
    path = tmp_path / "best.ckpt"
    tensors = state() | {"generator.odd": torch.eye(2).to_sparse()}
    torch.save({"state_dict": tensors}, path, _use_new_zipfile_serialization=zipped)
    with pytest.raises(
        BenchError, match=r"odd is made by torch\._utils\._rebuild_sparse_tensor, of "
    ):
        load_archive(path, ANY, "generator.")
    with pytest.raises(BenchError, match=r"expected a flat dict of tensors"):
        load(path, ANY, wrapper="state_dict")


def rewritten(path, pickled):
    """Replace the pickle of a file that torch wrote."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, pickled if name.endswith("/data.pkl") else data)
    return path


HAND_WRITTEN = [
    b"cos\nsystem\n(S'echo executed'\ntR.",
    b"\x80\x02ccollections\nOrderedDict\nq\x00)R(S'x'\nibuiltins\nprint\n.",
    b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0decho executed\x85R.",
    b"\x80\x02cbuiltins\ngetattr\n(cbuiltins\ndict\nS'x'\ntR.",
    # A name within a class, objects of INST, OBJ and NEWOBJ, what is not registered.
    b"\x80\x04\x8c\x08builtins\x8c\x0ddict.fromkeys\x93\x8c\x01a\x85R.",
    b"(S'echo executed'\nios\nsystem\n.",
    b"(cos\nsystem\nS'echo executed'\no.",
    b"\x80\x04\x8c\x02os\x8c\x06system\x93\x8c\x0decho executed\x85}\x92.",
    b"\x80\x02\x82\x01.",
    # What a call gives, called again; what is found in it.
    b"cbuiltins\ngetattr\n(cos\nS'system'\ntR(S'echo executed'\ntR.",
    b"cbuiltins\ngetattr\n(c__main__\n__builtins__\nS'exec'\ntR(S'print(1)'\ntR.",
    # Fields, as a dict and as slots, of placeholders, of their classes and of what makes tensors.
    b"\x80\x02ctyping\nAny\nN}S'__new__'\nctorch._utils\n_rebuild_tensor_v2\ns\x86b.",
    b"\x80\x02ctyping\nAny\n)R}S'__class__'\ncos\nsystem\ns}S'__dict__'\nK\x01s\x86b.",
    b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}S'__code__'\nS'x'\ns\x86b.",
    b"\x80\x02ccollections\nOrderedDict\nN}S'items'\ncos\nsystem\ns\x86b.",
    b"\x80\x02ccollections\nOrderedDict\n)R}S'items'\ncos\nsystem\nsb.",
    # Persistent names, one within another; a tensor of what is no storage; a class of tensors.
    b"cos\nsystem\nQQ.",
    b"(S'storage'\nS'float32'\n(S'storage'\nS'float32'\nS'0'\nS'cpu'\nI9\ntQS'cpu'\nI9\ntQ.",
    b"ctorch._utils\n_rebuild_tensor_v2\n(cos\nsystem\nI0\n(I1\nt(I1\ntI00\nNtR.",
    b"ctorch._tensor\n_rebuild_from_type_v2\n(cos\nsystem\nctorch\nTensor\n(S'echo executed'\ntNtR.",  # noqa: E501
    b"ctorch.storage\n_load_from_bytes\n(S'x'\ntR.",
]


@pytest.mark.parametrize("pickled", HAND_WRITTEN)
def test_hand_written_pickles_are_refused_and_nothing_runs(tmp_path, capfd, pickled):
    torch.save({"state_dict": state()}, tmp_path / "best.ckpt")
    path = rewritten(tmp_path / "best.ckpt", pickled)
    with pytest.raises(BenchError):
        load_archive(path, ANY, "generator.")
    with pytest.raises(BenchError):
        load(path, ANY)
    (tmp_path / "old.pth").write_bytes(pickled)
    with pytest.raises(BenchError):
        load(tmp_path / "old.pth", ANY)
    assert "executed" not in "".join(capfd.readouterr())
    torch.save({"state_dict": state()}, tmp_path / "good.ckpt")
    assert load_archive(tmp_path / "good.ckpt", ANY, "generator.")


def test_python_itself_sees_nothing_run_or_imported():
    """By its audit, which names all that reaches out: imports, code compiled, programs started."""
    code = f"""
import io, sys
from methods.weights.pickled import _Unpickler, flat
seen = []
sys.addaudithook(lambda event, arguments: seen.append(event))
for pickled in {HAND_WRITTEN!r}:
    try:
        list(flat(_Unpickler(io.BytesIO(pickled), None).load()))
    except Exception:
        pass
print(*sorted(set(seen)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert set(done.stdout.split()) <= {"builtins.id"}  # ours


def test_code_in_a_torchscript_file_is_not_run(tmp_path, capfd):
    path = save_traced(Wrapped(), tmp_path / "t.pt", torch.rand(1, 3, 4, 4), torch.rand(1, 1, 4, 4))
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            code = b"this would not compile; print('executed')"
            archive.writestr(name, code if name.endswith(".py") else data)
    assert len(load_archive(path, ANY, "model.generator.")) == 7
    assert "executed" not in capfd.readouterr().out


@pytest.mark.parametrize("zipped", [True, False])
@pytest.mark.parametrize("share", [0, 0.01, 0.3, 0.99])
def test_a_truncated_file_is_refused(tmp_path, share, zipped):
    path = tmp_path / "best.ckpt"
    torch.save({"state_dict": state()}, path, _use_new_zipfile_serialization=zipped)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    said = "cut off; get it again|an empty file|expected . numbers, found|pickle data was truncated"
    with pytest.raises(BenchError, match=rf"best\.ckpt: expected .*({said})"):
        load(path, ANY, wrapper="state_dict")


def test_a_zip_file_of_something_else_is_refused_with_what_it_holds(tmp_path):
    path = tmp_path / "best.ckpt"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("readme.txt", "text")
        archive.writestr("photos/1.png", "no picture")
    with pytest.raises(BenchError, match=r"one data\.pkl inside, found readme\.txt, photos/1\.png"):
        load_archive(path, ANY, "generator.")


def test_a_tensor_with_too_few_numbers_is_refused(tmp_path, monkeypatch):
    path = save_checkpoint(tmp_path / "best.ckpt", state(), monkeypatch)
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, data[:8] if name.endswith("/data/0") else data)
    with pytest.raises(BenchError, match="expected 6 numbers, found 2"):
        load_archive(path, ANY, "generator.")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ({"state_dict": {"other.weight": torch.ones(1)}}, r"expected tensors named generator\.\*"),
        ({"state_dict": {"generator.weight": 3}}, r"expected tensors named generator\.\*"),
        ({"epoch": 3}, r"found none, but the keys epoch \(int\)"),
        ([1, 2], "found none, but list"),
    ],
)
def test_a_file_of_something_else_is_refused(tmp_path, content, message):
    torch.save(content, tmp_path / "best.ckpt")
    with pytest.raises(BenchError, match=message):
        load_archive(tmp_path / "best.ckpt", ANY, "generator.")


def test_the_digest_is_checked_before_anything_is_read(tmp_path):
    (tmp_path / "best.ckpt").write_bytes(pickle.dumps("anything"))
    with pytest.raises(BenchError, match="expected SHA-256 0123456789abcdef"):
        load_archive(
            tmp_path / "best.ckpt", Checkpoint("a", "b", sha256="0123456789abcdef"), "generator."
        )
