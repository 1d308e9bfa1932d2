"""The reader of TensorFlow's frozen graphs."""

import os

import numpy as np
import pytest

from bench.errors import BenchError
from methods.weights.frozen_graph import constants, parse, read
from tests.support.frozen_graphs import constant, message, node, number, shape, text, varint
from tests.support.golden_files import FOLDER


@pytest.fixture(scope="module")
def graph():
    with np.load(FOLDER / "hifill.npz") as stored:
        return {name: stored[name] for name in stored.files if name.startswith("tiny")}


def test_a_graph_written_by_tensorflow_is_read(graph):
    nodes = parse(graph["tiny_graphdef"].tobytes(), "tiny")
    found = constants(nodes)
    assert np.array_equal(found["generator/layer_a_feat/w"], graph["tiny_graphdef_w"])
    half = found["generator/layer_b/pw"]
    assert half.dtype == np.float16
    assert np.array_equal(half, graph["tiny_graphdef_pw_float16"])
    assert found["generator/layer_a_feat/biases"].tolist() == [0.25] * 4
    assert found["shape"].tolist() == [1, 2, 3]
    assert {node.op for node in nodes} >= {"Placeholder", "Identity", "Conv2D", "BiasAdd"}
    (convolution,) = (node for node in nodes if node.op == "Conv2D")
    assert convolution.inputs == ("img", "generator/layer_a_feat/w/read")


@pytest.mark.parametrize("dtype", ["float32", "float64", "int32", "int64", "bool", "float16"])
def test_every_type_of_number_is_read_as_it_was_written(dtype):
    value = (10 * np.random.default_rng(0).standard_normal((2, 3))).astype(dtype)
    found = constants(parse(constant("x", value), "made"))["x"]
    assert found.dtype == value.dtype
    assert np.array_equal(found, value)


def single(*values: bytes, dtype: int, sizes: tuple[int, ...]) -> np.ndarray:
    tensor = number(1, dtype) + shape(*sizes) + b"".join(values)
    return constants(parse(node("x", "Const", tensor=tensor), "made"))["x"]


def test_values_stored_one_by_one_are_read_packed_or_not():
    packed = message(7, varint(3) + varint(-5) + varint(2**31 - 1))
    loose = number(7, 3) + number(7, -5) + number(7, 2**31 - 1)
    for values in (packed, loose):
        assert single(values, dtype=3, sizes=(3,)).tolist() == [3, -5, 2**31 - 1]
    floats = np.array([1.5, -2.25], "<f4")
    assert single(message(5, floats.tobytes()), dtype=1, sizes=(2,)).tolist() == [1.5, -2.25]
    loose = b"".join(varint(5 << 3 | 5) + each.tobytes() for each in floats)
    assert single(loose, dtype=1, sizes=(2,)).tolist() == [1.5, -2.25]
    halves = np.array([0.5, -3], np.float16).view(np.uint16)
    bits = message(13, b"".join(varint(int(each)) for each in halves))
    assert single(bits, dtype=19, sizes=(2,)).tolist() == [0.5, -3]


def test_the_last_of_too_few_values_repeats():
    packed = message(7, varint(4) + varint(9))
    assert single(packed, dtype=3, sizes=(2, 3)).tolist() == [[4, 9, 9], [9, 9, 9]]


def test_a_constant_without_dimensions_is_a_scalar_and_text_is_no_weight():
    assert single(message(7, varint(7)), dtype=3, sizes=()).shape == ()
    words = node("x", "Const", tensor=number(1, 7) + shape(1) + text(8, "word"))
    assert constants(parse(words, "made")) == {}
    assert parse(words, "made")[0].op == "Const"


def test_a_graph_cut_off_anywhere_gives_an_error_or_whole_nodes(graph):
    data = graph["tiny_graphdef"].tobytes()
    whole = constants(parse(data, "tiny"))
    refused = 0
    for end in range(len(data)):
        try:
            found = constants(parse(data[:end], "tiny"))
        except BenchError:
            refused += 1
        else:
            assert all(np.array_equal(value, whole[name]) for name, value in found.items())
    assert refused > len(data) - 20


def test_a_graph_with_any_byte_changed_gives_an_error_or_constants(graph):
    data = bytearray(graph["tiny_graphdef"].tobytes())
    refused = 0
    for place in range(len(data)):
        changed = data.copy()
        changed[place] ^= 0xFF
        try:
            constants(parse(bytes(changed), "tiny"))
        except BenchError:
            refused += 1
    assert 0 < refused < len(data)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"", "no nodes"),
        (b"\x89PNG\r\n\x1a\n", "wire type|bytes where|cut off"),
        (b"<!DOCTYPE html><html></html>", "wire type|bytes where|cut off"),
        (message(1, text(1, "x")), "without name or operation"),
        (node("x", "Add") * 2, "two nodes of one name"),
        (message(1, message(1, b"\xff\xfe") + text(2, "Add")), "no text"),
        (number(1, 5), "a number in place of a message"),
        (b"\xff" * 11, "more than ten bytes"),
        (node("x", "Const", tensor=number(1, 1) + shape(2**40) + message(4, b"1234")), "elements"),
        (node("x", "Const", tensor=number(1, 1) + shape(-1) + message(4, b"1234")), "unknown size"),
        (node("x", "Const", tensor=number(1, 1) + shape(1) + message(4, b"123")), "multiple of 4"),
        (node("x", "Const", tensor=number(1, 1) + shape(1) + message(4, b"12345678")), "2 values"),
        (node("x", "Const", tensor=number(1, 1) + shape(3)), "0 values for the 3"),
    ],
)
def test_what_is_no_graph_is_refused_with_the_reason(data, words):
    with pytest.raises(BenchError, match=words) as error:
        parse(data, "some.pb")
    assert str(error.value).startswith("some.pb: expected a frozen TensorFlow graph")


def test_a_file_that_is_missing_or_too_large_is_refused_without_being_read(tmp_path):
    with pytest.raises(BenchError, match="No such file"):
        read(tmp_path / "none.pb")
    large = tmp_path / "large.pb"
    large.touch()
    os.truncate(large, 2**31)  # takes no room on the disk
    with pytest.raises(BenchError, match="at most 2,147,483,647 bytes, found 2,147,483,648"):
        read(large)
