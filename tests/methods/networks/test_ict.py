"""ICT: its settings, tokens, sampling, the adapter, the palette."""

import hashlib
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch

import methods
from bench.cli import main
from bench.errors import BenchError, WeightsMissing
from methods import harness, weights
from methods.networks.ict import sampling, tokens
from methods.networks.ict.network import Stages
from methods.networks.ict.transformer import Transformer
from methods.networks.ict.upsampler import Upsampler
from methods.verification import CannotRebuild, Part
from methods.verification.case import read
from methods.verification.networks import ict
from methods.verification.verify import verify
from tests.support.golden_files import FOLDER, outcome
from tests.support.network_kit import CONTRAST, CUBE, ICT_SMALL, NETWORKS, scene

STATE = NETWORKS["ict"].state


def small_transformer(seed=0, **changes):
    network = Transformer(**({"positions": 64, "layers": 2, "width": 32, "heads": 4} | changes))
    Part("t", None, "module", str(seed), {"": 1.0}).fill(network)
    return network.eval()


def random_tokens(rows=1, share=0.3, seed=0, positions=64):
    stream = torch.Generator().manual_seed(seed)
    given = torch.randint(0, 512, (rows, positions), generator=stream)
    return given, torch.rand(rows, positions, generator=stream) < share


def draws(masked, seed=0):
    return sampling.by_uniforms(sampling.uniforms(masked, torch.Generator().manual_seed(seed)))


def test_each_choice_of_weights_has_its_network_and_files():
    sizes = {"places2": 111_383_040, "ffhq": 96_276_480, "imagenet": 442_967_040}
    card = methods.card("ict")
    assert tuple(choice for choice in card.weights if choice != "small") == tuple(sizes)
    for choice, size in sizes.items():
        method = methods.get(f"ict:{choice}")
        with torch.device("meta"):
            network = method.build(method.config)
        assert sum(p.numel() for p in network.transformer.parameters()) == size
        assert sum(p.numel() for p in network.upsampler.parameters()) == 10_780_867
        assert [each.part for each in method.checkpoints] == ["transformer", "upsampler", "palette"]
    files = {each.file for each in card.checkpoints if each.choice != "small"}
    assert len(files) == 3 + 3 + 1  # the palette is one for all


def assert_reproduced(result):
    assert result.reason == ""
    assert result.comparisons
    assert [each for each in result.comparisons if not each.passed] == []


@pytest.mark.parametrize("case", ["prep256_32", "prep256_48", "prep200x320_32"])
def test_tokens_are_those_of_the_published_preparation(case):
    """With the palette made by rule alone; the next test needs the published one."""
    golden = read(FOLDER / "ict.npz")
    (found,) = [each for each in golden.cases if each.name == case]
    (row,) = [key for key in found.arrays if key.endswith("official_palette")]
    del found.arrays[row]
    palette = found.inputs[2]
    assert [each["name"] for each in found.inputs[2:]] == ["palette", "official_palette"]
    found.inputs[3] = palette | {"name": "official_palette"}
    golden.cases[:] = [found]
    (result,) = verify(ict, golden)
    assert_reproduced(result)


@pytest.mark.parametrize("case", ["prep256_32", "prep256_48", "prep200x320_32"])
def test_tokens_are_those_of_the_published_palette(case, shared_data, monkeypatch):
    monkeypatch.setenv("INPAINT_BENCH_DATA", str(shared_data))
    assert_reproduced(outcome("ict", "ict.npz", case))


def test_the_published_palette_is_known_by_its_hashes(shared_data):
    palette = methods.card("ict").files()[2]
    stored = weights.load(shared_data / "ict" / "kmeans_centers.npy", palette)
    colours = tokens.colours(stored[""])
    assert colours[:2].tolist() == [[241, 212, 177], [50, 125, 197]]
    assert hashlib.sha256(colours.numpy().tobytes()).hexdigest().startswith("3ff6c1211d810c9e")


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"temperature": 0.5}, "expected temperature 1"),
        ({"schedule": "spiral"}, "expected temperature 1 and a known schedule"),
        ({"draw": "greedy"}, "expected uniforms for the draw uniform"),
        ({"grid": [8, 4]}, "expected a square grid"),
        ({"block_size": 99}, "expected a block_size of all tokens"),
        ({"dropout": 0.1}, "found dropout"),
    ],
)
def test_a_case_that_asks_for_something_else_is_not_rebuilt(changes, message):
    golden = read(FOLDER / "ict.npz")
    (case,) = [each for each in golden.cases if each.name == "tiny_sequential_uniform"]
    golden.cases[:] = [replace(case, config={**case.config, **changes})]
    (result,) = verify(ict, golden)
    assert message in result.reason
    with pytest.raises(CannotRebuild, match="upside down"):
        ict.derive("upside down", {})


def test_an_input_may_not_take_the_name_of_the_settings():
    golden = read(FOLDER / "ict.npz")
    (case,) = [each for each in golden.cases if each.name == "e2e"]
    constant = {"name": "config", "make": "constant", "value": 0, "shape": [1]}
    golden.cases[:] = [replace(case, inputs=[*case.inputs, constant])]
    (result,) = verify(ict, golden)
    assert "an input is named config" in result.reason


def test_what_is_under_the_mask_is_of_no_account_and_all_the_rest_is():
    network = small_transformer()
    given, masked = random_tokens()
    masked[0, [0, 63]] = torch.tensor([True, False])
    other = given.where(~masked, (given + 1) % 512)
    with torch.inference_mode():
        before = network(given, masked)
        assert torch.equal(before, network(other, masked))
        later = given.clone()
        later[0, 63] = (later[0, 63] + 1) % 512
        assert (before - network(later, masked))[0, 0].abs().max() > 1e-3


def test_attention_is_the_softmax_of_scaled_products():
    attention = small_transformer().blocks[0].attn
    x = torch.randn(2, 10, 32, generator=torch.Generator().manual_seed(1))
    query, key, value = (
        layer(x).view(2, 10, 4, 8).transpose(1, 2)
        for layer in (attention.query, attention.key, attention.value)
    )
    shares = (query @ key.mT / 8**0.5).softmax(-1)
    expected = attention.proj((shares @ value).transpose(1, 2).reshape(2, 10, 32))
    assert (attention(x, x) - expected).abs().max() < 1e-5


def test_places_asked_for_are_those_of_the_whole():
    network = small_transformer()
    given, masked = random_tokens(rows=2)
    places = torch.tensor([[3, 60, 3], [0, 1, 2]])
    with torch.inference_mode():
        whole, some = network(given, masked), network(given, masked, places)
    assert (some - whole.take_along_dim(places[..., None], 1)).abs().max() < 1e-5


def test_both_networks_can_be_trained():
    network = Stages(**ICT_SMALL).train()
    given, masked = random_tokens(rows=2)
    logits = network.transformer(given, masked)
    loss = torch.nn.functional.cross_entropy(logits[masked], given[masked])
    assert abs(loss.item() - np.log(512)) < 0.5  # nothing learnt yet
    image, hole = torch.rand(1, 3, 32, 32), torch.ones(1, 1, 32, 32)
    (loss + network.upsampler(image, hole, image).mean()).backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in network.parameters())


def test_the_upsampler_does_not_look_into_the_hole():
    network, hole = Upsampler(8, 1), torch.zeros(1, 1, 24, 16)
    hole[..., 5:15, 3:9] = 1
    image, prior = torch.rand(2, 1, 3, 24, 16)
    other = image.where(hole == 0, torch.rand_like(image))
    assert torch.equal(network(image, hole, prior), network(other, hole, prior))


def test_of_equally_near_colours_the_first_is_taken():
    palette = np.array([[9, 9, 9], [2, 0, 0], [0, 0, 0], [0, 0, 0]], np.uint8)
    pixels = np.array([[1, 0, 0], [0, 0, 0], [255, 255, 255]], np.uint8)
    assert tokens.nearest_colours(pixels, palette).tolist() == [1, 2, 0]


@pytest.mark.parametrize("grid", [32, 48])
def test_a_token_is_masked_if_any_pixel_of_its_cell_is_hole(grid):
    hole = np.random.default_rng(0).random((256, 256)) < 0.002
    masked = tokens.covering_mask(hole, grid)
    edges = np.arange(grid + 1) * 256 / grid
    expected = np.zeros((grid, grid), bool)
    for y, x in np.argwhere(hole):
        rows = (edges[:-1] < y + 1) & (edges[1:] > y)
        expected |= rows[:, None] & ((edges[:-1] < x + 1) & (edges[1:] > x))
    assert np.array_equal(masked, expected)
    assert 0 < masked.sum() < grid**2


def test_a_thin_hole_vanishes_by_the_published_rule_only():
    hole = np.zeros((256, 256), bool)
    hole[:, 0] = True
    assert not tokens.nearest_mask(hole, 32).any()
    assert tokens.covering_mask(hole, 32).sum() == 32


def naive(network, given, masked, numbers, top_k):
    """One row, one whole forward per token, with NumPy's search."""
    given, masked = given.clone(), masked.clone()
    for number, place in zip(numbers, masked[0].nonzero()[:, 0], strict=True):
        logits = network(given, masked)[0, place].double().numpy()
        kept = np.where(logits >= np.sort(logits)[-top_k], np.exp(logits - logits.max()), 0)
        given[0, place] = np.searchsorted(kept.cumsum() / kept.sum(), number, side="right")
        masked[0, place] = False
    return given


def test_tokens_are_drawn_as_by_a_plain_loop():
    network = small_transformer()
    given, masked = random_tokens()
    numbers = sampling.uniforms(masked, torch.Generator().manual_seed(5))
    with torch.inference_mode():
        drawn, passes = sampling.fill(network, given, masked, sampling.by_uniforms(numbers))
        expected = naive(network, given, masked, numbers[0].numpy(), 40)
    assert torch.equal(drawn, expected)
    assert passes == masked.sum()
    assert torch.equal(drawn[~masked], given[~masked])
    assert not torch.equal(drawn, given)


@pytest.mark.parametrize("per_pass", [1, 4, 64])
def test_rows_with_other_masks_do_not_influence_each_other(per_pass):
    network = small_transformer()
    given, masked = random_tokens(rows=3)
    masked[1, 5:] = False
    masked[2] = False
    numbers = sampling.uniforms(masked, torch.Generator().manual_seed(0))
    with torch.inference_mode():
        together, passes = sampling.fill(
            network, given, masked, sampling.by_uniforms(numbers), per_pass
        )
        for row in range(3):
            alone, _ = sampling.fill(
                network,
                given[row : row + 1],
                masked[row : row + 1],
                sampling.by_uniforms(numbers[row : row + 1]),
                per_pass,
            )
            assert torch.equal(together[row], alone[0])
    assert passes == -(-int(masked[0].sum()) // per_pass)
    assert torch.equal(together[2], given[2])


def test_the_first_token_of_a_pass_is_the_same_however_many_follow():
    network = small_transformer()
    given, masked = random_tokens()
    with torch.inference_mode():
        results = [sampling.fill(network, given, masked, draws(masked), n)[0] for n in (1, 8, 64)]
    first = int(masked[0].nonzero()[0])
    assert len({int(each[0, first]) for each in results}) == 1
    assert not torch.equal(results[0], results[2])


def test_only_the_likeliest_colours_and_their_equals_can_be_drawn():
    logits = torch.tensor([[5.0, 1.0, 3.0, 3.0, 0.0]])
    assert (sampling.probabilities(logits, 2) > 0).tolist() == [[True, False, True, True, False]]
    assert (sampling.probabilities(logits, 99) > 0).all()
    chances = torch.tensor([[0.0, 0.5, 0.0, 0.5]], dtype=torch.float64)
    places = torch.zeros(1, dtype=torch.int64)
    for number, token in ((0.0, 1), (0.499, 1), (0.5, 3), (1 - 1e-12, 3)):
        draw = sampling.by_uniforms(torch.tensor([[number]], dtype=torch.float64))
        assert draw(chances, places, places).tolist() == [token]


def test_numbers_of_the_first_picture_do_not_depend_on_the_others():
    _, masked = random_tokens(rows=2)
    both = sampling.uniforms(masked, torch.Generator().manual_seed(3))
    alone = sampling.uniforms(masked[:1], torch.Generator().manual_seed(3))
    assert torch.equal(both[0, : alone.shape[1]], alone[0])


def test_the_adapter_shows_the_tokens_it_drew(loaded):
    photo, hole = scene()
    result = harness.fill(loaded("ict"), photo, hole, 0)
    prior = result.pictures["prior"].permute(1, 2, 0).numpy()
    assert np.abs(result.raw - (np.tanh(CONTRAST * (prior - 0.5)) + 1) / 2).max() < 1e-5
    assert result.counts == {"tokens_masked": 3 * 4, "passes": 3 * 4}
    # Far enough from the hole, tokens are those of the photo, and nothing else is seen.
    far = tokens.nearest_colours(tokens.squeezed(photo, 8), CUBE.astype(np.uint8))
    expected = tokens.prior(far, CUBE.astype(np.uint8), 64, 64)
    assert np.abs(prior[60:] * 255 - expected[60:]).max() < 1e-3


@pytest.mark.parametrize(
    ("variant", "passes"), [("", 12), ("@step8", 2), ("@onepass", 1), ("@nearest", 12)]
)
def test_variants_take_their_number_of_passes(loaded, variant, passes):
    method = loaded("ict", asked=f"ict{variant}")
    counts = harness.fill(method, *scene(), 0).counts
    assert counts == {"tokens_masked": 12, "passes": passes}


def test_a_hole_that_no_token_sees_takes_no_pass(loaded):
    method = loaded("ict", asked="ict@nearest")
    photo, hole = scene()
    hole[:] = False
    hole[:, 0] = True
    result = harness.fill(method, photo, hole, 0)
    assert result.counts == {"tokens_masked": 0, "passes": 0}


def test_the_list_asks_for_the_files_that_are_missing_only(folder, monkeypatch, capsys):
    (folder / "ict-places2-upsampler.pth").touch()
    monkeypatch.setattr(sys.modules["methods.card"], "SMALL", folder)  # none come with it
    assert main(["list"]) == 0
    assert (
        "run: inpaint-bench weights add ict-places2-transformer FILE && "
        "inpaint-bench weights fetch ict-palette\n"
    ) in capsys.readouterr().out


def test_variants_of_another_distribution_are_titled_as_no_published_mode():
    titles = {name: methods.get(f"ict{name}").card.title for name in ("", "@nearest")}
    assert titles == {"": "ICT", "@nearest": "ICT"}
    for name in ("@step8", "@onepass"):
        title = methods.get(f"ict{name}").card.title
        assert title.endswith("another distribution (not a published mode)")


@pytest.mark.skipif(not Path("/proc/self/maps").exists(), reason="needs Linux's list of mappings")
def test_what_is_not_kept_of_a_file_is_not_read_into_memory(folder):
    NETWORKS["ict"].forms["places2"](folder, STATE)
    path = folder / "ict-places2-transformer.pth"
    state = weights.load(path, methods.card("ict").checkpoints[0], wrapper="model")
    assert "pos_emb" in state
    assert str(path) in Path("/proc/self/maps").read_text()


def test_a_missing_palette_is_asked_for(folder):
    NETWORKS["ict"].forms["places2"](folder, STATE)
    (folder / "ict-palette.npy").unlink()
    with pytest.raises(WeightsMissing, match="run: inpaint-bench weights fetch ict-palette"):
        NETWORKS["ict"].method.load()


def test_another_palette_is_refused(folder):
    NETWORKS["ict"].forms["places2"](folder, STATE)
    np.save(folder / "ict-palette.npy", CUBE.astype(np.float32) / 255)
    with pytest.raises(BenchError, match="expected SHA-256"):
        methods.get("ict:places2").load()


def test_an_array_file_of_objects_is_refused(tmp_path):
    path = tmp_path / "objects.npy"
    np.save(path, np.array([{}], dtype=object), allow_pickle=True)
    with pytest.raises(BenchError, match="tensors"):
        weights.load(path, weights.Checkpoint("objects", path.name))
