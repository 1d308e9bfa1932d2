"""The examples of every public function are run."""

import doctest
import importlib
import inspect
import pkgutil

import pytest

import inpaint_bench

MODULES = [
    inpaint_bench,
    *(
        importlib.import_module(f"inpaint_bench.{found.name}")
        for found in pkgutil.iter_modules(inpaint_bench.__path__)
    ),
]


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_the_examples_are_true(module):
    assert doctest.testmod(module).failed == 0


def test_every_public_function_has_an_example():
    functions = [getattr(inpaint_bench, name) for name in inpaint_bench.__all__]
    functions = [each for each in functions if inspect.isfunction(each)]
    assert len(functions) == 9
    assert all(">>> " in (each.__doc__ or "") for each in functions)
