"""What ReLaMa's attention costs beside LaMa: time side by side, operations, parameters.

Run with ``pytest tests/speed/test_relama_speed.py --benchmark-enable -s``.
"""

import time

import numpy as np
import pytest
import torch

import methods
from bench import flops
from methods.lama import Generator

ROUNDS = 15


@pytest.mark.parametrize("config", ["small", "full"])
@pytest.mark.parametrize("side", [128, 256])
def test_relama_against_lama(benchmark, config, side):
    full = {"blocks": 9} if benchmark.enabled else {"blocks": 2, "ngf": 8}
    settings = methods.card("lama").config("small") if config == "small" else full
    networks = [Generator(**settings, attention=attention).eval() for attention in (False, True)]
    x = torch.rand(1, 4, side, side)

    rounds = ROUNDS if benchmark.enabled else 1

    def seconds(network):
        start = time.process_time()
        network(x)
        return time.process_time() - start

    with torch.inference_mode():
        for network in networks:
            network(x)
        # Interleaved, so that what else the machine does meets both alike.
        taken = np.array([[seconds(network) for network in networks] for _ in range(rounds)])
        operations = [flops.count(lambda n=network: n(x))[1] for network in networks]
        benchmark.pedantic(networks[1], args=(x,), rounds=1)
    parameters = [sum(p.numel() for p in network.parameters()) for network in networks]
    extra = {
        "time": float(np.median(taken[:, 1] / taken[:, 0])),
        "operations": operations[1] / operations[0],
        "parameters": parameters[1] / parameters[0],
    }
    benchmark.extra_info.update(extra)
    words = ", ".join(f"{name} x {ratio:.3f}" for name, ratio in extra.items())
    print(f"\nReLaMa against LaMa, {config}, {side} x {side}: {words}")
    assert 1 < extra["operations"] < 1.2
    assert extra["parameters"] < 1.1
