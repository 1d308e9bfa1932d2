"""Ways to run a network: names, what they change in a fill, what they leave as it is."""

from functools import partial
from typing import NamedTuple

import numpy as np
import pytest
import torch
from torch import nn

import methods
from bench.errors import BenchError
from bench.machine import flops
from methods import execution, harness, recording
from methods.recording import Recording
from methods.scene import scene


class Pair(NamedTuple):
    first: torch.Tensor
    others: list[torch.Tensor]


NETWORKS = [
    "lama:small", "relama:small", "context_encoder_any:small", "pennet:small", "deepfill:small",
    "hifill:small", "pluralistic:small", "ict:small",
]  # fmt: skip


def fill(name: str) -> harness.Filled:
    method = methods.get(name)
    method.load()
    return harness.fill(method, *scene(128, 128), seed=0)


def difference(name: str, way: str) -> float:
    """Mean absolute difference of raw outputs, in [0, 1]."""
    plain, other = (fill(each).raw for each in (name, f"{name}@{way}"))
    return float(np.abs(plain - other).mean())


def test_ways_are_joined_with_each_other_and_with_a_variant():
    assert execution.split("") == ("", ())
    assert execution.split("bf16+compile") == ("", ("bf16", "compile"))
    assert execution.split("step8+bf16") == ("step8", ("bf16",))
    method = methods.get("ict:small@step8+channels_last")
    assert (method.variant, method.ways) == ("step8", ("channels_last",))
    assert "channels last" in method.card.title
    assert "8 tokens per pass" in method.card.title


@pytest.mark.parametrize("variant", ["step8+onepass", "bf16+bf16"])
def test_two_variants_or_a_way_twice_are_refused(variant):
    with pytest.raises(BenchError, match="one variant of the method at most"):
        methods.parse(f"ict:small@{variant}")


def test_a_method_without_a_network_has_no_ways():
    with pytest.raises(BenchError, match="telea has none"):
        methods.parse("telea@bf16")


@pytest.mark.parametrize("way", ["tf32", "graph"])
def test_what_only_cuda_has_is_refused_elsewhere(way):
    with pytest.raises(BenchError, match=f"{way}: expected a CUDA device"):
        methods.get(f"lama:small@{way}").load()


@pytest.mark.skipif(not torch.cuda.is_available(), reason="no CUDA device here")
@pytest.mark.parametrize("name", NETWORKS[:6])
def test_a_recorded_network_gives_the_same_fills(name):
    plain, other = (methods.get(f"{name}{way}", device="cuda") for way in ("", "@graph"))
    plain.load()
    other.load()
    for side in (128, 192):
        photo, hole = scene(side, side, side)
        for seed in range(2):
            fills = (harness.fill(method, photo, hole, seed).raw for method in (plain, other))
            assert np.abs(np.subtract(*fills)).max() < 1e-4


def test_what_a_recording_gives_is_not_written_over_by_the_next_replay():
    pair = Pair(torch.ones(2), [torch.zeros(1)])
    copied = recording._copied(pair)
    pair.first.fill_(5)
    pair.others[0].fill_(5)
    assert isinstance(copied, Pair)
    assert copied.first.tolist() == [1, 1]
    assert copied.others[0].tolist() == [0]


def test_a_recording_refuses_what_is_no_tensor():
    with pytest.raises(BenchError, match="network of tensors alone"):
        Recording(lambda *given: given)(torch.ones(1), torch.Generator())


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_bfloat16_changes_no_count_of_products(name):
    counts = []
    for each in (name, f"{name}@bf16"):
        method = methods.get(each)
        method.load_by_rule()
        counts.append(flops.measure(partial(harness.fill, method, *scene(128, 128), 0))[1].products)
    assert counts[0] == counts[1] > 0


def fails(*given: object) -> None:
    raise AssertionError("what was compiled was called")


def compiled(network: nn.Module) -> None:
    network.compile()
    network._compiled_call_impl = fails  # compiling itself takes long


def recorded(network: nn.Module) -> None:
    network.forward = Recording(network.forward)


@pytest.mark.parametrize("hide", [compiled, recorded])
def test_operations_can_be_counted_however_a_network_is_run(hide):
    network, x = nn.Conv2d(3, 5, 3), torch.rand(1, 3, 9, 9)
    expected, plain = flops.measure(lambda: network(x))
    hide(network)
    hidden = network.forward, network._compiled_call_impl
    with execution.one_by_one(network):
        output, counted = flops.measure(lambda: network(x))
    assert counted == plain
    assert torch.equal(output, expected)
    assert hidden == (network.forward, network._compiled_call_impl)


@pytest.mark.slow
@pytest.mark.parametrize("name", NETWORKS)
def test_channels_last_changes_nothing_but_rounding(name):
    assert difference(name, "channels_last") < 1e-5


@pytest.mark.slow
@pytest.mark.parametrize("name", [name for name in NETWORKS if name != "ict:small"])
def test_bfloat16_changes_a_fill_a_little(name):
    assert 0 < difference(name, "bf16") < 0.02


@pytest.mark.nightly
@pytest.mark.filterwarnings("ignore:Torchinductor does not support code generation for complex")
@pytest.mark.parametrize("name", ["lama:small", "context_encoder_any:small"])
def test_a_compiled_network_gives_the_same_fills(name):
    assert difference(name, "compile") < 1e-4


def test_single_precision_is_single_precision_unless_asked():
    with execution._tf32(False):
        assert not torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "highest"
    with execution._tf32(True):
        assert torch.backends.cudnn.allow_tf32
        assert torch.get_float32_matmul_precision() == "high"
    assert torch.get_float32_matmul_precision() == "highest"


def test_weights_by_rule_give_finite_fills_and_differ_from_the_trained_ones():
    method = methods.get("lama:small")
    method.load_by_rule()
    filled = harness.fill(method, *scene(128, 128), seed=0)
    assert np.isfinite(filled.raw).all()
    assert np.abs(filled.raw - fill("lama:small").raw).max() > 0.1
