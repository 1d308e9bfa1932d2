"""Vision transformers: the published files' names and shapes, and what the networks compute."""

from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image
from torchvision import transforms

from bench.errors import BenchError
from bench.metrics import networks
from bench.metrics.pair import Original, Pair
from bench.metrics.protocol_variants import clip_similarity_of
from bench.metrics.vit import NETWORKS, VitFeatures
from methods.weights import Checkpoint, differences, rule

CLIP, DINOV2, DINOV2_G = "clip-vit-l14-336", "dinov2-vitl14", "dinov2-vitg14"


def of_clip(width, depth, patches, inner, projected):
    """Names and shapes of a vision model with projection, as the hub's files have them."""
    layer = {
        **{f"self_attn.{part}_proj.weight": (width, width) for part in ("q", "k", "v", "out")},
        **{f"self_attn.{part}_proj.bias": (width,) for part in ("q", "k", "v", "out")},
        "mlp.fc1.weight": (inner, width), "mlp.fc1.bias": (inner,),
        "mlp.fc2.weight": (width, inner), "mlp.fc2.bias": (width,),
        **{f"layer_norm{i}.{part}": (width,) for i in (1, 2) for part in ("weight", "bias")},
    }  # fmt: skip
    norms = ("pre_layrnorm.weight", "pre_layrnorm.bias", "post_layernorm.weight",
             "post_layernorm.bias")  # fmt: skip
    return {
        "vision_model.embeddings.class_embedding": (width,),
        "vision_model.embeddings.patch_embedding.weight": (width, 3, 14, 14),
        "vision_model.embeddings.position_embedding.weight": (patches + 1, width),
        **{f"vision_model.encoder.layers.{n}.{name}": shape
           for n in range(depth) for name, shape in layer.items()},
        **{f"vision_model.{name}": (width,) for name in norms},
        "visual_projection.weight": (projected, width),
    }  # fmt: skip


def of_dinov2(width, depth, patches, mlp):
    """Names and shapes of the files of dl.fbaipublicfiles.com."""
    block = {
        **{f"norm{i}.{part}": (width,) for i in (1, 2) for part in ("weight", "bias")},
        "attn.qkv.weight": (3 * width, width), "attn.qkv.bias": (3 * width,),
        "attn.proj.weight": (width, width), "attn.proj.bias": (width,),
        "ls1.gamma": (width,), "ls2.gamma": (width,),
        **{f"mlp.{name}.weight": shape for name, shape in mlp.items()},
        **{f"mlp.{name}.bias": shape[:1] for name, shape in mlp.items()},
    }  # fmt: skip
    return {
        "cls_token": (1, 1, width), "pos_embed": (1, patches + 1, width),
        "mask_token": (1, width),
        "patch_embed.proj.weight": (width, 3, 14, 14), "patch_embed.proj.bias": (width,),
        **{f"blocks.{n}.{name}": shape for n in range(depth) for name, shape in block.items()},
        "norm.weight": (width,), "norm.bias": (width,),
    }  # fmt: skip


PUBLISHED = {
    CLIP: of_clip(1024, 24, 24**2, 4096, 768),
    DINOV2: of_dinov2(1024, 24, 37**2, {"fc1": (4096, 1024), "fc2": (1024, 4096)}),
    DINOV2_G: of_dinov2(1536, 40, 37**2, {"w12": (8192, 1536), "w3": (1536, 4096)}),
}
# Two blocks of each, at 4 x 4 patches.
SMALL = {
    CLIP: (
        replace(NETWORKS[CLIP], side=56, arguments={
            "img_size": 56, "embed_dim": 32, "depth": 2, "num_heads": 2, "num_classes": 24}),
        of_clip(32, 2, 16, 128, 24),
    ),
    DINOV2: (
        replace(NETWORKS[DINOV2], side=56, arguments={
            "img_size": 56, "embed_dim": 32, "depth": 2, "num_heads": 2}),
        of_dinov2(32, 2, 16, {"fc1": (128, 32), "fc2": (32, 128)}),
    ),
    DINOV2_G: (
        replace(NETWORKS[DINOV2_G], side=56, arguments={
            "img_size": 56, "embed_dim": 32, "depth": 2, "num_heads": 2, "mlp_ratio": 5.5}),
        of_dinov2(32, 2, 16, {"w12": (176, 32), "w3": (32, 88)}),
    ),
}  # fmt: skip


def filled(shapes):
    return {name: torch.from_numpy(rule.tensor(name, shape)) for name, shape in shapes.items()}


def saved(path, state):
    if path.suffix == ".safetensors":
        from safetensors.torch import save_file

        save_file(state, path)
    else:
        torch.save(state, path)
    return path


def small(name, path, state=None, **further):
    vit, shapes = SMALL[name]
    saved(path, filled(shapes) if state is None else state)
    return VitFeatures(name, path, vit=vit, checkpoint=Checkpoint(name, path.name), **further)


def pictures(n=3, height=70, width=98):
    rng = np.random.default_rng(0)
    return [rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(n)]


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_published_file_has_the_names_and_shapes_of_the_network(name):
    with torch.device("meta"):
        state = {key: torch.empty(shape) for key, shape in PUBLISHED[name].items()}
    vit = NETWORKS[name]
    assert differences(vit.rename(state), vit.empty().state_dict()) == {}
    (lost, *_) = [key for key in state if "blocks.7.attn" in key or "layers.7.self_attn" in key]
    found = differences(
        vit.rename({k: v for k, v in state.items() if k != lost}), vit.empty().state_dict()
    )
    assert any("blocks.7.attn" in key for key in found["missing"])


@pytest.mark.parametrize("name", PUBLISHED)
def test_the_size_that_is_known_is_that_of_the_tensors(name):
    known = networks.weights.CHECKPOINTS[name].bytes
    own = 4 * sum(int(np.prod(shape)) for shape in PUBLISHED[name].values())
    if name == CLIP:  # the text's half: 12 layers of width 768, 49,408 tokens, 77 places
        layer = 4 * (768 * 768 + 768) + 2 * 768 * 3072 + 3072 + 768 + 4 * 768
        own += 4 * (12 * layer + 49408 * 768 + 77 * 768 + 2 * 768 + 768 * 768 + 1)
    assert own <= known <= 1.0002 * own  # a file has names, too


@pytest.mark.parametrize("suffix", [".pth", ".safetensors", ".bin"])
@pytest.mark.parametrize("name", SMALL)
def test_a_file_that_is_saved_is_loaded_and_tells_pictures_apart(name, suffix, tmp_path):
    extract = small(name, tmp_path / f"file{suffix}")
    first, second, _ = pictures()
    features = extract(first)
    assert features.dtype == np.float32
    assert features.shape == (24,) if name == CLIP else (32,)
    assert np.isfinite(features).all()
    assert np.array_equal(features, extract(first.copy()))
    assert np.abs(features - extract(second)).max() > 1e-3
    assert extract.patches(first).shape == (16, 32)
    assert extract.batch(pictures(9)) == pytest.approx(
        np.stack([extract(each) for each in pictures(9)]), abs=1e-5
    )


def test_a_safetensors_file_is_known_under_any_name(tmp_path):
    _, shapes = SMALL[CLIP]
    content = saved(tmp_path / "model.safetensors", filled(shapes)).read_bytes()
    (tmp_path / "kept.bin").write_bytes(content)
    vit, _ = SMALL[CLIP]
    known = Checkpoint(CLIP, "kept.bin")
    extract = VitFeatures(CLIP, tmp_path / "kept.bin", vit=vit, checkpoint=known)
    picture = pictures(1)[0]
    assert np.array_equal(extract(picture), small(CLIP, tmp_path / "other.bin")(picture))


def test_the_half_of_the_text_is_left_out(tmp_path):
    state = filled(SMALL[CLIP][1])
    more = {"logit_scale": torch.ones(()), "text_projection.weight": torch.ones(24, 16),
            "text_model.embeddings.token_embedding.weight": torch.ones(9, 16),
            "vision_model.embeddings.position_ids": torch.arange(17)[None]}  # fmt: skip
    picture = pictures(1)[0]
    found = [small(CLIP, tmp_path / f"{i}.bin", each)(picture) for i, each in
             enumerate((state, state | more))]  # fmt: skip
    assert np.array_equal(*found)


def test_a_file_of_another_network_is_refused_with_the_names_that_are_wrong(tmp_path):
    with pytest.raises(
        BenchError, match=r"missing: blocks.0.* and \d+ more\. Is it the file of another network"
    ):
        small(CLIP, tmp_path / "file.pth", filled(SMALL[DINOV2][1]))
    state = filled(SMALL[DINOV2][1])
    state["blocks.1.attn.qkv.weight"] = state["blocks.1.attn.qkv.weight"][:64]
    with pytest.raises(BenchError, match=r"misshapen: blocks.1.attn.qkv.weight \(64, 32\)"):
        small(DINOV2, tmp_path / "cut.pth", state)
    (tmp_path / "short.pth").write_bytes(b"no network")
    with pytest.raises(BenchError, match=r"expected about 1,217,586,395 bytes for dinov2-vitl14"):
        VitFeatures(DINOV2, tmp_path / "short.pth")


def test_dinov2_sees_the_whole_picture_as_dgm_eval_shows_it(tmp_path):
    extract = small(DINOV2, tmp_path / "file.pth", side=224)
    picture = pictures(1, 300, 410)[0]
    expected = transforms.Compose([
        transforms.Resize((224, 224), transforms.InterpolationMode.BICUBIC),
        transforms.ToTensor(),
        transforms.Normalize((0.485, 0.456, 0.406), (0.229, 0.224, 0.225)),
    ])(Image.fromarray(picture))  # fmt: skip
    assert extract.seen(picture) == pytest.approx(expected.numpy(), abs=1e-6)


def test_clip_sees_the_middle_square_as_cmmd_shows_it(tmp_path):
    extract = small(CLIP, tmp_path / "file.pth", side=336)
    picture = pictures(1, 300, 410)[0]
    expected = transforms.Compose([
        transforms.CenterCrop(300),
        transforms.Resize((336, 336), transforms.InterpolationMode.BICUBIC),
        transforms.ToTensor(),
        transforms.Normalize(
            (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
        ),
    ])(Image.fromarray(picture))  # fmt: skip
    assert extract.seen(picture) == pytest.approx(expected.numpy(), abs=1e-6)
    unseen = picture.copy()
    unseen[:, :50] = 0
    assert np.array_equal(extract(picture), extract(unseen))


def test_places_at_another_side_are_dinov2s_own(tmp_path):
    """Keys' bicubic of -0.75, at places a tenth of a patch denser than the picture's grid."""
    extract = small(DINOV2, tmp_path / "file.pth", side=42)
    learned = filled(SMALL[DINOV2][1])["pos_embed"][0].numpy()
    grid = learned[1:].reshape(4, 4, 32)

    def weight(x, a=-0.75):
        x = abs(x)
        if x <= 1:
            return (a + 2) * x**3 - (a + 3) * x**2 + 1
        return a * x**3 - 5 * a * x**2 + 8 * a * x - 4 * a if x < 2 else 0.0

    matrix = np.zeros((3, 4))
    for row in range(3):
        at = (row + 0.5) * 4 / 3.1 - 0.5
        for tap in range(int(np.floor(at)) - 1, int(np.floor(at)) + 3):
            matrix[row, np.clip(tap, 0, 3)] += weight(at - tap)
    expected = np.einsum("ri,ijc,sj->rsc", matrix, grid, matrix).reshape(9, 32)
    found = extract._model.pos_embed[0].numpy()
    assert np.array_equal(found[0], learned[0])
    assert found[1:] == pytest.approx(expected, abs=1e-5)
    assert extract.patches(pictures(1)[0]).shape == (9, 32)


def test_without_timm_the_reason_says_what_to_install(monkeypatch):
    monkeypatch.setattr(networks, "find_spec", lambda name: None)
    path, reason = networks.weight_file(CLIP, None, offline=True)
    assert path is None
    assert reason == (
        "network clip-vit-l14-336 needs timm, which is not installed; run: "
        "pip install 'inpaint-bench[vit]'"
    )
    assert networks.missing(DINOV2) == "pip install 'inpaint-bench[vit]'"
    assert networks.missing("fid-untrained") == ""


def test_clip_computes_what_transformers_does(tmp_path):
    transformers = pytest.importorskip("transformers", reason="an independent CLIP, if installed")
    config = transformers.CLIPVisionConfig(
        hidden_size=32, intermediate_size=128, projection_dim=24, num_hidden_layers=2,
        num_attention_heads=2, image_size=56, patch_size=14, hidden_act="quick_gelu",
    )  # fmt: skip
    torch.manual_seed(0)
    model = transformers.CLIPVisionModelWithProjection(config).eval()
    state = filled({name: tuple(value.shape) for name, value in model.state_dict().items()
                    if value.is_floating_point()})  # fmt: skip
    assert {k: tuple(v.shape) for k, v in state.items()} == SMALL[CLIP][1]
    model.load_state_dict(state, strict=False)
    extract = small(CLIP, tmp_path / "file.bin", state)
    seen = torch.from_numpy(np.stack([extract.seen(each) for each in pictures()]))
    with torch.inference_mode():
        expected = model(pixel_values=seen)
    assert extract.batch(pictures()) == pytest.approx(expected.image_embeds.numpy(), abs=2e-5)


@pytest.mark.parametrize("name", [DINOV2, DINOV2_G])
def test_dinov2_computes_what_transformers_does(name, tmp_path):
    transformers = pytest.importorskip("transformers", reason="an independent DINOv2, if there")
    model = transformers.Dinov2Model(transformers.Dinov2Config(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=2, image_size=56, patch_size=14,
        mlp_ratio=4, use_swiglu_ffn=name == DINOV2_G, attn_implementation="eager",
    )).eval()  # fmt: skip
    state = filled(SMALL[name][1])
    model.load_state_dict(_hub_names(state))
    extract = small(name, tmp_path / "file.pth", state)
    seen = torch.from_numpy(np.stack([extract.seen(each) for each in pictures()]))
    with torch.inference_mode():
        expected = model(pixel_values=seen).last_hidden_state.numpy()
    assert extract.batch(pictures()) == pytest.approx(expected[:, 0], abs=2e-5)
    assert extract.patches_of(pictures()) == pytest.approx(expected[:, 1:], abs=2e-5)


def _hub_names(state):
    """A DINOv2 of the authors under the names that transformers 5 gives its parts."""
    renames = {
        "blocks.": "encoder.layer.", "attn.proj": "attention.o_proj", ".ls1.gamma":
        ".layer_scale1.lambda1", ".ls2.gamma": ".layer_scale2.lambda1", "mlp.w3": "mlp.down_proj",
        "pos_embed": "embeddings.position_embeddings", "cls_token": "embeddings.cls_token",
        "mask_token": "embeddings.mask_token",
        "patch_embed.proj": "embeddings.patch_embeddings.projection",
    }  # fmt: skip
    found = {}
    for name, value in state.items():
        for old, new in renames.items():
            name = name.replace(old, new)
        if name.startswith("norm."):
            name = f"layer{name}"
        joint, parts = "", ()
        if "attn.qkv" in name:
            joint, parts = "attn.qkv", ("attention.q_proj", "attention.k_proj", "attention.v_proj")
        elif "mlp.w12" in name:
            joint, parts = "mlp.w12", ("mlp.gate_proj", "mlp.up_proj")
        for part, own in zip(parts, value.chunk(max(1, len(parts))), strict=False):
            found[name.replace(joint, part)] = own
        if not joint:
            found[name] = value
    return found


def test_similarity_by_clip_is_the_cosine_of_both_pictures(tmp_path):
    from sklearn.metrics.pairwise import cosine_similarity

    extract = small(CLIP, tmp_path / "file.pth")
    photo, output, _ = pictures()
    pair = Pair(output, Original(photo), np.ones(photo.shape[:2], np.bool_))
    expected = cosine_similarity(extract(output)[None], extract(photo)[None])[0, 0]
    for _ in range(2):  # the second time by the features that are kept with the photo
        assert clip_similarity_of(pair, extract) == pytest.approx(float(expected), abs=1e-6)
    assert expected < 0.9999
    same = Pair(photo, Original(photo), pair.hole)
    assert clip_similarity_of(same, extract) == pytest.approx(1, abs=1e-12)
