"""Find HiFill's weights in the published frozen graph.

The graph was frozen by TensorFlow 1; that its variables are those of the first author's training
code is likely, but not documented. So they are looked for by name, then by the order of the
convolutions, and anything else is refused with what was found.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import torch

from bench.errors import BenchError
from methods.weights.frozen_graph import Node, constants

_SCOPE = "generator/"
_COARSE = {"feat.weight": "_feat/w", "feat.bias": "_feat/biases"} | {
    "gate.weight": "_gate/w",
    "gate.bias": "_gate/biases",
}
_REFINE = {"feat.weight": "/w", "feat.bias": "/biases", "gate.weight": "/pw"} | {
    "gate.bias": "/ds_biases"
}
_PASSED = ("Identity", "Cast")  # between a constant and the convolution
_ADDED = ("BiasAdd", "Add", "AddV2")
_BETWEEN = ("BatchToSpaceND",)  # between a dilated convolution and its bias
_FUSION = (3, 3, 1, 1)  # kernels that shift attention scores; no weights


def variable(key: str) -> str:
    """Name of a tensor in the training code, without the scope: ``re_dil_d1/pw``."""
    layer, convolution, kind = key.rsplit(".", 2)
    names = _COARSE if key.startswith("c_") else _REFINE
    return layer.replace(".", "/") + names[f"{convolution}.{kind}"]


def weights_of(
    nodes: list[Node], expected: Mapping[str, torch.Size], source: str
) -> dict[str, torch.Tensor]:
    """Find the weights of the network.

    Args:
        nodes: The graph.
        expected: Shapes by key, in the order of the layers.
        source: Where the graph is from, for messages.

    Returns:
        float32 tensors by key.

    Raises:
        BenchError: If the graph has other layers than the network.
    """
    found = _by_name(constants(nodes), expected)
    return found or _by_order(nodes, expected, source)


def _by_name(
    values: Mapping[str, np.ndarray], expected: Mapping[str, torch.Size]
) -> dict[str, torch.Tensor] | None:
    """Take the constants of the expected names, below any scope; None unless all are there."""
    first = variable(next(iter(expected)))
    scopes = [name.removesuffix(first) for name in values if f"/{name}".endswith(f"/{first}")]
    for scope in sorted(scopes, key=lambda scope: scope != _SCOPE):
        names = {key: scope + variable(key) for key in expected}
        if all(name in values for name in names.values()):
            found = {key: _tensor(values[name]) for key, name in names.items()}
            if all(found[key].shape == shape for key, shape in expected.items()):
                return found
    return None


def _by_order(
    nodes: list[Node], expected: Mapping[str, torch.Size], source: str
) -> dict[str, torch.Tensor]:
    """Take kernels and biases of the convolutions in the order of their creation."""
    found = [_tensor(value) for pair in _convolutions(nodes) for value in pair]
    if [each.shape for each in found] == list(expected.values()):
        return dict(zip(expected, found, strict=True))
    kernels = [tuple(each.shape) for each in found if each.ndim == 4]
    wanted = [tuple(shape) for shape in expected.values() if len(shape) == 4]
    other = sorted({node.op for node in nodes if "Conv" in node.op and node.op != "Conv2D"})
    raise BenchError(
        f"{source}: expected the {len(expected)} weights of HiFill by name or in the order of its "
        f"convolutions, found neither; its kernels have the shapes {kernels}, expected {wanted}"
        + (f"; it also has {', '.join(other)}" if other else "")
        + ". Is it the graph of another network?"
    )


def _convolutions(nodes: list[Node]) -> Iterator[tuple[np.ndarray, np.ndarray]]:
    """Kernel and bias of every convolution whose weights are constants."""
    by_name = {node.name: node for node in nodes}
    users: dict[str, list[Node]] = {}
    for node in nodes:
        for name in node.inputs:
            users.setdefault(name, []).append(node)
    for node in nodes:
        if node.op != "Conv2D" or len(node.inputs) < 2:
            continue
        kernel = _constant(by_name, node.inputs[1])
        bias = _bias(by_name, users, node)
        if kernel is not None and kernel.shape != _FUSION and bias is not None:
            yield kernel, bias


def _constant(by_name: Mapping[str, Node], name: str) -> np.ndarray | None:
    for _ in range(len(by_name)):  # a cycle must not hang
        node = by_name.get(name)
        if node is None or node.op not in _PASSED or not node.inputs:
            return node.value if node is not None else None
        name = node.inputs[0]
    return None


def _bias(
    by_name: Mapping[str, Node], users: Mapping[str, list[Node]], convolution: Node
) -> np.ndarray | None:
    """The constant added to what a convolution gives."""
    given = {convolution.name}
    given |= {user.name for user in users.get(convolution.name, ()) if user.op in _BETWEEN}
    adding = [user for name in given for user in users.get(name, ()) if user.op in _ADDED]
    values = [_constant(by_name, name) for user in adding for name in user.inputs]
    return next((value for value in values if value is not None and value.ndim == 1), None)


def _tensor(value: np.ndarray) -> torch.Tensor:
    """To float32, kernels from TensorFlow's order (height, width, in, out) to torch's."""
    ordered = value.transpose(3, 2, 0, 1) if value.ndim == 4 else value
    return torch.from_numpy(np.array(ordered, np.float32))
