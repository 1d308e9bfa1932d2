"""Read TensorFlow's frozen graphs (a serialised ``GraphDef``) without TensorFlow.

Only what finding weights takes is read: nodes, their inputs, and the values of constants. Names
and numbers of fields are those of TensorFlow's graph.proto, node_def.proto, attr_value.proto,
tensor.proto and tensor_shape.proto; the encoding is that of Protocol Buffers.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from bench.errors import BenchError

_LARGEST_FILE = 2**31 - 1  # bytes; Protocol Buffers allow no larger message
_SMALL = 2**22  # elements that any graph may have; a few bytes can claim any number of equal ones
_VARINT, _EIGHT_BYTES, _BYTES, _FOUR_BYTES = 0, 1, 2, 5
_NODE = 1
_NAME, _OP, _INPUT, _ATTRIBUTE = 1, 2, 3, 5
_KEY, _VALUE = 1, 2
_TENSOR = 8
_DTYPE, _SHAPE, _CONTENT = 1, 2, 4
_DIMENSION, _SIZE = 2, 1

# By number of the data type: NumPy's type, the field of single values, and its wire type.
_TYPES = {
    1: ("<f4", 5, _FOUR_BYTES),
    2: ("<f8", 6, _EIGHT_BYTES),
    3: ("<i4", 7, _VARINT),
    4: ("<u1", 7, _VARINT),
    5: ("<i2", 7, _VARINT),
    6: ("<i1", 7, _VARINT),
    9: ("<i8", 10, _VARINT),
    10: ("?", 11, _VARINT),
    19: ("<f2", 13, _VARINT),  # as bit patterns
}

_Field = tuple[int, int, int | memoryview]  # number, wire type, value


@dataclass(frozen=True)
class Node:
    """One operation of a graph.

    Attributes:
        name: Its name, unique in the graph.
        op: What it does, such as ``Const`` or ``Conv2D``.
        inputs: Names of the nodes that feed it, without the number of their output.
        value: The value of a constant; None for other nodes, and for constants that are no
            numbers (strings) or of a type that weights do not have.
    """

    name: str
    op: str
    inputs: tuple[str, ...]
    value: np.ndarray | None = None


class _Malformed(Exception):
    """What is wrong with the bytes."""


def read(path: Path) -> list[Node]:
    """Read the nodes of a file, in its order, which is that of their creation.

    Raises:
        BenchError: If it is not readable, too large, cut off, or no such graph.
    """
    try:
        size = path.stat().st_size
        if size > _LARGEST_FILE:
            raise BenchError(
                f"{path}: expected a frozen graph of at most {_LARGEST_FILE:,} bytes, found "
                f"{size:,}; is it the right file?"
            )
        return parse(path.read_bytes(), str(path))
    except OSError as error:
        raise BenchError(f"{path}: expected a frozen graph, found {error.strerror}") from error


def parse(data: bytes, source: str) -> list[Node]:
    """Read the nodes of a graph.

    Args:
        data: The serialised graph.
        source: Where it is from, for messages.

    Raises:
        BenchError: If it is cut off, or no such graph.
    """
    nodes: list[Node] = []
    room = max(_SMALL, len(data))
    try:
        for number, _, value in _fields(memoryview(data)):
            if number == _NODE:
                nodes.append(_node(_message(value), room))
                room -= 0 if (held := nodes[-1].value) is None else held.size
        if not nodes:
            raise _Malformed("no nodes")
        if len({node.name for node in nodes}) < len(nodes):
            raise _Malformed("two nodes of one name")
    except _Malformed as error:
        raise BenchError(
            f"{source}: expected a frozen TensorFlow graph, found {error} (after {len(nodes)} "
            "nodes); get the file again, it may be cut off or something else"
        ) from error
    return nodes


def constants(nodes: list[Node]) -> dict[str, np.ndarray]:
    """The constants of a graph by name."""
    return {node.name: node.value for node in nodes if node.value is not None}


def _fields(message: memoryview) -> Iterator[_Field]:
    """Give the fields of a message; groups, which no TensorFlow file has, are refused."""
    at = 0
    while at < len(message):
        tag, at = _varint(message, at)
        number, wire = tag >> 3, tag & 7
        if wire == _VARINT:
            value, at = _varint(message, at)
            yield number, wire, value
            continue
        if wire == _BYTES:
            length, at = _varint(message, at)
        elif wire in (_FOUR_BYTES, _EIGHT_BYTES):
            length = 4 if wire == _FOUR_BYTES else 8
        else:
            raise _Malformed(f"a field of the unknown wire type {wire}")
        if length > len(message) - at:
            raise _Malformed(f"a field of {length:,} bytes where {len(message) - at:,} are left")
        yield number, wire, message[at : at + length]
        at += length


def _varint(message: memoryview, at: int) -> tuple[int, int]:
    """Read an integer of up to ten bytes; gives it and where the next field begins."""
    value = 0
    for index in range(10):
        if at + index >= len(message):
            raise _Malformed("a number that is cut off")
        byte = message[at + index]
        value |= (byte & 0x7F) << (7 * index)
        if byte < 0x80:
            return value & (2**64 - 1), at + index + 1
    raise _Malformed("a number of more than ten bytes")


def _message(value: int | memoryview) -> memoryview:
    if isinstance(value, int):
        raise _Malformed("a number in place of a message")
    return value


def _text(value: int | memoryview) -> str:
    try:
        return str(_message(value), "utf-8")
    except UnicodeDecodeError as error:
        raise _Malformed("a name that is no text") from error


def _node(message: memoryview, room: int) -> Node:
    name, op, inputs, tensor = "", "", [], None
    for number, _, value in _fields(message):
        if number == _NAME:
            name = _text(value)
        elif number == _OP:
            op = _text(value)
        elif number == _INPUT:
            inputs.append(_text(value).removeprefix("^").partition(":")[0])
        elif number == _ATTRIBUTE:
            tensor = _value_attribute(_message(value)) or tensor
    if not name or not op:
        raise _Malformed("a node without name or operation")
    constant = _tensor(tensor, name, room) if op == "Const" and tensor is not None else None
    return Node(name, op, tuple(inputs), constant)


def _value_attribute(entry: memoryview) -> memoryview | None:
    """The tensor of a node's attribute ``value``, if it is that one."""
    key, tensor = "", None
    for number, _, value in _fields(entry):
        if number == _KEY:
            key = _text(value)
        elif number == _VALUE:
            for kind, _, inner in _fields(_message(value)):
                tensor = _message(inner) if kind == _TENSOR else tensor
    return tensor if key == "value" else None


def _tensor(message: memoryview, name: str, room: int) -> np.ndarray | None:
    fields = list(_fields(message))
    dtype = next((value for number, _, value in fields if number == _DTYPE), 0)
    if dtype not in _TYPES:
        return None
    numpy_type, field, wire = _TYPES[int(dtype)]
    shape = next((_shape(_message(v)) for number, _, v in fields if number == _SHAPE), ())
    count = math.prod(shape)
    if count > room:
        raise _Malformed(f"a constant {name} of {count:,} elements, more than the file can hold")
    content = next((_message(v) for number, _, v in fields if number == _CONTENT), None)
    if content is not None:
        values = _from_content(content, numpy_type, name)
    else:
        values = _from_values([f for f in fields if f[0] == field], numpy_type, wire, name)
    if 0 < len(values) < count:  # equal values at the end are stored once
        values = np.concatenate([values, np.full(count - len(values), values[-1])])
    if len(values) != count:
        raise _Malformed(f"{len(values):,} values for the {count:,} of the constant {name}")
    return values.reshape(shape)


def _shape(message: memoryview) -> tuple[int, ...]:
    shape = []
    for number, _, dimension in _fields(message):
        if number == _DIMENSION:
            sizes = [value for inner, _, value in _fields(_message(dimension)) if inner == _SIZE]
            size = int(sizes[-1]) if sizes and isinstance(sizes[-1], int) else 0
            if size >= 2**63:
                raise _Malformed("a constant of unknown size")
            shape.append(size)
    return tuple(shape)


def _from_content(content: memoryview, numpy_type: str, name: str) -> np.ndarray:
    width = np.dtype(numpy_type).itemsize
    if len(content) % width:
        raise _Malformed(f"{len(content):,} bytes for the constant {name}, no multiple of {width}")
    return np.frombuffer(content, numpy_type).copy()


def _from_values(fields: list[_Field], numpy_type: str, wire: int, name: str) -> np.ndarray:
    """Values stored one by one or packed; both occur."""
    if wire != _VARINT:
        chunks = [bytes(_message(value)) for _, _, value in fields]
        return _from_content(memoryview(b"".join(chunks)), numpy_type, name)
    numbers: list[int] = []
    for _, found, value in fields:
        if found == _BYTES:
            packed, at = _message(value), 0
            while at < len(packed):
                number, at = _varint(packed, at)
                numbers.append(number)
        else:
            numbers.append(value if isinstance(value, int) else -1)
    whole = np.frombuffer(struct.pack(f"<{len(numbers)}Q", *numbers), "<i8")
    if numpy_type == "<f2":
        return whole.astype("<u2").view("<f2")
    return whole.astype(numpy_type)
