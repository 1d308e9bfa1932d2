"""Features of the vision transformers that CLIP and DINOv2 published, built by timm.

The files are the published ones: `CLIPVisionModelWithProjection`'s names of the Hugging Face hub
(Radford et al., "Learning transferable visual models from natural language supervision", ICML
2021), and those of ``dl.fbaipublicfiles.com`` (Oquab et al., "DINOv2: Learning robust visual
features without supervision", TMLR 2024).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from bench.metrics.networks import CLIP, DINOV2_G, DINOV2_L
from bench.metrics.pair import Picture
from methods import weights
from methods.weights import Checkpoint

if TYPE_CHECKING:
    import torch

State = Mapping[str, "torch.Tensor"]

_MINI_BATCH = 8


def _timm_names_of_clip(state: State) -> dict[str, torch.Tensor]:
    """The picture's half of a CLIP model of the hub; the text's half is left out."""
    import torch

    renames = (
        (r"vision_model\.", ""),
        (r"embeddings\.class_embedding", "cls_token"),
        (r"embeddings\.patch_embedding", "patch_embed.proj"),
        (r"embeddings\.position_embedding\.weight", "pos_embed"),
        (r"pre_layrnorm", "norm_pre"),  # spelt so there
        (r"post_layernorm", "norm"),
        (r"encoder\.layers", "blocks"),
        (r"layer_norm", "norm"),
        (r"self_attn\.out_proj", "attn.proj"),
        (r"self_attn\.([qkv])_proj\.(\w+)", r"attn.qkv.\2 \1"),
        (r"visual_projection", "head"),
    )
    found: dict[str, torch.Tensor] = {}
    for name, tensor in state.items():
        if name.startswith(("vision_model.", "visual_projection.")) and "position_ids" not in name:
            for old, new in renames:
                name = re.sub(old, new, name, count=1)
            found[name] = tensor
    for name in [name[:-2] for name in found if name.endswith(" q")]:
        parts = [f"{name} {part}" for part in "qkv"]
        if all(part in found for part in parts):
            found[name] = torch.cat([found.pop(part) for part in parts])
    for name in found.keys() & {"cls_token", "pos_embed"}:
        found[name] = found[name].reshape((1,) * (3 - found[name].ndim) + found[name].shape)
    if "head.weight" in found:  # it has no bias there
        found["head.bias"] = torch.zeros(len(found["head.weight"]))
    return found


def _timm_names_of_dinov2(state: State) -> dict[str, torch.Tensor]:
    """Without the token that stood for masked patches in training."""
    gated = {"mlp.w12.": "mlp.fc1.", "mlp.w3.": "mlp.fc2."}  # of ViT-g
    found = {}
    for name, tensor in state.items():
        for old, new in gated.items():
            name = name.replace(old, new)
        found[name] = tensor
    found.pop("mask_token", None)
    return found


@dataclass(frozen=True)
class Vit:
    """What is published of a network.

    Attributes:
        model: Its name in timm.
        side: To which its metric resizes pictures, bicubic and antialiased, as Pillow does.
        crops: Whether the middle square is cut out first; else the proportions change.
        mean: Of red, green and blue, in [0, 1], which is taken off.
        deviation: By which it is then divided.
        rename: From the names of the published file to those of timm.
        arguments: Further ones of timm.
    """

    model: str
    side: int
    crops: bool
    mean: tuple[float, float, float]
    deviation: tuple[float, float, float]
    rename: Callable[[State], dict[str, torch.Tensor]]
    arguments: Mapping[str, Any] = field(default_factory=dict)

    def empty(self) -> Any:
        """The network of timm, with the shapes of its tensors but without values."""
        import timm
        import torch

        with torch.device("meta"):
            return timm.create_model(self.model, pretrained=False, **self.arguments).eval()


def _dinov2(model: str) -> Vit:
    # As in dgm-eval (Stein et al., NeurIPS 2023), from which FD-DINOv2 is.
    mean, deviation = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    return Vit(model, 224, False, mean, deviation, _timm_names_of_dinov2)


NETWORKS = {
    # As in the code of CMMD (Jayasumana et al., CVPR 2024).
    CLIP: Vit(
        "vit_large_patch14_clip_quickgelu_336",
        336,
        True,
        (0.48145466, 0.4578275, 0.40821073),
        (0.26862954, 0.26130258, 0.27577711),
        _timm_names_of_clip,
        {"num_classes": 768},
    ),
    DINOV2_L: _dinov2("vit_large_patch14_dinov2"),
    DINOV2_G: _dinov2("vit_giant_patch14_dinov2"),
}


class VitFeatures:
    """Features that a network finds in pictures."""

    def __init__(
        self,
        name: str,
        path: Path,
        *,
        device: str = "cpu",
        side: int | None = None,
        vit: Vit | None = None,
        checkpoint: Checkpoint | None = None,
    ) -> None:
        """Read the network.

        Args:
            name: One of `NETWORKS`.
            path: Its published file.
            device: Where it runs.
            side: To which pictures are resized, a multiple of a patch's 14; the network's own if
                omitted.
            vit: What the network is, in place of what is published.
            checkpoint: What the file must be, likewise.

        Raises:
            BenchError: If it is not, or its tensors are not those of the network.
            ModuleNotFoundError: If timm is not installed; `networks.weight_file` says it before.
        """
        self._vit = vit or NETWORKS[name]
        found = weights.load(path, checkpoint or weights.CHECKPOINTS[name])
        self._model = self._vit.empty().to_empty(device=device)
        weights.put(self._vit.rename(found), self._model, str(path))
        self._model.requires_grad_(False)
        self.side = side or self._vit.side
        _look_at(self._model, self.side)
        self._device = device

    def __call__(self, picture: Picture) -> NDArray[np.float32]:
        """The picture's own features ``(d,)``; uint8 RGB ``(H, W, 3)``.

        Of DINOv2 the normalised class token, of CLIP its projection, with which texts are compared.
        """
        return self.batch([picture])[0]

    def batch(self, pictures: Any) -> NDArray[np.float32]:
        """Features ``(n, d)`` of pictures, each uint8 RGB ``(H, W, 3)``."""
        return self._each(pictures, self._model)

    def patches(self, picture: Picture) -> NDArray[np.float32]:
        """Normalised features ``(n, d)`` of the patches of 14 x 14 pixels, row by row.

        There are ``(side / 14) ** 2``.
        """
        return self.patches_of([picture])[0]

    def patches_of(self, pictures: Any) -> NDArray[np.float32]:
        """Features ``(pictures, n, d)`` of the patches of several pictures."""
        skipped = self._model.num_prefix_tokens
        return self._each(pictures, lambda x: self._model.forward_features(x)[:, skipped:])

    def _each(self, pictures: Any, network: Callable[[Any], Any]) -> NDArray[np.float32]:
        import torch

        found = []
        with torch.inference_mode():
            for start in range(0, len(pictures), _MINI_BATCH):
                shown = [self.seen(each) for each in pictures[start : start + _MINI_BATCH]]
                planes = torch.from_numpy(np.stack(shown)).to(self._device)
                found.append(network(planes).float().cpu().numpy())
        return np.concatenate(found)

    def seen(self, picture: Picture) -> NDArray[np.float32]:
        """What the network is given of a picture: ``(3, side, side)``."""
        image = Image.fromarray(picture)
        if self._vit.crops:
            short = min(image.size)
            left, top = ((length - short) // 2 for length in image.size)
            image = image.crop((left, top, left + short, top + short))
        resized = image.resize((self.side, self.side), Image.Resampling.BICUBIC)
        scaled = np.asarray(resized, np.float32) / np.float32(255)
        scaled -= np.array(self._vit.mean, np.float32)
        scaled /= np.array(self._vit.deviation, np.float32)
        return np.ascontiguousarray(scaled.transpose(2, 0, 1))


def _look_at(model: Any, side: int) -> None:
    """Fit the places that a network learned to pictures of another side.

    As DINOv2's own code does: bicubic, without antialiasing, and with a tenth of a patch added to
    the grid, which moves the samples a little. timm would antialias.
    """
    import torch

    grid = model.patch_embed.grid_size[0]
    patches = side // model.patch_embed.patch_size[0]
    if patches == grid:
        return
    learned = model.pos_embed
    planes = learned[:, 1:].reshape(1, grid, grid, -1).permute(0, 3, 1, 2)
    scale = (patches + 0.1) / grid
    resized = torch.nn.functional.interpolate(planes, scale_factor=(scale, scale), mode="bicubic")
    places = resized.permute(0, 2, 3, 1).reshape(1, patches**2, -1)
    model.set_input_size(img_size=side)
    model.pos_embed = torch.nn.Parameter(
        torch.cat([learned[:, :1], places], dim=1), requires_grad=False
    )
