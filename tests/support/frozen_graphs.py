"""Write TensorFlow's frozen graphs, as far as tests need them."""

import numpy as np

DTYPES = {"float32": 1, "float64": 2, "int32": 3, "int64": 9, "bool": 10, "float16": 19}


def varint(value: int) -> bytes:
    value &= 2**64 - 1
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def number(field: int, value: int) -> bytes:
    return varint(field << 3) + varint(value)


def message(field: int, content: bytes) -> bytes:
    return varint(field << 3 | 2) + varint(len(content)) + content


def text(field: int, value: str) -> bytes:
    return message(field, value.encode())


def shape(*sizes: int) -> bytes:
    return message(2, b"".join(message(2, number(1, size)) for size in sizes))


def node(name: str, op: str, *inputs: str, tensor: bytes | None = None) -> bytes:
    entry = b""
    if tensor is not None:
        entry = message(5, text(1, "value") + message(2, message(8, tensor)))
    return message(1, text(1, name) + text(2, op) + b"".join(text(3, i) for i in inputs) + entry)


def constant(name: str, value: np.ndarray) -> bytes:
    content = number(1, DTYPES[value.dtype.name]) + shape(*value.shape)
    return node(name, "Const", tensor=content + message(4, value.tobytes()))


def frozen(weights: dict[str, np.ndarray], rename=lambda name: name) -> bytes:
    """A graph as freezing leaves it: each weight read, each kernel in a convolution with its bias.

    Args:
        weights: By variable; kernels (HWIO) and their biases in turn.
        rename: Gives the names of constants.
    """
    graph = node("img", "Placeholder")
    names = list(weights)
    for kernel, bias in zip(names[::2], names[1::2], strict=True):
        for name in (kernel, bias):
            graph += constant(rename(name), weights[name])
            graph += node(f"{rename(name)}/read", "Identity", rename(name))
        made = rename(kernel) + "/Conv2D"
        graph += node(made, "Conv2D", "img:0", f"{rename(kernel)}/read:0")
        if "dil" in kernel:  # as TensorFlow 1 writes dilated convolutions
            graph += node(f"{made}/back", "BatchToSpaceND", made)
            made += "/back"
        graph += node(f"{made}/BiasAdd", "BiasAdd", made, f"{rename(bias)}/read")
    return graph + message(4, number(1, 1234))
