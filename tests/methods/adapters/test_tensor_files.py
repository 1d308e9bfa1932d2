"""TorchScript and ONNX files: exported from networks, run by name, their facts found or stated."""

import shutil
import sys
import zipfile
from importlib.metadata import version

import numpy as np
import pytest
import torch
from onnx import TensorProto, helper
from PIL import Image
from skimage import data
from torch import nn

import methods
from bench.cli import main
from bench.errors import BenchError
from methods import harness
from methods.adapters import probe
from methods.adapters.onnx import Onnx
from methods.adapters.tensor_facts import Facts, decode, encode
from tests.support.exported import (
    Around,
    ContextEncoder,
    LaMa,
    PENNet,
    Smooth,
    as_onnx,
    example,
    traced,
    wrapped,
)  # fmt: skip

UINT8 = "uint8[1,3,H,W] picture, uint8[1,1,H,W] known => uint8[1,3,H,W] result"
# As MI-GAN's pipeline: any size, works at a size of its own, blends inside.
BEFORE = """
    small = Constant<value = int64[4] {1, 3, 128, 128}>()
    one = Constant<value = int64[4] {1, 1, 128, 128}>()
    top = Constant<value = float {255.0}>()
    unit = Constant<value = float {1.0}>()
    none = Constant<value = float {0.0}>()
    wide = Cast<to = 1>(picture)
    given = Div(wide, top)
    kept = Cast<to = 1>(known)
    share = Div(kept, top)
    hole = Sub(unit, share)
    clean = Mul(given, share)
    image = Resize<mode = "linear", antialias = 1>(clean, , , small)
    soft = Resize<mode = "linear", antialias = 1>(hole, , , one)
    touched = Greater(soft, none)
    mask = Cast<to = 1>(touched)
"""
AFTER = """
    size = Shape(picture)
    large = Resize<mode = "linear">(fill, , , size)
    inside = Mul(large, hole)
    outside = Mul(given, share)
    blended = Add(inside, outside)
    scaled = Mul(blended, top)
    rounded = Round(scaled)
    clipped = Clip(rounded, none, top)
    result = Cast<to = 2>(clipped)
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return tmp_path_factory.mktemp("files")


@pytest.fixture(scope="module")
def smooth(folder):
    return traced(Smooth(), folder / "smooth.pt")


@pytest.fixture(scope="module")
def smooth_onnx(folder):
    return as_onnx(Smooth(), folder / "smooth.onnx", free=True, old=True)


def loaded(text):
    method = methods.get(text)
    method.load()
    return method


def counted(text, found=""):
    """The loaded method, told what was found, and the runs that loading it took."""
    method, runs = methods.get(text), []
    read = method.open

    def opened():
        file = read()
        return file._replace(call=lambda inputs: runs.append(1) or file.call(inputs))

    method.open, method.found = opened, found
    method.load()
    return method, runs


def case(height, width):
    photo = np.ascontiguousarray(data.astronaut()[60 : 60 + height, 150 : 150 + width])
    hole = np.zeros((height, width), bool)
    hole[height // 3 : height // 2, width // 4 : width // 2] = True
    return photo, hole


def agrees(text, ours, sizes):
    """The raw fills are those of our own method."""
    method, own = loaded(text), loaded(ours)
    for height, width in sizes:
        photo, hole = case(height, width)
        fills = [harness.fill(each, photo, hole, 0).raw[hole] for each in (method, own)]
        assert np.abs(fills[0] - fills[1]).max() < 1e-4, (height, width)
    return method


# TorchScript of our own networks


@pytest.mark.parametrize(
    ("network", "ours", "stated", "sizes"),
    [
        (LaMa, "lama:small", '[size]\nkind = "multiple"\nof = 8\npadding = "symmetric"\n'
         "minimum = 16", [(128, 128), (97, 131)]),
        (PENNet, "pennet:small", '[size]\nkind = "fixed"\nside = 128', [(128, 128), (150, 97)]),
        (ContextEncoder, "context_encoder_any:small", 'blank = "black"\nhole = 1',
         [(128, 128), (97, 131)]),
    ],
    ids=lambda each: getattr(each, "__name__", ""),
)  # fmt: skip
def test_torchscript_of_our_networks_fills_as_they_do(tmp_path, network, ours, stated, sizes):
    path = traced(network(), tmp_path / "net.pt")
    path.with_suffix(".toml").write_text(stated)
    agrees(f"a=torchscript:{path}", ours, sizes)


def test_onnx_of_a_context_encoder_fills_as_it_does(folder):
    path = as_onnx(ContextEncoder(), folder / "ce.onnx", old=True)
    with pytest.raises(BenchError, match="cannot be told") as error:
        loaded(f"a=onnx:{path}")
    assert 'blank = "black"  # or ' in str(error.value)  # what is so is among the candidates
    assert "hole = 1  # or 0" in str(error.value)
    method = agrees(
        f"a=onnx:{path}(blank=black, hole=1)", "context_encoder_any:small", [(128, 128), (97, 131)]
    )
    assert (method.facts.values, method.facts.returns) == ("0..1", "-1..1")
    assert method.card.size.side == 128
    by = f"ONNX Runtime {version('onnxruntime')} (CPUExecutionProvider)"
    assert by in method.identity
    assert by in method.card.implementation


@pytest.mark.nightly
def test_onnx_of_a_pen_net_fills_as_it_does(folder):
    path = as_onnx(PENNet(), folder / "pen.onnx")
    method = agrees(f"a=onnx:{path}", "pennet:small", [(128, 128), (150, 97)])
    assert method.facts.values == method.facts.returns == "-1..1"


@pytest.mark.nightly
def test_onnx_of_a_lama_with_its_fourier_transforms_fills_as_it_does(folder):
    lama = as_onnx(LaMa(), folder / "lama.onnx", free=True)
    lama.with_suffix(".toml").write_text(
        '[size]\nkind = "multiple"\nof = 8\npadding = "symmetric"\nminimum = 16'
    )
    method = agrees(f"a=onnx:{lama}", "lama:small", [(128, 128), (97, 131)])
    assert method.facts == Facts(output="fill", pastes=True)
    assert "pastes known pixels" in method.said
    assert "stated: nothing" in method.said


@pytest.mark.parametrize(
    ("header", "before", "after", "facts"),
    [
        (UINT8, BEFORE, AFTER,
         {"dtype": "uint8", "hole": 0, "mask_values": "0..255", "values": "0..255",
          "returns": "0..255", "pastes": True}),
        ("float[1,3,128,128] image, float[1,1,128,128] mask => float[1,3,128,128] out", "",
         "top = Constant<value = float {255.0}>() out = Mul(fill, top)",
         {"values": "0..1", "returns": "0..255", "hole": 1}),
        ("float[1,3,H,W] picture, float[1,1,H,W] mask => float[1,3,H,W] out",
         "order = Constant<value = int64[3] {2, 1, 0}>() image = Gather<axis = 1>(picture, order)",
         "out = Identity(fill)",
         {"channels": "RGB", "returns_channels": "BGR"}),
        ("float[1,3,H,W] picture, float[1,1,H,W] known => float[1,3,H,W] out",
         "unit = Constant<value = float {1.0}>() two = Constant<value = float {2.0}>() "
         "more = Add(picture, unit) image = Div(more, two) mask = Sub(unit, known)",
         "wide = Mul(fill, two) out = Sub(wide, unit)",
         {"values": "-1..1", "returns": "-1..1", "hole": 0}),
        ("float[1,4,H,W] both => float[1,3,H,W] out",
         "parts = Constant<value = int64[2] {3, 1}>() image, mask = Split<axis = 1>(both, parts)",
         "out = Identity(fill)",
         {"inputs": "image+mask", "values": "0..1", "hole": 1}),
        ("float16[1,3,H,W] picture, float16[1,1,H,W] hole => float16[1,3,H,W] out",
         "image = Cast<to = 1>(picture) mask = Cast<to = 1>(hole)", "out = Cast<to = 10>(fill)",
         {"dtype": "float16", "mask_dtype": "float16", "values": "0..1", "pastes": True}),
    ],
    ids=["migan", "carve", "bgr", "inverted", "joined", "half"],
)  # fmt: skip
def test_the_probe_finds_the_facts_of_a_network_with_steps_around_it(
    smooth_onnx, tmp_path, header, before, after, facts
):
    path = wrapped(smooth_onnx, tmp_path / "net.onnx", header, before, after)
    method, runs = counted(f"a=onnx:{path}")
    assert {name: getattr(method.facts, name) for name in facts} == facts
    assert len(runs) < 30


def test_chance_that_no_seed_decides_is_refused(smooth_onnx, tmp_path):
    header = "float[1,3,H,W] image, float[1,1,H,W] mask => float[1,3,H,W] out"
    after = ("noise = RandomUniformLike<low = 0.0, high = 0.02>(fill) more = Mul(noise, mask) "
             "out = Add(fill, more)")  # fmt: skip
    path = wrapped(smooth_onnx, tmp_path / "net.onnx", header, "", after)
    with pytest.raises(BenchError, match="random numbers that no seed reaches"):
        loaded(f"a=onnx:{path}")


# What a probe finds, of a network that takes no time


VARIANTS = {
    "plain": (lambda net, x, m: net(x, m), {"pastes": True}),
    "signed": (lambda net, x, m: net((x + 1) / 2, m) * 2 - 1, {"values": "-1..1",
               "returns": "-1..1"}),
    "bytes": (lambda net, x, m: net(x / 255, m / 255) * 255, {"values": "0..255",
              "mask_values": "0..255", "returns": "0..255"}),
    "inverted": (lambda net, x, m: net(x, 1 - m), {"hole": 0}),
    "out": (lambda net, x, m: net(x, m) * 255, {"values": "0..1", "returns": "0..255"}),
    "swapped": (lambda net, x, m: net(x, m).flip(1), {"returns_channels": "BGR"}),
    "last": (lambda net, x, m: net(x.permute(0, 3, 1, 2), m.permute(0, 3, 1, 2)).permute(
             0, 2, 3, 1), {"layout": "NHWC"}),
    "flat mask": (lambda net, x, m: net(x, torch.where(m, 1.0, 0.0)[:, None]),
                  {"mask_dims": 3, "mask_dtype": "bool"}),
    "second": (lambda net, x, m: {"small": x[..., ::2, ::2], "full": net(x, m)},
               {"output": "full"}),
}  # fmt: skip


@pytest.mark.parametrize("name", VARIANTS)
def test_each_fact_is_found(tmp_path, name):
    steps, facts = VARIANTS[name]
    image, mask = example()
    if name == "last":
        image, mask = image.permute(0, 2, 3, 1), mask.permute(0, 2, 3, 1)
    if name == "flat mask":
        mask = mask[:, 0] > 0
    path = traced(Around(steps), tmp_path / "net.pt", image, mask)
    method = loaded(f"a=torchscript:{path}")
    assert {each: getattr(method.facts, each) for each in facts} == facts
    photo, hole = case(97, 131)
    expected = Smooth()(torch.from_numpy(photo[None] / 255).float().permute(0, 3, 1, 2),
                        torch.from_numpy(hole[None, None]).float())  # fmt: skip
    raw = harness.fill(method, photo, hole, 0).raw
    assert np.abs(raw - expected[0].permute(1, 2, 0).numpy())[hole].max() < 2e-3


@pytest.mark.parametrize(
    ("steps", "facts"),
    [
        (lambda net, j: net(j[:, 1:], j[:, :1]), {"hole": 1, "mask_values": "0..1"}),
        # As MI-GAN's generator: mask and picture around 0.
        (lambda net, j: net((j[:, 1:] + 1) / 2, 0.5 - j[:, :1]) * 2 - 1,
         {"hole": 0, "mask_values": "-0.5..0.5", "values": "-1..1", "returns": "-1..1"}),
        (lambda net, j: net(j[:, 1:], (j[:, :1] >= 0).float()),
         {"hole": 1, "mask_values": "-1..1"}),
    ],
    ids=["plain", "centred", "signed"],
)  # fmt: skip
def test_joined_inputs_are_told_apart(tmp_path, steps, facts):
    image, mask = example()
    path = traced(Around(steps), tmp_path / "net.pt", torch.cat([mask, image], 1))
    found = loaded(f"a=torchscript:{path}").facts
    assert {name: getattr(found, name) for name in facts} == facts
    assert found.inputs == "mask+image"


@pytest.mark.parametrize(
    "wrong", ["hole=0", "values=-1..1", "returns=0..255", "pastes=False", "output=1"]
)
def test_a_wrong_statement_is_contradicted(smooth, wrong):
    name = wrong.partition("=")[0]
    with pytest.raises(BenchError, match=rf"{name} = \S+ is stated|stated: {name}"):
        loaded(f"a=torchscript:{smooth}({wrong})")


@pytest.mark.parametrize("wrong", ["layout=NHWC", "mask_dtype=int64", "inputs=image"])
def test_a_statement_under_which_nothing_runs_is_refused(smooth, wrong):
    with pytest.raises(BenchError, match="takes none of the forms tried"):
        loaded(f"a=torchscript:{smooth}({wrong})")


def test_a_network_that_was_not_trained_is_not_guessed_at(tmp_path):
    torch.manual_seed(0)
    layers = [nn.Conv2d(4, 8, 5, padding=2), nn.ReLU(), nn.Conv2d(8, 3, 5, padding=2), nn.Sigmoid()]
    steps = Around(lambda net, x, m: net(torch.cat([x, m], 1)), nn.Sequential(*layers))
    path = traced(steps, tmp_path / "net.pt")
    with pytest.raises(BenchError, match="not trained") as error:
        loaded(f"a=torchscript:{path}")
    assert "hole = " in str(error.value)
    assert str(path.with_suffix(".toml")) in str(error.value)
    stated = (
        "(inputs='image, mask', hole=1, values=0..1, blank=black, returns=0..1, "
        "returns_channels=RGB, mask_values=0..1)"
    )
    assert "in doubt" in loaded(f"a=torchscript:{path}{stated}").said


def test_a_network_that_leaves_the_hole_is_refused(tmp_path):
    path = traced(Around(lambda net, x, m: x * 1.0), tmp_path / "net.pt")
    with pytest.raises(BenchError, match="leaves holes as they were"):
        loaded(f"a=torchscript:{path}")


def test_chance_in_a_network_is_said_and_follows_the_seed(tmp_path):
    steps = Around(lambda net, x, m: net(x, m) + 0.02 * torch.rand_like(x) * m)
    path = traced(steps, tmp_path / "net.pt")
    method = loaded(f"a=torchscript:{path}")
    assert method.card.stochastic
    photo, hole = case(64, 64)
    fills = [harness.fill(method, photo, hole, seed).raw for seed in (1, 1, 2)]
    assert np.array_equal(fills[0], fills[1])
    assert not np.array_equal(fills[0], fills[2])


def test_imagenet_values_are_tried_once_stated(tmp_path):
    mean, spread = (torch.tensor(each).view(1, 3, 1, 1) for each in
                    ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)))  # fmt: skip
    path = traced(Around(lambda net, x, m: net(x * spread + mean, m)), tmp_path / "net.pt")
    method = loaded(f"a=torchscript:{path}(values=imagenet)")
    assert (method.facts.values, method.facts.returns) == ("imagenet", "0..1")
    assert "in doubt" not in method.said
    with pytest.raises(BenchError, match="values = imagenet is stated"):
        loaded(f"a=torchscript:{traced(Smooth(), tmp_path / 'other.pt')}(values=imagenet)")


def test_half_floats_follow_the_weights(tmp_path):
    same = nn.Conv2d(3, 3, 1, bias=False)
    same.weight.data = torch.eye(3)[..., None, None]
    steps = Around(lambda net, x, m: Smooth()(net(x).float(), m.float()).half(), same.half())
    image, mask = example()
    path = traced(steps, tmp_path / "net.pt", image.half(), mask.half())
    facts = loaded(f"a=torchscript:{path}").facts
    assert (facts.dtype, facts.mask_dtype, facts.pastes) == ("float16", "float16", True)


def test_a_trace_that_holds_for_one_size_alone_is_refused_or_stated(tmp_path):
    def steps(net, x, m):  # at other sizes its fills are 0.5 too bright
        return net(x, m) + 0.5 * m * (torch.ones_like(m).sum() != 128 * 128)

    path = traced(Around(steps), tmp_path / "net.pt")
    with pytest.raises(BenchError, match="traced for one size"):
        loaded(f"a=torchscript:{path}")
    path.with_suffix(".toml").write_text('[size]\nkind = "fixed"\nside = 128')
    assert loaded(f"a=torchscript:{path}").card.size.side == 128


def test_another_process_is_told_what_was_found_and_looks_once(smooth, tmp_path):
    first, runs = counted(f"a=torchscript:{smooth}")
    assert len(runs) < 30
    again, runs = counted(f"a=torchscript:{smooth}", first.found)
    assert len(runs) == 1
    assert (again.facts, again.card, again.said) == (first.facts, first.card, first.said)
    assert again.identity == first.identity
    other = traced(Around(lambda net, x, m: net(x, 1 - m)), tmp_path / "net.pt")
    with pytest.raises(BenchError, match="where the run began"):
        counted(f"a=torchscript:{other}", first.found)


# Facts


def test_what_is_stated_are_facts(smooth, tmp_path):
    for words, found in (
        ("(holes=1)", "holes.*Did you mean hole"), ("(hole=2)", "hole: expected one of 1, 0"),
        ("(hole=True)", "hole: expected"), ("(blank=pink)", "blank: expected one of black"),
        ("(blank=(1, 2, 256))", "blank: expected"), ("(values=0-1)", "values: expected"),
    ):  # fmt: skip
        with pytest.raises(BenchError, match=found):
            methods.get(f"a=torchscript:{smooth}{words}")
    path = tmp_path / "net.pt"
    shutil.copy(smooth, path)
    path.with_suffix(".toml").write_text('hole = 0\n[card]\ntitle = "Theirs"')
    method = loaded(f"a=torchscript:{path}(hole=1)")
    assert method.card.title == "Theirs"
    assert "stated: hole 1" in method.said
    assert "hole 1" in method.identity
    assert methods.get(f"a=torchscript:{path}").identity not in method.identity


@pytest.mark.parametrize(
    "facts",
    [
        Facts(values=values, returns=values, channels=order, returns_channels=order, hole=hole,
              layout=layout)
        for values in ("0..1", "-1..1", "0..255") for order in ("RGB", "BGR") for hole in (0, 1)
        for layout in ("NCHW", "NHWC")
    ],
    ids=str,
)  # fmt: skip
def test_what_goes_in_comes_out(facts):
    image, mask = example(16)
    picture, marked = encode(facts, image, mask)
    out = decode(facts, {"0": picture}, image)
    assert torch.allclose(out, torch.where(mask > 0, 0.0, image), atol=1e-5)
    assert torch.equal(marked.reshape(mask.shape), mask if facts.hole else 1 - mask)


# Other files


def test_what_is_no_such_file_is_named(tmp_path, smooth):
    weights = tmp_path / "weights.pt"
    torch.save({"a": torch.ones(1)}, weights)
    old = tmp_path / "old.pt"
    torch.save({"a": torch.ones(1)}, old, _use_new_zipfile_serialization=False)
    exported = tmp_path / "net.pt2"
    torch.export.save(torch.export.export(nn.Conv2d(3, 3, 1), (torch.ones(1, 3, 8, 8),)), exported)
    cut = tmp_path / "cut.pt"
    cut.write_bytes(smooth.read_bytes()[:2000])
    other = tmp_path / "other.pt"
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("a/readme", "")
    page = tmp_path / "page.pt"
    page.write_text("<!DOCTYPE html><html>404</html>")
    pointer = tmp_path / "pointer.pt"
    pointer.write_text("version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 3\n")
    nothing = tmp_path / "nothing.pt"
    nothing.touch()
    for path, found in (
        (weights, "weights without a network"), (old, "old form"), (exported, "pt2"),
        (cut, "cut off"), (other, "something else"), (page, "web page"), (pointer, "git lfs pull"),
        (nothing, "empty file"),
    ):  # fmt: skip
        with pytest.raises(BenchError, match=found):
            loaded(f"a=torchscript:{path}")
    for path, found in (
        (page, "web page"), (pointer, "git lfs pull"), (nothing, "empty file"),
        (smooth, "such as TorchScript"),
    ):  # fmt: skip
        with pytest.raises(BenchError, match=found):
            loaded(f"a=onnx:{path}")


def test_a_part_of_an_onnx_file_is_said_to_be_cut_off(folder, tmp_path):
    whole = as_onnx(ContextEncoder(), tmp_path / "net.onnx", old=True).read_bytes()
    path = tmp_path / "cut.onnx"
    path.write_bytes(whole[: len(whole) // 2])
    with pytest.raises(BenchError, match="may be cut off"):
        loaded(f"a=onnx:{path}")


def graph(path, inputs, nodes, outputs, **more):
    made = helper.make_graph(
        nodes, "g",
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in inputs],
        [helper.make_tensor_value_info(name, kind, shape) for name, kind, shape in outputs],
    )  # fmt: skip
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    import onnx

    onnx.save(model, path, **more)
    return path


@pytest.mark.parametrize(
    ("shapes", "found"),
    [
        ([("image", (1, 3, 64, 64)), ("mask", (1, 1, 64, 64)), ("edges", (1, 1, 64, 64))],
         "image, mask, edges"),
        ([("image", (1, 3, 64, 96)), ("mask", (1, 1, 64, 96))], "squares"),
        ([("image", (4, 3, 64, 64)), ("mask", (4, 1, 64, 64))], "batch of 1"),
        ([("image", (1, 5, 64, 64)), ("mask", (1, 1, 64, 64))], "none of the forms"),
    ],
)  # fmt: skip
def test_inputs_that_nothing_fits_are_named(tmp_path, shapes, found):
    inputs = [(name, TensorProto.FLOAT, shape) for name, shape in shapes]
    nodes = [helper.make_node("Mul", ["image", "mask"], ["out"])]
    path = graph(tmp_path / "net.onnx", inputs, nodes, [("out", TensorProto.FLOAT, shapes[0][1])])
    with pytest.raises(BenchError, match=found):
        loaded(f"a=onnx:{path}")


def test_the_values_in_another_file_are_part_of_the_identity(tmp_path):
    import onnx

    path = as_onnx(ContextEncoder(), tmp_path / "net.onnx", old=True)
    onnx.save(onnx.load(path), path, save_as_external_data=True, location="net.onnx.data")
    before = methods.get(f"a=onnx:{path}").identity
    there = tmp_path / "net.onnx.data"
    assert there in methods.get(f"a=onnx:{path}").files
    content = bytearray(there.read_bytes())
    content[-1] ^= 1
    there.write_bytes(content)
    assert methods.get(f"a=onnx:{path}").identity != before
    there.unlink()
    with pytest.raises(BenchError, match=r"net\.onnx\.data, which is not beside it"):
        methods.get(f"a=onnx:{path}")


def test_without_onnx_runtime_the_command_that_installs_it_is_said(tmp_path, monkeypatch):
    path = as_onnx(ContextEncoder(), tmp_path / "net.onnx", old=True)
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(BenchError, match=r"pip install 'inpaint-bench\[onnx\]'"):
        loaded(f"a=onnx:{path}")


def test_onnx_runs_where_it_was_asked_to_or_nowhere(tmp_path):
    path = as_onnx(ContextEncoder(), tmp_path / "net.onnx", old=True)
    method = Onnx("a", target=str(path))
    method.device = torch.device("cuda")  # which this machine need not have to refuse it
    import onnxruntime

    if "CUDAExecutionProvider" in onnxruntime.get_available_providers():
        pytest.skip("the ONNX Runtime here has CUDA")
    with pytest.raises(BenchError, match="onnxruntime-gpu"):
        method.load()


def test_a_run_says_what_it_found_and_keeps_fills(tmp_path, smooth, monkeypatch, capsys):
    (tmp_path / "photos").mkdir()
    Image.fromarray(case(96, 96)[0]).save(tmp_path / "photos" / "a.png")
    words = ["run", "--methods", f"a=torchscript:{smooth},b=torchscript:{smooth}(hole=0)",
             "--tiers", "region", "--images", str(tmp_path / "photos"), "--metrics", "psnr_db",
             "--no-report", "--executor", "inline", "--out", str(tmp_path / "run")]  # fmt: skip
    probes, find = [], probe.find
    monkeypatch.setattr(probe, "find", lambda *each: probes.append(1) or find(*each))
    main(words)
    said = capsys.readouterr().err
    assert "a: torchscript smooth.pt: found inputs image, mask, NCHW float32" in said
    assert "hole = 0 is stated, but hole = 1 fits better" in said
    assert len(probes) == 3  # of the first before the run only; the second might load later
    main(words)
    assert "made anew" not in capsys.readouterr().err
