"""Checkpoints and TorchScript files that refer to code which is not here: tensors, nothing else."""

import collections
import pickle
import sys
import types
import typing
import warnings
import zipfile

import pytest
import torch
from torch import nn

from bench.errors import BenchError
from methods.weights import Checkpoint, load_archive

ANY = Checkpoint("any", "any.ckpt")
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


@pytest.mark.parametrize(
    ("function", "argument", "name"),
    [
        (print, "executed", "__builtin__.print"),
        (eval, "print('executed')", "__builtin__.eval"),
        (getattr, "executed", "__builtin__.getattr"),
        (torch.load, "executed", "torch.serialization.load"),
        (collections.Counter, "executed", "collections.Counter"),
    ],
)
def test_any_other_name_is_refused_and_nothing_runs(
    tmp_path, monkeypatch, capsys, function, argument, name
):
    evil = {"state_dict": state(), "callbacks": Malicious(function, argument)}
    torch.save(evil, tmp_path / "best.ckpt")
    with pytest.raises(BenchError, match=f"it refers to {name}, which is none of the names"):
        load_archive(tmp_path / "best.ckpt", ANY, "generator.")
    assert "executed" not in capsys.readouterr().out


def rewritten(path, pickled):
    """Replace the pickle of a file that torch wrote."""
    with zipfile.ZipFile(path) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, pickled if name.endswith("/data.pkl") else data)
    return path


@pytest.mark.parametrize(
    "pickled",
    [
        b"cos\nsystem\n(S'echo executed'\ntR.",
        b"\x80\x02ccollections\nOrderedDict\nq\x00)R(S'x'\nibuiltins\nprint\n.",
        b"\x80\x04\x8c\x05posix\x8c\x06system\x93\x8c\x0decho executed\x85R.",
        b"\x80\x02cbuiltins\ngetattr\n(cbuiltins\ndict\nS'x'\ntR.",
        # Fields of a placeholder's class, and of the function that makes tensors.
        b"\x80\x02ctyping\nAny\nN}S'__new__'\nctorch._utils\n_rebuild_tensor_v2\ns\x86b.",
        b"\x80\x02ctorch._utils\n_rebuild_tensor_v2\nN}S'__code__'\nS'x'\ns\x86b.",
    ],
)
def test_hand_written_pickles_are_refused_and_nothing_runs(tmp_path, capfd, pickled):
    torch.save({"state_dict": state()}, tmp_path / "best.ckpt")
    path = rewritten(tmp_path / "best.ckpt", pickled)
    with pytest.raises(BenchError):
        load_archive(path, ANY, "generator.")
    assert "executed" not in capfd.readouterr().out
    torch.save({"state_dict": state()}, tmp_path / "good.ckpt")
    assert load_archive(tmp_path / "good.ckpt", ANY, "generator.")


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


@pytest.mark.parametrize("share", [0, 0.3, 0.99])
def test_a_truncated_file_is_refused(tmp_path, monkeypatch, share):
    path = save_checkpoint(tmp_path / "best.ckpt", state(), monkeypatch)
    data = path.read_bytes()
    path.write_bytes(data[: int(share * len(data))])
    with pytest.raises(BenchError, match=r"best\.ckpt: expected a checkpoint"):
        load_archive(path, ANY, "generator.")


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
        ({"epoch": 3}, "KeyError"),
        ([1, 2], "expected a checkpoint"),
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
