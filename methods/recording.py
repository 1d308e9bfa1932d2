"""CUDA graphs: the kernels of a network recorded once per size, then launched as one.

A small network's time on a GPU is the time to launch its hundreds of kernels one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from bench.errors import BenchError

_WARM_CALLS = 3  # in which libraries choose kernels and take memory


class Recording:
    """A function of tensors that is recorded at its first call of each size.

    What it does must depend on the sizes of its inputs only, and stay on the device.

    Attributes:
        function: What is recorded, as it was given.
    """

    def __init__(self, function: Callable[..., Any]) -> None:
        """Record nothing yet.

        Args:
            function: On CUDA tensors; gives tensors, or lists and tuples of them.
        """
        self.function = function
        self._recorded: dict[Any, tuple[list[torch.Tensor], torch.cuda.CUDAGraph, Any]] = {}

    def __call__(self, *inputs: Any) -> Any:
        """Replay on these inputs.

        Raises:
            BenchError: If the function takes anything but tensors, or cannot be recorded.
        """
        if not all(isinstance(each, torch.Tensor) for each in inputs):
            raise BenchError(
                "graph: expected a network of tensors alone, found one that draws or decides as it "
                "goes; leave @graph out"
            )
        key = tuple((each.shape, each.dtype, each.stride()) for each in inputs)
        if key not in self._recorded:
            try:
                self._recorded[key] = self._record(inputs)
            except RuntimeError as error:
                raise BenchError(f"graph: the network cannot be recorded: {error}") from error
        given, graph, output = self._recorded[key]
        for mine, theirs in zip(given, inputs, strict=True):
            mine.copy_(theirs)
        graph.replay()
        return _copied(output)

    def _record(self, inputs: tuple[torch.Tensor, ...]) -> Any:
        given = [each.clone() for each in inputs]
        aside = torch.cuda.Stream()
        aside.wait_stream(torch.cuda.current_stream())
        with torch.cuda.stream(aside):
            for _ in range(_WARM_CALLS):
                self.function(*given)
        torch.cuda.current_stream().wait_stream(aside)
        graph = torch.cuda.CUDAGraph()
        with torch.cuda.graph(graph):
            output = self.function(*given)
        return given, graph, output


def _copied(output: Any) -> Any:
    """What the next replay does not write over."""
    if isinstance(output, torch.Tensor):
        return output.clone()
    if isinstance(output, tuple) and hasattr(output, "_fields"):
        return type(output)(*map(_copied, output))
    if isinstance(output, list | tuple):
        return type(output)(map(_copied, output))
    return output
