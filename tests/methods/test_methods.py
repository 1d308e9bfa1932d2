"""The table of methods: names, labels, plug-ins, cards."""

import importlib.metadata
import re
import subprocess
import sys
from pathlib import Path

import pytest

import methods
from bench.errors import BenchError, ContractError
from methods import naming
from methods.card import Card, SizeRule, read

CARDS = Path(methods.__file__).parent / "cards"
BUILT_IN = (
    "telea", "navier_stokes", "biharmonic", "patchmatch", "shift_map", "mean", "noise", "original",
)  # fmt: skip

OWN = """
import torch
from methods.base import Inpainter
from methods.card import Card

class Black(Inpainter):
    card = Card("black", "Black", "floor")

    def infer(self, images, masks, generator):
        return images

class Renamed(Black):
    def load(self): ...
    def __init__(self, name="", *, device="cpu"):
        super().__init__("original", device=device)

class NoDevice(Black):
    def __init__(self, name=""):
        super().__init__(name)

class Tiny(Black):
    card = Card("tiny", "Tiny", "CNN", weights=("big",), variants=("fast",))

class NoCard(Inpainter): ...

class Stranger: ...
"""


@pytest.fixture
def own(tmp_path, monkeypatch):
    """A module of the user's in the current directory."""
    (tmp_path / "my_own_methods.py").write_text(OWN)
    (tmp_path / "my_broken_methods.py").write_text("import a_module_nobody_has")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    yield "my_own_methods"
    sys.modules.pop("my_own_methods", None)


@pytest.fixture
def plug_in(monkeypatch):
    """Announce entry points as installed packages would."""

    def announce(**points):
        found = [
            importlib.metadata.EntryPoint(name, value, methods.GROUP)
            for name, value in points.items()
        ]
        monkeypatch.setattr(naming, "entry_points", lambda group: found)

    return announce


def test_all_families_of_methods_are_in_the_table():
    assert set(BUILT_IN) <= set(methods.names())


@pytest.mark.parametrize("name", BUILT_IN)
def test_a_built_in_method_is_made_under_its_own_name(name):
    method = methods.get(name)
    assert method.name == name
    assert method.card == methods.card(name)


def test_every_card_belongs_to_a_method_and_says_what_a_report_needs():
    for path in CARDS.glob("*.toml"):
        card = read(path.stem)
        assert path.stem in {*methods.names(), "folder", *methods.spec.ADAPTERS}
        assert card.name == path.stem
        assert card.title
        assert card.summary
        assert card.licence


def test_only_noise_is_stochastic_and_the_slow_one_stays_out_of_the_default_job():
    cards = [methods.card(name) for name in BUILT_IN]
    assert [card.name for card in cards if card.stochastic] == ["noise"]
    assert [card.name for card in cards if not card.default] == ["shift_map"]


def test_listing_and_reading_cards_imports_no_heavy_library():
    code = (
        "import sys, methods; [methods.card(name) for name in methods.names()];"
        "print(sorted({'torch', 'numpy', 'cv2', 'skimage', 'patchmatch'} & set(sys.modules)))"
    )
    root = Path(methods.__file__).parents[1]
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=root, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_unknown_name_is_answered_with_close_ones_and_the_list():
    with pytest.raises(BenchError, match=r"Did you mean telea\?.*navier_stokes.*module:Class"):
        methods.parse("talea")


def test_a_name_like_no_other_gets_no_guess():
    with pytest.raises(BenchError) as error:
        methods.parse("zzzzzz")
    assert "Did you mean" not in str(error.value)


@pytest.mark.parametrize("text", ["", "a b", "telea:", "telea@", ":x", "telea::x", "../x", "a,b"])
def test_malformed_names_are_refused_with_the_grammar(text):
    with pytest.raises(BenchError, match=r"NAME\[:WEIGHTS\]"):
        methods.parse(text)


@pytest.mark.parametrize(("text", "kind"), [("telea:big", "weights"), ("mean@fast", "variant")])
def test_weights_and_variants_that_a_method_does_not_have_are_refused(text, kind):
    with pytest.raises(BenchError, match=f"has no {kind}"):
        methods.parse(text)


def test_weights_and_variants_that_a_card_lists_are_taken(monkeypatch):
    card = Card("telea", "T", "CNN", weights=("big", "small"), variants=("fast",))
    monkeypatch.setattr(naming, "read", lambda name: card)
    spec = methods.parse("telea:big@fast")
    assert (spec.base, spec.weights, spec.variant) == ("telea", "big", "fast")
    assert spec.name == "telea:big@fast"
    assert spec.file_name == "telea--big@fast"
    with pytest.raises(BenchError, match="it has big, small"):
        methods.parse("telea:huge")


def test_an_own_class_in_the_current_directory_is_a_method(own):
    spec = methods.parse(f"theirs={own}:Black")
    assert (spec.kind, spec.name, spec.file_name) == ("class", "theirs", "theirs")
    assert methods.card(spec).title == "Black"
    assert methods.get(spec).name == "theirs"


def test_a_folder_is_a_method(tmp_path):
    method = methods.get(f"theirs=folder:{tmp_path}")
    assert method.name == "theirs"
    assert not method.timed
    assert methods.card(f"theirs=folder:{tmp_path}").family == "elsewhere"


@pytest.mark.parametrize("label", ["original", "Original", "telea", "MEAN"])
def test_a_label_may_not_pass_for_a_built_in_method(label):
    with pytest.raises(BenchError, match="built-in"):
        methods.parse(f"{label}=folder:somewhere")


@pytest.mark.parametrize("label", ["", "a b", "..", "a/b", "a:b", "-x", "a--b", "ä"])
def test_labels_that_would_not_do_as_a_folder_name_are_refused(label):
    with pytest.raises(BenchError, match="expected a label"):
        methods.parse(f"{label}=folder:somewhere")


@pytest.mark.parametrize("target", ["", "module", "module:", ":Class", "a-b:C", "x.py:C:D"])
def test_targets_that_are_no_class_path_are_refused(target):
    with pytest.raises(BenchError, match="expected module:Class"):
        methods.parse(f"mine={target}")


def test_a_folder_without_path_is_refused():
    with pytest.raises(BenchError, match="found no path"):
        methods.parse("mine=folder:")


def test_a_failing_import_is_told_with_its_cause(own):
    with pytest.raises(BenchError, match="a_module_nobody_has") as error:
        methods.get("mine=my_broken_methods:Any")
    assert isinstance(error.value.__cause__, ModuleNotFoundError)


def test_a_class_that_is_not_in_the_module_is_told(own):
    with pytest.raises(BenchError, match="Blakc"):
        methods.get(f"mine={own}:Blakc")


@pytest.mark.parametrize(
    ("name", "complaint"),
    [
        ("Stranger", "subclass of methods.base.Inpainter"),
        ("NoCard", "to have a card"),
        ("Renamed", "found 'original'"),
        ("NoDevice", r"Class\(name, device=...\)"),
    ],
)
def test_classes_that_break_the_contract_are_refused(own, name, complaint):
    with pytest.raises(ContractError, match=complaint):
        methods.get(f"mine={own}:{name}")


def test_an_installed_plug_in_is_a_name(own, plug_in, monkeypatch, tmp_path):
    monkeypatch.syspath_prepend(tmp_path)
    plug_in(black=f"{own}:Black")
    assert methods.names()[-1] == "black"
    assert methods.parse("black").kind == "plug-in"
    assert methods.get("black").name == "black"


def test_a_plug_in_may_not_take_a_built_in_name(plug_in):
    plug_in(telea="elsewhere:Telea")
    cards, broken = methods.inventory()
    assert "methods.classical:Telea and the plug-in elsewhere:Telea" in broken["telea"]
    assert cards["telea"] == methods.card("telea")
    assert methods.parse("telea").target == "methods.classical:Telea"


def test_two_plug_ins_may_not_share_a_name(monkeypatch):
    points = [importlib.metadata.EntryPoint("x", f"{m}:X", methods.GROUP) for m in "ab"]
    monkeypatch.setattr(naming, "entry_points", lambda group: points)
    with pytest.raises(BenchError, match="a:X and the plug-in b:X"):
        methods.parse("x")
    assert "a:X and the plug-in b:X" in methods.inventory()[1]["x"]


def test_a_broken_plug_in_is_told_and_costs_no_other(own, plug_in, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(tmp_path)
    plug_in(brk="my_broken_methods:Any", black=f"{own}:Black", card=f"{own}:NoCard", gone="no:No")
    cards, broken = methods.inventory()
    assert list(cards)[-1] == "black"
    assert broken.keys() == {"brk", "card", "gone"}
    assert "a_module_nobody_has" in broken["brk"]
    assert "to have a card" in broken["card"]
    assert methods.get("black").name == "black"
    with pytest.raises(BenchError, match="a_module_nobody_has"):
        methods.get("brk")


def test_weights_and_variants_that_a_plug_in_does_not_list_are_refused(
    own, plug_in, tmp_path, monkeypatch
):
    monkeypatch.syspath_prepend(tmp_path)
    plug_in(tiny=f"{own}:Tiny", black=f"{own}:Black")
    assert methods.get("tiny:big@fast").name == "tiny:big@fast"
    with pytest.raises(BenchError, match=r"has no weights 'bog'; it has big\. Did you mean big\?"):
        methods.get("tiny:bog")
    with pytest.raises(BenchError, match="black has no weights 'nope'; it has none"):
        methods.card("black:nope")
    with pytest.raises(BenchError, match="has no variant 'typo'"):
        methods.get("black@typo")
    with pytest.raises(BenchError, match="ways to run a network; black has none"):
        methods.get("black@bf16")


@pytest.mark.parametrize(
    ("text", "name"), [("LaMa", "lama"), ("LAMA:small", "lama:small"), ("lama:Small", "lama:small")]
)
def test_a_name_in_other_letters_is_the_one_it_can_only_mean(text, name):
    spec = methods.parse(text)
    assert (spec.name, spec.stored) == (name, name)


@pytest.mark.parametrize("name", ["gpu", "cuda:99", "cpu:1", "meta"])
def test_a_device_that_is_not_there_is_refused(name):
    with pytest.raises(BenchError, match=f"device '{name}'"):
        methods.get("mean", device=name)


@pytest.mark.parametrize(
    "rule",
    [
        {"kind": "some"},
        {"kind": "multiple"},
        {"kind": "multiple", "of": 8, "padding": "mirror"},
        {"kind": "fixed"},
    ],
)
def test_size_rules_that_fit_nothing_are_refused(rule):
    with pytest.raises(BenchError, match="size rule"):
        SizeRule(**rule)


def test_a_choice_named_untrained_is_never_the_first(tmp_path, monkeypatch):
    choices = ("untrained-attention", "b", "a")
    text = "".join(
        f'[[checkpoints]]\nchoice = "{each}"\nname = "{each}"\nfile = "{each}.pth"\n'
        for each in choices
    )
    (tmp_path / "x.toml").write_text(f'title = "X"\nfamily = "CNN"\n{text}')
    monkeypatch.setattr(sys.modules["methods.card"], "_FOLDER", tmp_path)
    card = read("x")
    assert card.weights == ("b", "a", "untrained-attention")
    assert [each.name for each in card.files()] == ["b"]


def test_what_is_known_of_a_licence_of_weights_is_said_in_one_form():
    stated = {
        each.licence
        for name in methods.names()
        for each in methods.card(name).checkpoints
        if not each.file.endswith(".safetensors")
    }
    assert stated
    form = r"not stated for the weights; (authors'|the port's|MMagic's|image-gpt's) code: .+"
    assert [each for each in stated if not re.fullmatch(form, each)] == []


def test_recipes_for_converting_weights_are_python_and_where_cards_say_they_are():
    root = Path(methods.__file__).parents[1]
    page = (root / "docs" / "weights.md").read_text("utf-8")
    recipes = re.findall(r"```python\n(.*?)```", page, re.DOTALL)
    assert recipes
    assert all(compile(recipe, "docs/weights.md", "exec") for recipe in recipes)
    for choice in ("official-places2", "official-celebahq", "official-celeba"):
        (file,) = methods.card("deepfill").files(choice)
        assert "docs/weights.md" in file.origin


def test_a_card_of_an_unknown_family_is_refused():
    with pytest.raises(BenchError, match="family 'magic'"):
        Card("x", "X", "magic")


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        ('title = "X"\nfamily = "floor"\ncolour = 1', "unknown fields colour"),
        ('title = "X"\nfamily = "floor"\n[size]\nsides = 3', "sides"),
        ('family = "floor"', "title"),
        ("title = ", "card of method 'x'"),
    ],
)
def test_damaged_cards_are_refused_by_name(tmp_path, monkeypatch, text, complaint):
    (tmp_path / "x.toml").write_text(text)
    # By way of sys.modules: the attribute `methods.card` is the function of that name.
    monkeypatch.setattr(sys.modules["methods.card"], "_FOLDER", tmp_path)
    with pytest.raises(BenchError, match=complaint):
        read("x")


def test_size_rules_are_readable():
    assert str(SizeRule(maximum_pixels=100)) == "any size, up to 100 pixels"
    assert str(SizeRule("multiple", of=8)) == "padded to a multiple of 8 (reflect)"
    assert str(SizeRule("fixed", side=512)) == "resized to 512 x 512"
