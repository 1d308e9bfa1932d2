"""What a pipeline class of diffusers can be asked for, read off the signature of its call."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from types import ModuleType
from typing import Any

from bench.errors import BenchError, did_you_mean

# Words of ours, and what the library calls them.
_NAMES = {"prompt": "prompt", "negative": "negative_prompt", "steps": "num_inference_steps"}
_OURS = {
    "image": "the picture", "mask_image": "the hole", "height": "the picture's",
    "width": "the picture's", "generator": "the seed of the case", "output_type": "the adapter's",
    "return_dict": "the adapter's", "max_area": "the picture's", "_auto_resize": "off",
    "num_images_per_prompt": "1: give --samples",
    "padding_mask_crop": "off: the pipeline would paste inside, on pictures of another size",
}  # fmt: skip
_RECORDED = ("num_inference_steps", "guidance_scale", "true_cfg_scale", "max_sequence_length")
_KNOWN_IS_WHITE = ("RePaintPipeline",)


def find(library: ModuleType, named: str, asked: str) -> type:
    """Give the class of a pipeline, once it is known to take a picture and a hole.

    Args:
        library: ``diffusers``.
        named: What ``model_index.json`` names.
        asked: What the user names instead; empty if nothing.

    Raises:
        BenchError: If there is no such class, it takes no picture and hole, or it needs more.
    """
    name = asked or named
    kind = getattr(library, name, None)
    if not isinstance(kind, type) or not issubclass(kind, library.DiffusionPipeline):
        raise BenchError(
            f"expected a pipeline of diffusers {library.__version__}, found {name!r}."
            f"{did_you_mean(name, [each for each in dir(library) if 'Inpaint' in each])}"
        )
    takes = parameters(kind)
    missing = [each for each in ("image", "mask_image") if each not in takes]
    if missing:
        other = f"{name.removesuffix('Pipeline')}InpaintPipeline"
        way = f"; its weights may do with pipeline={other}" if hasattr(library, other) else ""
        raise BenchError(
            f"expected a pipeline that takes image and mask_image, found {name}, which takes no "
            f"{' and no '.join(missing)}{way}"
        )
    needs = [
        each
        for each, value in takes.items()
        if value.default is value.empty and each not in ("image", "mask_image", "prompt")
    ]
    needs += [each for each in takes if each.startswith("control_image")]
    if needs or name in _KNOWN_IS_WHITE:
        why = f"needs {', '.join(needs)} too" if needs else "takes white for what is known"
        raise BenchError(f"expected a pipeline that fills from a picture and a hole; {name} {why}")
    return kind


def parameters(kind: type) -> Mapping[str, inspect.Parameter]:
    """What the call takes by name, without ``self`` and what has no name."""
    found = list(inspect.signature(kind.__call__).parameters.items())[1:]
    return {name: each for name, each in found if each.kind is not each.VAR_KEYWORD}


def arguments(kind: type, asked: Mapping[str, Any]) -> dict[str, Any]:
    """What each call is given besides picture, hole, prompt and seed.

    Args:
        kind: The pipeline.
        asked: By our names or the library's; None for what was not asked for.

    Returns:
        By the library's names; ``strength`` is 1 where it is taken, since a lower one starts from
        what lies under the hole.

    Raises:
        BenchError: If the pipeline does not take one, or it is not the user's to give.
    """
    takes = parameters(kind)
    names = {**_NAMES, "guidance": "guidance_scale"}
    guided = takes.get("guidance_scale")
    if "true_cfg_scale" in takes and (guided is None or guided.default is None):
        names["guidance"] = "true_cfg_scale"
    found = {"strength": 1.0} if "strength" in takes else {}
    for word, value in asked.items():
        name = names.get(word, word)
        if name in _OURS:
            raise BenchError(f"{word} is not for the user to give: it is {_OURS[name]}")
        if value is not None and name not in takes:
            shown = word if word == name else f"{word} ({name})"
            known = list(dict.fromkeys([*names, *(each for each in takes if each not in _OURS)]))
            raise BenchError(
                f"{kind.__name__} takes no {shown}; it takes {', '.join(known)}."
                f"{did_you_mean(word, known)}"
            )
        if value is not None:
            found[name] = value
    return found


def of_case(kind: type, prompt: str, height: int, width: int) -> dict[str, Any]:
    """The prompt, and what keeps a picture at its size, as far as the call takes them."""
    sizes = {"height": height, "width": width, "max_area": height * width, "_auto_resize": False}
    takes = parameters(kind)
    return {name: each for name, each in (sizes | {"prompt": prompt}).items() if name in takes}


def in_words(kind: type, given: Mapping[str, Any]) -> str:
    """What decides a fill, with ``*`` at what is the library's own default."""
    takes = parameters(kind)
    words = []
    if "strength" in takes:
        own = takes["strength"].default
        words.append("strength 1.0" + ("" if own == 1 else f" (its own default is {own})"))
    for name in _RECORDED:
        if name in takes:
            own = "" if name in given else "*"
            off = name == "true_cfg_scale" and not given.get("negative_prompt")
            value = given.get(name, takes[name].default)
            words.append(f"{name} {value}{own}" + (" (off without negative)" if off else ""))
    rest = given.keys() - {*_RECORDED, "strength", "prompt"}
    words += [f"{name} {given[name]!r}" for name in sorted(rest)]
    return ", ".join(words)
