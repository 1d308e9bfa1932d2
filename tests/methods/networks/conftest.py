import functools

import pytest

from methods import weights
from tests.support.network_kit import NETWORKS


@pytest.fixture
def folder(tmp_path, monkeypatch):
    """An empty folder of weights; there are none elsewhere but those of this project."""
    monkeypatch.setenv(weights.FOLDER_VARIABLE, str(tmp_path))
    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "cache"))
    return tmp_path


@pytest.fixture(scope="session")
def written(tmp_path_factory):
    """Write a network's weights, made by rule, in a published form, once."""

    @functools.cache
    def write(name, form):
        folder = tmp_path_factory.mktemp("weights")
        NETWORKS[name].forms[form](folder, NETWORKS[name].state)
        return folder

    return write


@pytest.fixture
def here(written, folder, monkeypatch):
    """Let a network find its weights in a published form, by default the first; gives the form."""

    def find(name, form=""):
        form = form or next(iter(NETWORKS[name].forms))
        monkeypatch.setenv(weights.FOLDER_VARIABLE, str(written(name, form)))
        return form

    return find


@pytest.fixture
def loaded(here):
    """Make and load a network's method from a published form, under another name if given."""

    def load(name, form="", asked=""):
        form = here(name, form)
        method = NETWORKS[name].kind(asked) if asked else NETWORKS[name].make(form)
        method.load()
        return method

    return load
