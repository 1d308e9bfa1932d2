"""Certificates: what they say, and that they are of today's code."""

import json
from pathlib import Path

import pytest

import methods
from bench.cli import main
from methods.pretrained import Pretrained
from methods.verification import certificate

GOLDENS = Path(__file__).parents[2] / "goldens"
NETWORKS = sorted(path.name.split(".")[0] for path in GOLDENS.glob("*.npz"))


@pytest.mark.parametrize("name", NETWORKS)
def test_each_network_has_a_certificate_of_its_code(name):
    words = certificate.in_words(methods.get(name))
    facts = certificate.read(name)
    assert facts["arrays"] == facts["within_tolerance"] > 30
    assert facts["cases"] == facts["rebuilt"]
    assert 0 < facts["largest_share_of_tolerance"] <= 1
    assert "this very code" in words, f"run: inpaint-bench verify {name} FILE.npz --certify"


def test_methods_without_reference_outputs_have_none():
    assert certificate.in_words(methods.get("telea")) == ""


def test_changed_code_is_said(monkeypatch):
    monkeypatch.setattr(certificate, "_code", lambda method: "00000000")
    assert "other code than today's" in certificate.in_words(methods.get("pennet"))


def test_the_command_writes_what_it_found(monkeypatch, tmp_path, capsys):
    monkeypatch.setattr(certificate, "FOLDER", tmp_path)
    assert main(["verify", "relama", str(GOLDENS / "relama.npz"), "--certify"]) == 0
    facts = json.loads((tmp_path / "relama.json").read_text("utf-8"))
    said = capsys.readouterr().out
    assert f"{facts['within_tolerance']} of {facts['arrays']} arrays within tolerance" in said
    assert isinstance(methods.get("relama"), Pretrained)
