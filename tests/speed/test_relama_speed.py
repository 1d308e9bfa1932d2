"""What ReLaMa's attention costs beside LaMa: time side by side, operations, parameters."""

import time

import pytest
import torch

import methods
from bench.machine import flops
from methods.networks.lama.network import Generator
from tests.support.turns import keep, take_turns


@pytest.mark.parametrize("config", ["small", "full"])
@pytest.mark.parametrize("side", [128, 256])
def test_relama_against_lama(benchmark, config, side):
    full = {"blocks": 9} if benchmark.enabled else {"blocks": 2, "ngf": 8}
    settings = methods.card("lama").config("small") if config == "small" else full
    networks = [Generator(**settings, attention=attention).eval() for attention in (False, True)]
    x = torch.rand(1, 4, side, side)

    lama, relama = networks
    with torch.inference_mode():
        forms = {"ReLaMa": lambda: relama(x), "LaMa": lambda: lama(x)}
        turns = take_turns(benchmark, forms, rounds=15, clock=time.process_time)
        counts = [flops.count(lambda n=network: n(x))[1] for network in networks]
    sizes = [sum(p.numel() for p in network.parameters()) for network in networks]
    more = {
        "share_of_operations": counts[1] / counts[0],
        "share_of_parameters": sizes[1] / sizes[0],
    }
    keep(benchmark, turns, "ReLaMa", "LaMa", f"{config}, {side} x {side}, CPU time", **more)
    assert 1 < more["share_of_operations"] < 1.2
    assert more["share_of_parameters"] < 1.1
