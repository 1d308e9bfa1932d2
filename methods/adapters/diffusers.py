"""A pipeline of diffusers as a method: any class that takes a picture and a hole.

The library is imported by `load` only. Nothing is ever fetched: a repository must be in the hub's
cache, and the message says which command puts it there.
"""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch
from PIL import Image

from bench.errors import BenchError, ContractError, WeightsMissing, beside, require_one_of
from methods import sizes
from methods.adapters import pipelines
from methods.base import CaseKey, Inpainter, SizeRule, to_uint8
from methods.card import read

if TYPE_CHECKING:
    from collections.abc import Sequence

INSTALL = "pip install 'inpaint-bench[diffusers]'"
_TYPES = ("float32", "float16", "bfloat16")
_OFFLOADS = ("", "model", "sequential")
_COARSE = 64  # pixels; a multiple that suits a pipeline that says none


class _Asked(NamedTuple):
    """What the user said of loading; see ``docs/methods/diffusers.md``."""

    dtype: str
    revision: str
    variant: str
    pipeline: str
    scheduler: str
    offload: str
    size: int


class Diffusers(Inpainter):
    """Fill by a pipeline of diffusers, at strength 1, from the seed of the case.

    Under the hole lies a smooth continuation of the known pixels, so that a pipeline that encodes
    the whole picture meets no black there.

    Raises:
        BenchError: If what is asked for is malformed, or must not be asked for.
    """

    card = read("diffusers")
    probed = True
    undifferentiable = "it works on 8-bit pictures, which no gradient passes"

    def __init__(
        self,
        name: str,
        *,
        device: str = "cpu",
        target: str,
        prompt: str | None = None,
        strength: float = 1.0,
        dtype: str = "",
        revision: str = "",
        variant: str = "",
        pipeline: str = "",
        scheduler: str = "",
        offload: str = "",
        size: int = 0,
        **call: Any,
    ) -> None:
        """Keep what was asked for; other arguments are those of the pipeline's call."""
        super().__init__(name, device=device)
        if strength != 1:
            raise self._wrong(
                f"strength={strength} would start from what lies under the hole, which no method "
                "is shown; leave it out: 1.0 is used"
            )
        if dtype and dtype not in _TYPES:
            raise self._wrong(f"dtype: expected {', '.join(_TYPES)}, found {dtype!r}")
        if offload not in _OFFLOADS or (offload and self.device.type == "cpu"):
            raise self._wrong(
                f"offload: expected model or sequential, with a --device other than cpu, found "
                f"{offload!r} on {device}"
            )
        folder = Path(target)
        if folder.is_dir():
            self.files = [folder]
            if revision:
                raise self._wrong("revision: of a repository; a folder is what it is")
        self._target = target
        self._asked = _Asked(dtype, revision, variant, pipeline, scheduler, offload, size)
        self._call = {"prompt": prompt, **call}
        self.prompted = prompt is None
        self._prompt = prompt or ""
        self._facts = self._source = ""
        self.card = replace(self.card, title=folder.name)

    @property
    def identity(self) -> str:
        """With what `load` found out: class, commit, arguments, versions."""
        return f"{super().identity} {self._facts}".rstrip()

    @property
    def weights_note(self) -> str:
        """The repository and its commit, or the folder."""
        return self._source

    def expect(self, cases: Sequence[CaseKey]) -> str | None:
        """Say how many cases have no prompt."""
        without = sum(not case.prompt for case in cases) if self.prompted else 0
        if not without:
            return None
        return (
            f"{without} of {len(cases)} fills have no prompt and are made with an empty one; say "
            "it by prompt='...', by --prompt, or in the column prompt of --pairs"
        )

    def load(self) -> None:
        """Read the pipeline.

        Raises:
            WeightsMissing: If the repository is not in the cache.
            BenchError: If it is no pipeline that fills holes, takes no such arguments, cannot be
                read, or the library is not installed.
        """
        try:
            import diffusers

            folder, source = self._found()
            self._source = source
            index = diffusers.DiffusionPipeline.load_config(folder, local_files_only=True)
            kind = pipelines.find(diffusers, str(index["_class_name"]), self._asked.pipeline)
            self._given = pipelines.arguments(kind, self._call)
            self._pipe = self._read(diffusers, kind, folder)
            scheduler = self._schedule(diffusers)
        except ImportError as error:
            raise self._wrong(f"needs diffusers, transformers and accelerate ({error}); run: "
                              f"{INSTALL}") from error  # fmt: skip
        except BenchError as error:
            raise type(error)(f"{self.name}: {error}") from error
        except (OSError, ValueError, KeyError) as error:
            raise self._wrong(f"{self._target} cannot be read as a pipeline: {error}") from error
        self._given.pop("prompt", None)
        off = self._switch_off()
        multiple = self._fit()
        kept = f"sides in multiples of {multiple}{_made_for(self._pipe)}"
        self._facts = (
            f"{kind.__name__} of diffusers {diffusers.__version__} ({_versions()}), {source}; "
            f"{pipelines.in_words(kind, self._given)}; {scheduler}; {self._pipe.dtype}; {kept}{off}"
        ).replace("torch.", "")
        self.said = f"{self._facts} (*: the pipeline's own default)"
        self.card = replace(
            self.card,
            title=f"{self.card.title}, {kind.__name__}",
            implementation=f"diffusers {diffusers.__version__}",
            limits=f"{self.said}. Known pixels pass its autoencoder and change, as drift shows; "
            "they are pasted back, so that a seam may be seen.",
        )

    def begin(self, case: CaseKey) -> None:
        """Take the prompt of the case, unless one was given for all."""
        if self.prompted:
            self._prompt = case.prompt

    def prepare(
        self, images: torch.Tensor, masks: torch.Tensor
    ) -> tuple[torch.Tensor, torch.Tensor]:
        """Fit the size and continue what is known into the hole; all on the CPU."""
        images, masks = sizes.fit(images, masks, self.card.size)
        return sizes.from_neighbours(images, masks), masks

    def infer(
        self, images: torch.Tensor, masks: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        """Call the pipeline for each picture.

        Raises:
            BenchError: If the picture is all black or not finite, as half precision gives it.
            ContractError: If it has another size.
        """
        return torch.stack(
            [self._filled(*each, generator) for each in zip(images, masks, strict=True)]
        )

    def _filled(
        self, image: torch.Tensor, mask: torch.Tensor, generator: torch.Generator
    ) -> torch.Tensor:
        height, width = mask.shape[-2:]
        made = self._pipe(
            image=Image.fromarray(to_uint8(image[None])[0]),
            mask_image=Image.fromarray(to_uint8(mask.expand(3, -1, -1)[None])[0, ..., 0]),
            generator=generator,
            output_type="np",
            **pipelines.of_case(type(self._pipe), self._prompt, height, width),
            **self._given,
        )
        picture = np.asarray(made.images)[0]
        if picture.shape != (height, width, 3):
            raise ContractError(
                f"{type(self._pipe).__name__} was given {width}x{height} and made a picture of "
                f"{'x'.join(map(str, picture.shape[1::-1]))}; it chooses its own sizes"
            )
        black = not np.rint(picture * 255).any() and bool(((1 - mask) * image).any())
        if black or not np.isfinite(picture).all():
            half = self._pipe.dtype != torch.float32
            raise BenchError(
                f"the pipeline made {'an all-black picture' if black else 'values not finite'}"
                + ("; half precision may have overflowed: try dtype=float32" if half else "")
            )
        return torch.from_numpy(picture).permute(2, 0, 1)

    def _found(self) -> tuple[Path, str]:
        """The folder of the pipeline, and where it is from."""
        from huggingface_hub import errors, snapshot_download

        if self.files:
            return Path(self._target), f"folder {Path(self._target).name}"
        wanted = self._asked.revision or None
        ask = f"hf download {self._target}" + (f" --revision {wanted}" if wanted else "")
        try:
            if "/" not in self._target:
                raise errors.HFValidationError
            folder = snapshot_download(self._target, revision=wanted, local_files_only=True)
        except errors.HFValidationError as error:
            raise BenchError(
                "expected a folder or OWNER/REPO of the Hugging Face hub, found "
                f"{self._target!r}.{beside(Path(self._target))}"
            ) from error
        except errors.LocalEntryNotFoundError as error:
            raise WeightsMissing(
                f"{self._target} is not on this machine, and a run fetches no pipeline; run: {ask}"
            ) from error
        return Path(folder), f"{self._target} at commit {Path(folder).name}"

    def _read(self, library: Any, kind: type, folder: Path) -> Any:
        """Load the components and bring them to the device."""
        import transformers

        for each in (library, transformers):
            each.utils.logging.disable_progress_bar()
        asked = self._asked
        dtype = {"dtype": getattr(torch, asked.dtype)} if asked.dtype else {}
        loaded: Any = kind
        pipe = loaded.from_pretrained(
            folder, local_files_only=True, variant=asked.variant or None, **dtype
        )
        pipe.set_progress_bar_config(disable=True)
        if asked.offload == "model":
            pipe.enable_model_cpu_offload(device=self.device)
        elif asked.offload == "sequential":
            pipe.enable_sequential_cpu_offload(device=self.device)
        else:
            pipe.to(self.device)
        return pipe

    def _schedule(self, library: Any) -> str:
        """Exchange the scheduler if that was asked for; gives the name of the one in use."""
        asked, pipe = self._asked.scheduler, self._pipe
        if asked:
            own = getattr(pipe, "scheduler", None)
            known = {each.__name__: each for each in getattr(own, "compatibles", ())}
            require_one_of(asked, sorted(known), "scheduler")
            pipe.scheduler = known[asked].from_config(pipe.scheduler.config)
        return type(getattr(pipe, "scheduler", None)).__name__

    def _switch_off(self) -> str:
        """Switch off what changes a finished picture; says what."""
        said = ""
        for part in ("safety_checker", "watermark", "watermarker"):
            if getattr(self._pipe, part, None) is not None:
                setattr(self._pipe, part, None)
                said += f", {part.replace('_', ' ')} off"
        return said

    def _fit(self) -> int:
        """Set the card's size rule; gives the multiple that the pipeline takes."""
        pipe, size = self._pipe, self._asked.size
        factor = getattr(pipe, "vae_scale_factor", 1) * getattr(pipe, "patch_size", 1)
        fitted = getattr(getattr(pipe, "image_processor", None), "config", None)
        multiple = math.lcm(factor, getattr(fitted, "vae_scale_factor", 1))
        multiple = multiple if multiple > 1 else _COARSE
        if size and size % multiple:
            raise self._wrong(f"size: expected a multiple of {multiple}, found {size}")
        rule = SizeRule("fixed", side=size) if size else SizeRule("multiple", of=multiple)
        self.card = replace(self.card, size=rule)
        return multiple

    def _wrong(self, why: str) -> BenchError:
        return BenchError(f"method {self.name!r}: {why}")


def _made_for(pipe: Any) -> str:
    """For which size the network was trained, by its own configuration."""
    network = getattr(pipe, "unet", None) or getattr(pipe, "transformer", None)
    side = getattr(pipe, "default_sample_size", None) or getattr(
        getattr(network, "config", None), "sample_size", None
    )
    if not isinstance(side, int) or side < 1:
        return ""
    side *= getattr(pipe, "vae_scale_factor", 1)
    return f", made for {side}x{side} by its configuration"


def _versions() -> str:
    from importlib.metadata import version

    return ", ".join(f"{name} {version(name)}" for name in ("transformers", "accelerate"))
