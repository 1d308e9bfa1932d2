"""``LABEL=onnx:FILE``: a network as ONNX, run by ONNX Runtime (extra ``onnx``)."""

from __future__ import annotations

import mmap
import re
from collections.abc import Mapping
from pathlib import Path
from zipfile import is_zipfile

import torch

from bench.errors import BenchError
from methods.adapters.tensor_facts import Opened, Port
from methods.adapters.tensor_file import TensorFile
from methods.card import read
from methods.weights.files import came_instead

_INSTALL = "pip install 'inpaint-bench[onnx]'"
_TYPES = {
    "tensor(float)": "float32", "tensor(float16)": "float16", "tensor(uint8)": "uint8",
    "tensor(bool)": "bool", "tensor(int64)": "int64",
}  # fmt: skip
# Of a tensor whose values lie in another file, the entry of the protocol buffer that names it.
_ELSEWHERE = re.compile(rb"\x0a\x08location\x12([\x01-\x7f])")


class Onnx(TensorFile):
    """An ONNX file."""

    kind = "onnx"
    card = read("onnx")

    def parts(self) -> list[Path]:
        """The files that hold values of its tensors."""
        if self.path.stat().st_size == 0:
            return []
        with self.path.open("rb") as stream, mmap.mmap(
            stream.fileno(), 0, access=mmap.ACCESS_READ
        ) as content:  # fmt: skip
            found = {
                content[match.end() : match.end() + match[1][0]]
                for match in _ELSEWHERE.finditer(content)
            }
        paths = [self.path.parent / each.decode("utf-8", "replace") for each in found]
        for path in paths:
            if not path.is_file():
                raise BenchError(
                    f"{self.path}: the values of its tensors are in {path.name}, which is not "
                    "beside it; copy both files"
                )
        return sorted(paths)

    def open(self) -> Opened:
        """Read the file for the device."""
        try:
            import onnxruntime
        except ImportError as error:
            raise BenchError(
                f"{self.path}: an ONNX file needs ONNX Runtime; run: {_INSTALL}"
            ) from error
        zipped = "a zip archive, such as TorchScript" if is_zipfile(self.path) else ""
        if other := came_instead(self.path) or zipped:
            raise BenchError(f"{self.path}: expected ONNX, found {other}")
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = torch.get_num_threads()
        options.inter_op_num_threads = 1
        options.use_deterministic_compute = True
        options.log_severity_level = 4  # errors are raised, too
        providers = _providers(self.device, onnxruntime.get_available_providers())
        try:
            session = onnxruntime.InferenceSession(str(self.path), options, providers=providers)
        except Exception as error:  # each fault has a class of its own, without a common one
            raise BenchError(
                f"{self.path}: ONNX Runtime {onnxruntime.__version__} cannot read it as ONNX; it "
                f"may be cut off, or need a newer one ({_INSTALL} -U): {error}"
            ) from error
        if self.device.type == "cuda" and "CUDAExecutionProvider" not in session.get_providers():
            raise BenchError(
                f"{self.path}: ONNX Runtime could not use CUDA, whose libraries it did not find; "
                "run with --device cpu, or see its installation for CUDA"
            )
        outputs = [each.name for each in session.get_outputs()]
        names = [each.name for each in session.get_inputs()]

        def call(inputs: list[torch.Tensor]) -> Mapping[str, torch.Tensor]:
            given = {name: each.cpu().numpy() for name, each in zip(names, inputs, strict=True)}
            found = session.run(outputs, given)
            return {
                name: torch.from_numpy(each)
                for name, each in zip(outputs, found, strict=True)
                if hasattr(each, "dtype")
            }

        ports = [
            Port(
                each.name,
                _TYPES.get(each.type, each.type),
                tuple(side if isinstance(side, int) else None for side in each.shape or ()),
            )
            for each in session.get_inputs()
        ]
        (used, *_) = session.get_providers()
        return Opened(ports, call, f"ONNX Runtime {onnxruntime.__version__} ({used})")


def _providers(device: torch.device, there: list[str]) -> list[object]:
    """What ONNX Runtime is to run on: nothing but what was asked for.

    Raises:
        BenchError: If the installed one cannot.
    """
    if device.type == "cpu":
        return ["CPUExecutionProvider"]
    if device.type == "cuda" and "CUDAExecutionProvider" in there:
        return [("CUDAExecutionProvider", {"device_id": device.index or 0}), "CPUExecutionProvider"]
    more = "; pip install onnxruntime-gpu in its place" if device.type == "cuda" else ""
    raise BenchError(
        f"device {device}: the ONNX Runtime here runs on {', '.join(there)} only{more}, or give "
        "--device cpu"
    )
