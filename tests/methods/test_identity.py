"""What a fill depends on: what changes the identity of a method, and what does not."""

import collections
import functools
import importlib
import random
import sys

import numpy as np
import pytest
import torch

import methods
from bench.errors import Unhashable
from methods import identity, sources
from methods.base import Inpainter
from methods.card import Card, SizeRule
from methods.identity import after_load, before_load, must_load
from methods.sources import code_of
from methods.state import Digest

NET = '''
"""A network of somebody."""
import torch
import helper_{tag}
from methods.base import Inpainter
from methods.card import Card


class Net(Inpainter):
    """Fills with grey."""

    card = Card("net", "Net", "other")

    def infer(self, images, masks, generator):
        """Add grey."""
        return images + 0.5 * masks * helper_{tag}.gain()  # half
'''
HELPER = '''
"""Helps."""
def gain():
    return 1.0
'''


@pytest.fixture
def project(tmp_path, monkeypatch, request):
    """Two modules of a user, one of which imports the other, under names of this test only."""
    tag = f"t{abs(hash(request.node.name)) % 10**8}"
    monkeypatch.syspath_prepend(tmp_path)
    files = {"net": tmp_path / f"net_{tag}.py", "helper": tmp_path / f"helper_{tag}.py"}
    files["net"].write_text(NET.format(tag=tag))
    files["helper"].write_text(HELPER)

    def code() -> str:
        for name in [name for name in sys.modules if name.endswith(tag)]:
            del sys.modules[name]
        importlib.invalidate_caches()
        return code_of(importlib.import_module(f"net_{tag}").Net)[0]

    return files, code


def edited(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [
        ("net", "# half", "# a half, as the paper says"),
        ("net", '"""Fills with grey."""', '"""Fills holes with a grey.\n\n    See there.\n    """'),
        ("helper", '"""Helps."""', ""),
        ("helper", "def gain():\n", "def gain():\n\n    # one\n"),
    ],
)
def test_words_for_readers_do_not_count(project, file, old, new):
    files, code = project
    before = code()
    edited(files[file], old, new)
    assert code() == before


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("net", "0.5", "0.6"), ("helper", "1.0", "2.0"), ("helper", "return 1.0", "return -1.0")],
)
def test_code_counts_also_of_a_module_that_is_imported(project, file, old, new):
    files, code = project
    before = code()
    edited(files[file], old, new)
    assert code() != before


def test_a_moved_module_of_ours_changes_nothing(tmp_path, monkeypatch):
    monkeypatch.setattr(sources, "OURS", sources.OURS | {"here_a", "there_b"})
    monkeypatch.syspath_prepend(tmp_path)
    for place in ("here_a", "there_b/deep_b"):
        (tmp_path / place).mkdir(parents=True)
        dots = place.replace("/", ".")
        (tmp_path / place / "grey.py").write_text("def grey():\n    return 0.5\n")
        (tmp_path / place / "use.py").write_text(
            f"from {dots}.grey import grey\nclass Use:\n    fill = grey\n"
        )
    kinds = [importlib.import_module(f"{name}.use").Use for name in ("here_a", "there_b.deep_b")]
    assert code_of(kinds[0]) == code_of(kinds[1])


def test_an_environment_variable_that_is_read_by_name_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    text = (
        "import os\nclass Reads:\n    def fill(self):\n        return os.environ.get('MY_GAIN')\n"
    )
    (tmp_path / "reads_variable.py").write_text(text)
    kind = importlib.import_module("reads_variable").Reads
    found = set()
    for value in ("1", "2"):
        monkeypatch.setenv("MY_GAIN", value)
        found.add(code_of(kind)[0])
    assert len(found) == 2


def test_libraries_count_by_version_and_ours_by_code():
    _, libraries = code_of(type(methods.get("lama")))
    named = {line.split()[0]: line.split()[1] for line in libraries}
    assert named["torch"] == torch.__version__.partition("+")[0]
    assert named["numpy"] == np.__version__
    assert not {"methods", "bench"} & named.keys()
    behind = sources.modules_behind(type(methods.get("lama")))
    assert {"methods.layers.ffc", "methods.pretrained", "methods.sizes"} <= set(behind)
    assert not any(name.startswith(("bench", "methods.weights.download")) for name in behind)


def test_what_another_environment_has_installed_counts_by_version_too(tmp_path, monkeypatch):
    libraries = tmp_path / "elsewhere" / "site-packages"
    libraries.mkdir(parents=True)
    (libraries / "library_elsewhere.py").write_text("GREY = 0.5\n")
    (tmp_path / "uses_it.py").write_text("import library_elsewhere\nclass Uses: pass\n")
    monkeypatch.syspath_prepend(libraries)
    monkeypatch.syspath_prepend(tmp_path)
    kind = importlib.import_module("uses_it").Uses
    code, named = code_of(kind)
    (libraries / "library_elsewhere.py").write_text("GREY = 0.75  # and longer\n")
    assert code_of(kind) == (code, named)
    assert named == ["library_elsewhere unknown"]


def test_code_that_no_file_holds_cannot_be_hashed():
    kind = type(
        "FromACell", (Inpainter,), {"__module__": "__main__", "card": Card("x", "X", "other")}
    )
    shown = sys.modules["__main__"]
    had = shown.__dict__.pop("__file__", None)
    try:
        with pytest.raises(Unhashable, match="__main__ cannot be read"):
            before_load(kind("x"))
    finally:
        if had is not None:
            shown.__file__ = had


def made(gain: float, title: str = "X"):
    class Made(Inpainter):
        card = Card("made", title, "other")

        def load(self):
            self.network = torch.nn.Conv2d(3, 3, 1)
            torch.nn.init.constant_(self.network.weight, gain)
            torch.nn.init.zeros_(self.network.bias)
            self.levels = {"grey": torch.tensor(gain), "name": title}

        def infer(self, images, masks, generator):
            return images

    return Made


def loaded(kind) -> str:
    method = kind("made")
    method.load()
    return after_load(method)


def test_what_load_left_counts():
    assert loaded(made(0.5)) == loaded(made(0.5))
    assert loaded(made(0.5)) != loaded(made(0.6))
    assert must_load(made(0.5)("made"))
    assert not must_load(methods.get("lama:small"))
    assert not must_load(methods.get("telea"))


def test_a_buffer_that_is_not_saved_counts():
    def kind(value):
        class Hidden(Inpainter):
            card = Card("hidden", "Hidden", "other")

            def load(self):
                self.network = torch.nn.Identity()
                self.network.register_buffer("scale", torch.tensor(value), persistent=False)

        return Hidden

    assert loaded(kind(1.0)) != loaded(kind(2.0))


def test_the_card_counts_as_far_as_it_changes_fills():
    method = made(0.5)("made")
    before = method.identity
    method.card = Card("made", "Another title", "other", summary="Said better.")
    assert method.identity == before
    method.card = Card("made", "X", "other", size=SizeRule("fixed", side=64))
    assert method.identity != before


def test_named_files_count_by_content(tmp_path):
    file = tmp_path / "net.pt"
    seen = set()
    for content in (b"a", b"b", b"a"):
        file.write_bytes(content)
        method = made(0.5)("made")
        method.files = [file]
        seen.add(method.identity)
    assert len(seen) == 2


def digest(value) -> str:
    found = Digest()
    found.add(value)
    return str(found)


@pytest.mark.parametrize(
    "value",
    [
        1, 1.0, "1", b"1", None, True, (1, 2), [1, 2], {"a": 1}, {1, 2}, np.arange(3),
        np.arange(3.0), torch.arange(3), torch.arange(3.0), torch.arange(3.0, dtype=torch.bfloat16),
        torch.nn.Conv2d(1, 1, 1), np.random.default_rng(0), torch.Generator().manual_seed(1),
        SizeRule(), SizeRule("fixed", side=8), torch.float32, int, Digest,
    ],
)  # fmt: skip
def test_every_kind_of_value_has_a_hash_of_its_own_that_stays(value):
    assert digest(value) == digest(value)
    assert digest(value) != digest([value])


def test_values_that_print_alike_differ():
    values = [1, 1.0, "1", b"1", True, (1,), [1], {1}, {1: None}, np.array(1), torch.tensor(1)]
    assert len({digest(value) for value in values}) == len(values)


def test_a_value_that_holds_itself_has_a_hash():
    inner: list = [1]
    inner.append(inner)
    assert digest(inner) == digest(inner)


def test_what_cannot_be_hashed_says_so(tmp_path):
    with (tmp_path / "open").open("w") as stream, pytest.raises(Unhashable, match="TextIOWrapper"):
        digest({"log": stream})


def test_a_set_has_one_hash_in_any_order():
    names = [f"name{i}" for i in range(50)]
    assert digest(set(names)) == digest(set(reversed(names)))


def test_the_harness_counts_for_every_method(monkeypatch):
    method = methods.get("telea")
    before = method.identity
    assert f"harness {identity.harness()[0]} " in before
    monkeypatch.setattr(identity, "harness", lambda: ("another", []))
    assert method.identity != before


def test_a_script_is_hashed_by_its_file():
    assert code_of(type(made(0.5)("made")))[0] == code_of(sys.modules[__name__])[0]


class Slotted:
    __slots__ = ("level",)

    def __init__(self, level):
        self.level = level


def test_what_is_held_where_only_c_code_sees_it_is_hashed_or_refused():
    def pad(value):
        return value

    pairs = [
        (functools.partial(pad, value=1), functools.partial(pad, value=9)),
        (random.Random(1), random.Random(2)),
        (Slotted(1), Slotted(2)),
        (collections.OrderedDict(a=1), collections.OrderedDict(a=2)),
    ]
    for one, other in pairs:
        assert digest(one) == digest(one)
        assert digest(one) != digest(other), one
    with pytest.raises(Unhashable, match="Tensor"):
        digest(torch.ones(2, 2).to_sparse())


@pytest.mark.filterwarnings("ignore:`torch.jit.(script|load)` is deprecated")
def test_an_archive_counts_by_its_parameters_attributes_and_code(tmp_path):
    class Scaled(torch.nn.Module):
        def __init__(self, weight, scale):
            super().__init__()
            self.weight = torch.nn.Parameter(torch.tensor(weight))
            self.scale = scale

        def forward(self, x):
            return x * self.weight * self.scale

    def archive(weight, scale):
        path = tmp_path / "net.pt"
        torch.jit.script(Scaled(weight, scale)).save(str(path))
        return torch.jit.load(str(path))

    assert digest(archive(1.0, 2.0)) == digest(archive(1.0, 2.0))
    assert len({digest(archive(*each)) for each in ((1.0, 2.0), (1.0, 3.0), (2.0, 2.0))}) == 3


def test_weights_behind_a_name_of_the_module_count(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "holds_global.py").write_text(
        "import torch\nfrom methods.base import Card, Inpainter\nNET = {}\n"
        "class Net(Inpainter):\n"
        "    card = Card('net', 'Net', 'other')\n"
        "    def load(self):\n"
        "        NET['it'] = torch.nn.Linear(1, 1)\n"
    )
    kind = importlib.import_module("holds_global").Net
    assert loaded(kind) != loaded(kind)  # of random weights


def test_where_something_is_imported_from_counts(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    found = set()
    for place in ("math", "cmath"):
        (tmp_path / f"uses_{place}.py").write_text(
            f"from {place} import sqrt\nclass Use: f = sqrt\n"
        )
        found.add(code_of(importlib.import_module(f"uses_{place}").Use)[0])
    assert len(found) == 2


def test_a_report_is_no_part_of_a_method_written_against_the_public_face(tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "uses_face.py").write_text(
        "import inpaint_bench as ib\nclass Net(ib.Inpainter):\n"
        "    card = ib.Card('net', 'Net', 'other')\n"
    )
    kind = importlib.import_module("uses_face").Net
    assert sources.modules_behind(kind) == ["uses_face"]
    assert "torch" in kind("net").identity  # through which every fill passes


def test_one_named_file_may_be_a_text_and_must_be_there(tmp_path):
    file = tmp_path / "net.pt"
    method = made(0.5)("made")
    method.files = str(file)
    with pytest.raises(Unhashable, match=r"net\.pt cannot be read"):
        before_load(method)
    file.write_bytes(b"a")
    one = before_load(method)
    file.write_bytes(b"b")
    assert before_load(method) != one
