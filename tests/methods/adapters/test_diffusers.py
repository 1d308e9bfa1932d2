"""Pipelines of diffusers as methods: tiny random components, saved to disk and loaded from it.

What they fill with is noise; it says nothing of any method.
"""

import importlib
import os
import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from PIL import Image

import methods
from bench.errors import BenchError, WeightsMissing
from methods import harness, sizes
from methods.base import CaseKey, Inpainter, to_float, to_uint8
from methods.conformance.subject import scene
from tests.support import hub, tiny_pipelines

pytestmark = [pytest.mark.nightly, pytest.mark.filterwarnings("default")]
KINDS = {
    "sd": (tiny_pipelines.stable_diffusion, "StableDiffusionInpaintPipeline", 8),
    "blending": (tiny_pipelines.blending, "StableDiffusionInpaintPipeline", 8),
    "sdxl": (tiny_pipelines.stable_diffusion_xl, "StableDiffusionXLInpaintPipeline", 8),
    "fill": (tiny_pipelines.flux, "FluxFillPipeline", 16),
    "flux": (lambda: tiny_pipelines.flux("FluxInpaintPipeline"), "FluxInpaintPipeline", 16),
    "kontext": (
        lambda: tiny_pipelines.flux("FluxKontextInpaintPipeline"),
        "FluxKontextInpaintPipeline", 16,
    ),
}  # fmt: skip
PHOTO, HOLE = scene(64, 96)
PAGE = (Path(__file__).parents[3] / "docs/methods/diffusers.md").read_text("utf-8")


@pytest.fixture(scope="module")
def saved(tmp_path_factory) -> Path:
    """A folder of pipelines, each saved under its name."""
    pytest.importorskip("transformers")
    pytest.importorskip("diffusers")
    folder = tmp_path_factory.mktemp("pipelines")
    made = {name: make for name, (make, _, _) in KINDS.items()}
    made |= {"black": tiny_pipelines.black, "text": tiny_pipelines.text_to_image}
    for name, make in made.items():
        make().save_pretrained(folder / name)
    return folder


def loaded(folder: Path, words: str = "steps=3") -> Inpainter:
    method = methods.get(f"mine=diffusers:{folder}({words})")
    method.load()
    return method


def called(folder: Path, kind: str, photo: np.ndarray, hole: np.ndarray, seed: int, **more):
    """The pipeline called by hand, in the way of its documentation."""
    import diffusers

    pipe = getattr(diffusers, kind).from_pretrained(folder)
    known = to_float(photo[None]) * ~torch.from_numpy(hole)
    smooth = sizes.from_neighbours(known, torch.from_numpy(hole[None, None]).float())
    height, width = hole.shape
    if kind == "FluxKontextInpaintPipeline":
        more |= {"_auto_resize": False, "max_area": height * width}
    with torch.inference_mode():
        found = pipe(
            image=Image.fromarray(to_uint8(smooth)[0]),
            mask_image=Image.fromarray(hole.astype(np.uint8) * 255),
            height=height, width=width, generator=torch.Generator().manual_seed(seed),
            output_type="np", **more,
        )  # fmt: skip
    return found.images[0]


@pytest.mark.parametrize("name", KINDS)
def test_a_fill_is_what_a_direct_call_gives(saved, name):
    _, kind, multiple = KINDS[name]
    method = loaded(saved / name, "steps=3, prompt='a cat'")
    assert f"multiple of {multiple}" in str(method.card.size)
    filled = harness.fill(method, PHOTO, HOLE, seed=7)
    more = {"prompt": "a cat", "num_inference_steps": 3, "strength": 1.0}
    expected = called(saved / name, kind, PHOTO, HOLE, 7, **more)
    assert np.array_equal(filled.raw, expected)
    assert kind in method.said
    assert "num_inference_steps 3," in method.said
    assert "strength 1.0" in method.card.limits


@pytest.mark.parametrize("name", KINDS)
def test_what_lies_under_the_hole_is_not_seen_and_the_seed_decides(saved, name):
    method = loaded(saved / name)
    first = harness.fill(method, PHOTO, HOLE, seed=1).raw
    other = np.where(HOLE[..., None], 255 - PHOTO, PHOTO)
    assert np.array_equal(harness.fill(method, other, HOLE, seed=1).raw, first)
    assert not np.array_equal(harness.fill(method, PHOTO, HOLE, seed=2).raw, first)
    assert np.array_equal(harness.fill(method, PHOTO, HOLE, seed=1).raw, first)
    assert method.card.stochastic


def test_sizes_are_padded_or_as_asked(saved):
    photo, hole = scene(75, 101)
    assert harness.fill(loaded(saved / "fill"), photo, hole, 0).picture.shape == photo.shape
    method = loaded(saved / "sd", "steps=2, size=64")
    assert str(method.card.size) == "resized to 64 x 64"
    assert harness.fill(method, photo, hole, 0).picture.shape == photo.shape
    with pytest.raises(BenchError, match="size: expected a multiple of 8, found 60"):
        loaded(saved / "sd", "size=60")


def test_what_was_asked_for_is_used_and_what_was_not_is_recorded(saved):
    words = "steps=3, guidance=2, negative='x', scheduler=UniPCMultistepScheduler, eta=0.5"
    method = loaded(saved / "sd", words)
    assert "guidance_scale 2," in method.said
    assert "eta 0.5, negative_prompt 'x'; UniPCMultistepScheduler; float32" in method.said
    assert "num_inference_steps 50*, guidance_scale 7.5*" in loaded(saved / "sd", "eta=0").said
    assert "(its own default is 0.9999)" in loaded(saved / "sdxl").said
    assert "guidance_scale 30.0*" in loaded(saved / "fill").said
    assert "; bfloat16;" in loaded(saved / "sd", "dtype=bfloat16").said


def test_prompts_matter_and_come_from_the_case_unless_given(saved):
    method = loaded(saved / "sd")
    case = CaseKey("a.png", "small", 0)
    fills = [
        harness.fill(method, PHOTO, HOLE, 0, case._replace(prompt=prompt)).raw
        for prompt in ("a cat", "", "a cat")
    ]
    assert np.array_equal(fills[0], fills[2])
    assert not np.array_equal(fills[0], fills[1])
    given = loaded(saved / "sd", "steps=3, prompt='a cat'")
    assert np.array_equal(harness.fill(given, PHOTO, HOLE, 0, case).raw, fills[0])
    assert (method.prompted, given.prompted) == (True, False)
    assert "2 of 3 fills have no prompt" in method.expect([case, case._replace(prompt="x"), case])
    assert given.expect([case]) is None


def test_a_black_picture_is_a_failure(saved):
    method = loaded(saved / "black", "steps=2")
    with pytest.raises(BenchError, match="all-black picture"):
        harness.fill(method, PHOTO, HOLE, 0)
    assert not harness.fill(method, np.zeros_like(PHOTO), HOLE, 0).picture.any()


@pytest.mark.parametrize(
    ("name", "words", "message"),
    [
        ("text", "steps=3", "StableDiffusionPipeline, which takes no image and no mask_image; "
         "its weights may do with pipeline=StableDiffusionInpaintPipeline"),
        ("sd", "pipeline=StableDiffusionControlNetInpaintPipeline", "needs control_image too"),
        ("sd", "pipeline=RePaintPipeline", "takes white for what is known"),
        ("sd", "pipeline=KandinskyV22InpaintPipeline", "needs image_embeds, .* too"),
        ("sd", "pipeline=StableInpaint", "expected a pipeline of diffusers .*, found 'StableInpa"),
        ("sd", "step=3", "takes no step; it takes .*Did you mean steps"),
        ("fill", "negative='x'", r"FluxFillPipeline takes no negative \(negative_prompt\)"),
        ("sd", "strength=0.6", "starts? from what lies under the hole"),
        ("sd", "padding_mask_crop=32", "padding_mask_crop is not for the user to give"),
        ("sd", "scheduler=Euler", "scheduler: expected one of .*, found 'Euler'.* Did you mean E"),
        ("sd", "dtype=half", "dtype: expected float32, float16, bfloat16, found 'half'"),
        ("sd", "offload=model", "expected model or sequential, with a --device other than cpu"),
        ("sd", "revision=main", "revision: of a repository"),
        ("", "steps=3", "cannot be read as a pipeline: .*model_index.json"),
    ],
)  # fmt: skip
def test_what_cannot_be_served_is_refused_by_name(saved, name, words, message):
    with pytest.raises(BenchError, match=message):
        loaded(saved / name, words)


def test_the_weights_of_another_pipeline_may_do(saved):
    words = "steps=3, pipeline=StableDiffusionInpaintPipeline"
    filled = harness.fill(loaded(saved / "text", words), PHOTO, HOLE, 3)
    expected = called(
        saved / "text", "StableDiffusionInpaintPipeline", PHOTO, HOLE, 3, prompt="",
        num_inference_steps=3,
    )  # fmt: skip
    assert np.array_equal(filled.raw, expected)


def test_other_weights_in_the_folder_are_another_identity(saved, tmp_path):
    method = loaded(saved / "sd")
    assert loaded(saved / "sd").identity == method.identity != loaded(saved / "black").identity
    assert loaded(saved / "sd", "steps=4").identity != method.identity


def test_the_extra_is_named_where_it_is_missing(saved, monkeypatch):
    monkeypatch.setitem(sys.modules, "diffusers", None)
    with pytest.raises(BenchError, match=r"run: pip install 'inpaint-bench\[diffusers\]'"):
        loaded(saved / "sd")


def test_a_repository_is_taken_from_the_cache_by_its_commit(saved, tmp_path, monkeypatch):
    library = importlib.import_module("huggingface_hub")
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_CACHE", str(tmp_path / "cache"))
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", False)
    asked = "mine=diffusers:acme/nets(steps=3)"
    with pytest.raises(WeightsMissing, match=r"fetches no pipeline; run: hf download acme/nets$"):
        methods.get(asked).load()
    files = hub.files_of(saved / "sd")
    with hub.served(hub.Hub({hub.FIRST: files, hub.SECOND: files})) as server:
        for revision in (None, hub.SECOND):
            library.snapshot_download(
                "acme/nets", revision=revision, endpoint=server.url, token=False
            )
    method = methods.get(asked)  # the server is gone
    method.load()
    expected = harness.fill(loaded(saved / "sd"), PHOTO, HOLE, 5).raw
    assert np.array_equal(harness.fill(method, PHOTO, HOLE, 5).raw, expected)
    assert f"acme/nets at commit {hub.FIRST}" in method.identity
    assert method.weights_note == f"acme/nets at commit {hub.FIRST}"
    pinned = methods.get(f"mine=diffusers:acme/nets(steps=3, revision={hub.SECOND})")
    pinned.load()
    assert hub.SECOND in pinned.identity
    with pytest.raises(WeightsMissing, match=r"run: hf download acme/nets --revision v9$"):
        methods.get("mine=diffusers:acme/nets(revision=v9)").load()
    with pytest.raises(BenchError, match="expected a folder or OWNER/REPO"):
        methods.get("mine=diffusers:a/b/c").load()
    with pytest.raises(BenchError, match=r"expected a folder or OWNER/REPO .* found .nowhere"):
        methods.get("mine=diffusers:nowhere").load()


def command(words: list[str], folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "bench", *words], cwd=folder, capture_output=True, text=True,
        timeout=600, env={**os.environ, "HF_ENDPOINT": "http://127.0.0.1:9"},
    )  # fmt: skip
    assert done.returncode == 0, (words, done.stdout, done.stderr)
    return done.stdout + done.stderr


def test_the_examples_of_the_page_work_in_its_order(saved, tmp_path):
    """In a folder with photos, prompts, and the pipeline that the page speaks of."""
    (tmp_path / "photos").mkdir()
    for name in ("a.png", "b.png"):
        Image.fromarray(scene(64, 64, seed=ord(name[0]))[0]).save(tmp_path / "photos" / name)
    (tmp_path / "pairs.csv").write_text("photo,prompt\na.png,a lawn\nb.png,\n")
    (tmp_path / "sd-inpaint").symlink_to(saved / "sd")
    (tmp_path / "sdxl").symlink_to(saved / "sdxl")
    examples = re.findall(r"```sh\n(.*?)```", PAGE, re.DOTALL)
    lines = "".join(examples).replace("\\\n", " ").splitlines()
    commands = [line for line in lines if line.startswith("inpaint-bench run")]
    assert len(commands) >= 2
    for line in commands:
        words = [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)][1:]
        small = ["--size", "64", "--tiers", "region", "--metrics", "l1,drift"]
        said = command([*words, *small], tmp_path)
        assert "StableDiffusion" in said
        assert "strength 1.0" in said
    out = tmp_path / "runs/sd"
    cases = pd.read_parquet(out / "cases.parquet")
    assert set(cases["status"]) == {"ok"}
    pages = (path.read_text("utf-8") for path in (out / "report/methods").iterdir())
    assert any("own default" in page for page in pages)


def test_check_judges_a_pipeline(saved, tmp_path):
    words = [sys.executable, "-m", "bench", "check", f"mine=diffusers:{saved / 'sd'}(steps=2)"]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=600)
    rules = {rule: word for word, rule in re.findall(r"^(passed|failed) +(\w+)", done.stdout, re.M)}
    for rule in ("leak", "determinism", "odd_sizes", "tiny", "inputs_kept", "global_random"):
        assert rules[rule] == "passed", done.stdout
    # Random components leave nothing of what is known, as a wrong polarity would.
    assert rules["polarity"] == "failed", done.stdout
