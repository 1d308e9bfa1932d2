"""What names ask for, and how classes of the user's are found and made."""

import subprocess
import sys
from pathlib import Path

import pytest

import methods
from bench.errors import BenchError, ContractError
from methods.card import Card, SizeRule

NET = """
import torch
from helper import LEVEL
from methods.base import (
    Card, CaseKey, Declined, Fill, Inpainter, PictureInpainter, SizeRule, WeightsMissing,
)

class Net(Inpainter):
    card = Card("net", "Net", "other", size=SizeRule())

    def __init__(self, name="", *, device="cpu", ckpt="", level=LEVEL):
        super().__init__(name, device=device)
        if ckpt == "gone.pt":
            raise FileNotFoundError(ckpt)
        self.ckpt, self.level = ckpt, level

    def infer(self, images, masks, generator):
        import helper

        return images + helper.LEVEL * masks

class Needs(Net):
    def __init__(self, name="", *, device="cpu", ckpt):
        super().__init__(name, device=device, ckpt=ckpt)

class Takes(Net):
    def __init__(self, name="", *, device="cpu", **settings):
        super().__init__(name, device=device, **settings)
"""


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """The current directory, with two versions of a project in it."""
    for version in ("one", "two"):
        (tmp_path / version / "parts").mkdir(parents=True)
        (tmp_path / version / "net.py").write_text(NET)
        (tmp_path / version / "helper.py").write_text(
            "import parts.levels\nfrom parts import levels as same\n"
            "assert parts.levels is same\nLEVEL = same.LEVEL\n"
        )
        (tmp_path / version / "parts" / "levels.py").write_text(f"LEVEL = '{version}'\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("telea,mean", ["telea", "mean"]),
        ("telea, mean ,", ["telea", "mean"]),
        ("", []),
        ("a=n.py:N(x=1,y=2),mean", ["a=n.py:N(x=1,y=2)", "mean"]),
        ("a=n:N(x=(1,[2,3]),y={'a': 2}),b=m:M()", ["a=n:N(x=(1,[2,3]),y={'a': 2})", "b=m:M()"]),
        ("a=m:M(text='a (b, c'),mean", ["a=m:M(text='a (b, c')", "mean"]),
        ("a=m:M(text=the dog's, n=1),mean", ["a=m:M(text=the dog's, n=1)", "mean"]),
        ("a=folder:out (1),mean", ["a=folder:out (1)", "mean"]),
        ("a=folder:out(,mean", ["a=folder:out(", "mean"]),
        ("a=folder:out),mean", ["a=folder:out)", "mean"]),
    ],
)  # fmt: skip
def test_lists_are_cut_at_commas_outside_of_parentheses(text, names):
    assert methods.split(text) == names


@pytest.mark.parametrize("name", ["net (1).onnx", "a,(b) c/net(2).onnx", "net (x=1)"])
@pytest.mark.parametrize("given", ["", "(hole=0)", "(order='a(b', size=(1, 2))"])
def test_brackets_of_a_path_that_is_there_are_its_own(tmp_path, name, given):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    path.touch()
    text = f"a=onnx:{path}{given}"
    assert methods.split(f"{text},mean") == [text, "mean"]
    spec = methods.look_up(text)
    assert spec.target == str(path)
    keys = {key for key, _ in spec.parameters}
    assert keys == {key for key in ("hole", "order", "size") if f"{key}=" in given}


def test_a_ring_of_links_is_a_file_that_is_not_there(tmp_path):
    (tmp_path / "net.pt").symlink_to("net.pt")
    with pytest.raises(BenchError, match="found none"):
        methods.get(f"a=torchscript:{tmp_path / 'net.pt'}")


@pytest.mark.parametrize("name", ["x,y", "x, y,z", "lama,mean"])
def test_a_path_with_commas_is_one_where_it_is_there(tmp_path, name):
    (tmp_path / name).mkdir()
    text = f"telea,a=folder:{tmp_path / name}, mean"
    assert methods.split(text) == ["telea", f"a=folder:{tmp_path / name}", "mean"]
    (tmp_path / name).rmdir()
    assert len(methods.split(text)) > 3


@pytest.mark.parametrize(
    ("given", "parameters"),
    [
        ("", {}),
        ("ckpt=a.pt", {"ckpt": "a.pt"}),
        ("ckpt=/x/y-1.pt, steps=3", {"ckpt": "/x/y-1.pt", "steps": 3}),
        ("lr=1e-3, on=True, off=None", {"lr": 1e-3, "on": True, "off": None}),
        ("sizes=[1,2], grid=(3, 4), d={'a': 1}", {"sizes": [1, 2], "grid": (3, 4), "d": {"a": 1}}),
        ("prompt='a, b=(c'", {"prompt": "a, b=(c"}),
        ('prompt="the dog\'s bone"', {"prompt": "the dog's bone"}),
        ("prompt=the dog's bone", {"prompt": "the dog's bone"}),
        ("url=http://x/?a=b", {"url": "http://x/?a=b"}),
        ("word=007", {"word": "007"}),
    ],
)
@pytest.mark.parametrize("target", ["net.py:Net", "pkg.net:Net"])
def test_parameters_are_literals_or_text(target, given, parameters):
    spec = methods.parse(f"mine={target}({given})")
    assert dict(spec.parameters) == parameters
    again = methods.parse(spec.stored)
    assert (again.parameters, again.target, again.asked) == (
        spec.parameters, spec.target, spec.asked,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ("level", "expected key=value"),
        ("level=", "expected key=value"),
        ("a b=1", "expected key=value"),
        ("a=1, a=2", "a is given twice"),
        ("name=x", "name is not for the user"),
        ("device=cuda", "device is not for the user"),
        ("a=[1", "not closed"),
        ("a=(1]", "not closed"),
        ("a='x", "not closed"),
        ("a='x'y", "no literal"),
        ("a=false", "write False or 'false'"),
    ],
)
def test_parameters_that_could_be_misread_are_refused(given, complaint):
    with pytest.raises(BenchError, match=complaint):
        methods.parse(f"mine=net.py:Net({given})")


def test_what_was_asked_for_says_nothing_of_labels_and_places(folder):
    asked = {
        methods.parse(text).asked
        for text in (
            "a=one/net.py:Net(level=2, ckpt=x)", "b=two/net.py:Net(ckpt='x',level=2)",
            "c=net:Net(ckpt=x, level=2)",
        )
    }  # fmt: skip
    assert asked == {"class Net(ckpt='x', level=2)"}
    assert methods.parse("a=folder:one").asked == methods.parse("b=folder:two").asked == "folder"
    different = ["lama", "lama:small", "lama:small@bf16", "relama", "a=net:Net", "a=net:Net(x=1)",
                 "a=lama:w.pt", "a=lama@bf16:w.pt", "a=lama:w.pt(config=small)"]  # fmt: skip
    assert len({methods.parse(text).asked for text in different}) == len(different)
    assert methods.get("a=one/net.py:Net(ckpt=x)").asked == "class Net(ckpt='x')"


@pytest.mark.parametrize(
    "text",
    ["telea", "lama:small@bf16", "a=folder:one", "a=trained:one", "a=one/net.py:Net(x=1.5)",
     "a=lama@bf16:w.pt", "a=lama:w.pt(config=small)", "a=~/w/net.py:Net"],
)  # fmt: skip
def test_the_stored_text_means_the_same_elsewhere(folder, monkeypatch, text):
    here = methods.parse(text)
    monkeypatch.chdir("/")
    there = methods.parse(here.stored)
    assert there.stored == here.stored
    assert (there.target, there.name, there.asked) == (here.target, here.name, here.asked)


def test_a_module_may_have_the_name_of_a_network(folder):
    assert methods.parse("a=lama:Net").kind == "class"
    (folder / "Net").touch()
    assert methods.parse("a=lama:Net").kind == "own weights"


def test_checkpoints_of_one_class_are_two_methods(folder):
    one = methods.get("a=one/net.py:Net(ckpt=a.pt)")
    other = methods.get("b=one/net.py:Net(ckpt=b.pt, level=3)")
    assert (one.name, one.ckpt, one.level) == ("a", "a.pt", "one")
    assert (other.name, other.ckpt, other.level) == ("b", "b.pt", 3)
    assert type(one) is type(other)


def test_versions_of_a_project_keep_their_own_helpers(folder):
    """At import, and when a helper is imported later, in whatever order they are used."""
    made = {each: methods.get(f"a={each}/net.py:Net") for each in ("one", "two")}
    assert {each: method.level for each, method in made.items()} == {"one": "one", "two": "two"}
    for each, method in made.items():
        with pytest.raises(TypeError):
            method.infer(0, 1, None)
        late = sys.modules[type(method).__module__.partition(".")[0] + ".helper"]
        assert late.LEVEL == each  # noqa: SIM300
    assert not {"helper", "parts", "net"} & set(sys.modules)


def test_a_changed_file_is_read_anew(folder):
    before = methods.get("a=one/net.py:Net")
    (folder / "one/helper.py").write_text("LEVEL = 'changed, and longer'\n")
    after = methods.get("a=one/net.py:Net")
    assert (before.level, after.level) == ("one", "changed, and longer")
    assert type(before).__module__ == type(after).__module__


def test_nothing_compiled_is_left_for_the_users_own_python(folder):
    methods.get("a=one/net.py:Net")
    code = "import sys; sys.path.insert(0, 'one'); import helper; print(helper.LEVEL)"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, cwd=folder
    )
    assert done.stdout == "one\n"


def test_modules_beside_a_file_are_no_ones_elses(folder):
    (folder / "one/masks.py").write_text("HERE = 1\n")
    (folder / "one/methods").mkdir()
    (folder / "one/methods/__init__.py").write_text("raise RuntimeError('a stranger')\n")
    (folder / "one/helper.py").write_text(
        "from masks import HERE\nimport methods.base, torch, json.decoder\nLEVEL = HERE\n"
    )
    method = methods.get("a=one/net.py:Net")
    assert method.level == 1
    from masks import tiers

    assert Path(tiers.__file__).parent != folder / "one"


@pytest.mark.parametrize(
    ("target", "complaint"),
    [
        (
            "one/nett.py:Net",
            r"expected a Python file .*nett\.py, found none\. Did you mean net\.py",
        ),
        ("nowhere/net.py:Net", "expected a Python file"),
        ("one/net.py:net", r"no 'net'; it has Net, Needs, Takes\. Did you mean Net\?"),
        ("one/net.py:Net(lvl=1)", r"no parameter 'lvl'; those it takes: ckpt, level\."),
        ("one/net.py:Net(Level=1)", r"Did you mean level\?"),
        ("one/net.py:Needs", r"Needs needs ckpt; write Needs\(ckpt=\.\.\.\)"),
        ("one/net.py:Needs(level=1)", "takes no parameter 'level'"),
        ("one/binary.py:Net", "expected Python in .*binary.py, found SyntaxError"),
        ("one/syntax.py:Net", "expected Python in .*syntax.py, found SyntaxError"),
        ("one/imports.py:Net", "No module named 'nobody_has_this'.*beside it"),
        ("one/exits.py:Net", "SystemExit"),
    ],
)
def test_what_is_wrong_with_a_file_is_told(folder, target, complaint):
    (folder / "one/binary.py").write_bytes(b"\0\xff\xfe")
    (folder / "one/syntax.py").write_text("def (")
    (folder / "one/imports.py").write_text("import nobody_has_this")
    (folder / "one/exits.py").write_text("import sys; sys.exit('usage: me')")
    with pytest.raises(BenchError, match=complaint):
        methods.get(f"mine={target}")


@pytest.mark.parametrize("parameters", ["ckpt=gone.pt", "ckpt=gone.pt, level=1"])
def test_a_constructor_that_fails_is_told_with_its_parameters(folder, parameters):
    with pytest.raises(
        ContractError, match=r"ckpt='gone.pt'.*FileNotFoundError.*\(net.py:\d+ in __init__\)"
    ):
        methods.get(f"mine=one/net.py:Net({parameters})")
    with pytest.raises(ContractError, match="unexpected keyword argument 'colour'"):
        methods.get("mine=one/net.py:Takes(colour=red)")
    assert methods.get("mine=one/net.py:Takes(level=2)").level == 2


def test_the_current_directory_comes_last_and_only_for_classes_of_it(folder, monkeypatch):
    (folder / "torch.py").write_text("raise RuntimeError('a stranger')\n")
    (folder / "mine_here.py").write_text(NET.replace("from helper import LEVEL", "LEVEL = 1"))
    before = list(sys.path)
    assert methods.get("mine=mine_here:Net").level == 1
    assert sys.path == before
    del sys.modules["mine_here"]
    monkeypatch.chdir("/")
    with pytest.raises(BenchError, match="No module named 'mine_here'"):
        methods.get("mine=mine_here:Net")


@pytest.mark.parametrize(
    ("facts", "words"),
    [
        ({"title": 3}, "title: expected a text, found 3"),
        ({"cost": "much"}, "cost: expected a number"),
        ({"size": "any"}, "size: expected a SizeRule"),
        ({"stochastic": "yes"}, "stochastic: expected True or False"),
    ],
)
def test_a_card_of_other_types_is_refused_where_it_is_made(facts, words):
    with pytest.raises(BenchError, match=f"card 'x': {words}"):
        Card(**{"name": "x", "title": "X", "family": "other"} | facts)
    with pytest.raises(BenchError, match="size rule: of: expected a whole number"):
        SizeRule("multiple", of="8")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("torchscript:net.pt", "write LABEL=torchscript:net.pt"),
        ("folder:outputs", "write LABEL=folder:outputs"),
        ("mine=torchscrpt:net.pt", "kinds folder, .*Did you mean torchscript"),
        ("mine=difusers:pipeline", "cannot be imported.*Did you mean diffusers"),
        ("mine=hf:a/b@main/net.onnx", "say of what kind.*mine=lama:hf:a/b@main/net.onnx"),
        ("mine=command:one/net.py", r"net\.py: expected a TOML file.*net\.toml"),
    ],
)
def test_what_is_wrong_with_a_kind_is_told(folder, name, complaint):
    with pytest.raises(BenchError, match=complaint):
        methods.get(name)
