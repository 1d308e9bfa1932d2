"""``LABEL=torchscript:FILE``: a network that was traced or scripted, with its code in the file.

Such a file is a program: it is read only where fills are made, in a process of its own.
"""

from __future__ import annotations

import warnings
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from bench.errors import BenchError
from methods.adapters.tensor_facts import Opened, Port
from methods.adapters.tensor_file import TensorFile
from methods.card import read
from methods.weights.files import came_instead

_EXPORT = (
    "export the network as TorchScript: torch.jit.trace(network.eval(), (image, mask)).save(FILE)"
)


class TorchScript(TensorFile):
    """A TorchScript file."""

    kind = "torchscript"
    card = read("torchscript")

    def open(self) -> Opened:
        """Read the file onto the device."""
        if other := _other(self.path):
            raise BenchError(f"{self.path}: expected TorchScript, found {other}; {_EXPORT}")
        try:
            with warnings.catch_warnings():  # torch advises another format for new files
                warnings.simplefilter("ignore", FutureWarning)
                module = torch.jit.load(str(self.path), map_location=self.device).eval()
        except Exception as error:
            raise BenchError(
                f"{self.path}: torch {torch.__version__} cannot read it as TorchScript: "
                f"{str(error).strip().splitlines()[0]}; {_EXPORT}"
            ) from error
        arguments = [each for each in module.forward.schema.arguments if each.name != "self"]
        needed = [each for each in arguments if not each.has_default_value()]
        weights = [*module.parameters(), *module.buffers()]
        floats = [each.dtype for each in weights if each.is_floating_point()]
        half = "float16" if floats and floats[0] == torch.float16 else ""

        def call(inputs: list[torch.Tensor]) -> Mapping[str, torch.Tensor]:
            with torch.inference_mode():
                return _flat(module(*(each.to(self.device) for each in inputs)))

        return Opened([Port(each.name, half) for each in needed], call)


def _flat(output: Any, name: str = "") -> dict[str, torch.Tensor]:
    """All tensors of an output, by place or key; those within others as ``1.0``."""
    if isinstance(output, torch.Tensor):
        return {name or "0": output.detach()}
    if isinstance(output, tuple | list | dict):
        items = output.items() if isinstance(output, dict) else enumerate(output)
        parts = [_flat(each, f"{name}.{key}" if name else str(key)) for key, each in items]
        return {key: tensor for part in parts for key, tensor in part.items()}
    return {}


def _other(path: Path) -> str:
    """What the file is if it is not TorchScript; empty if it is."""
    if found := came_instead(path):
        return found
    if not zipfile.is_zipfile(path):
        return "no zip archive: another kind of file, or what torch.save wrote in its old form"
    with zipfile.ZipFile(path) as archive:
        names = {name.partition("/")[2] for name in archive.namelist()}
    if "constants.pkl" in names or any(name.startswith("code/") for name in names):
        return ""
    if "archive_format" in names or any("serialized_exported_program" in n for n in names):
        return "what torch.export.save wrote (.pt2)"
    if "data.pkl" in names:
        return "what torch.save wrote: weights without a network, or a pickled module"
    return "a zip archive of something else"
