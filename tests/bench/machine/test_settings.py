"""Numbers are computed alike whatever was set before, and what was set comes back."""

import warnings

import numpy as np
import pytest
import torch

from bench.machine.settings import as_started


@pytest.fixture
def changed():
    """A process in which a method has set all that it could."""
    with np.errstate(all="raise"), warnings.catch_warnings():
        warnings.simplefilter("error")
        torch.set_default_dtype(torch.float64)
        torch.set_default_device("meta")
        torch.set_float32_matmul_precision("medium")
        torch.use_deterministic_algorithms(True)
        try:
            yield
        finally:
            torch.use_deterministic_algorithms(False)
            torch.set_float32_matmul_precision("highest")
            torch.set_default_device(None)
            torch.set_default_dtype(torch.float32)


@pytest.mark.usefixtures("changed")
def test_it_is_as_in_a_new_process_and_then_as_before():
    with as_started():
        assert torch.ones(1).dtype == torch.float32
        assert torch.ones(1).device.type == "cpu"
        assert torch.get_float32_matmul_precision() == "highest"
        assert not torch.are_deterministic_algorithms_enabled()
        with pytest.warns(RuntimeWarning, match="divide"):
            assert np.isinf(np.ones(1) / 0).all()
        assert np.float64(1e-300) * np.float64(1e-300) == 0
    assert torch.ones(1).dtype == torch.float64
    assert torch.ones(1).device.type == "meta"
    assert torch.get_float32_matmul_precision() == "medium"
    assert torch.are_deterministic_algorithms_enabled()
    with pytest.raises(FloatingPointError):
        np.ones(1) / 0
    with pytest.raises(UserWarning):
        warnings.warn("x", stacklevel=1)
