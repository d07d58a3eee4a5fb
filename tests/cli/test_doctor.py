"""rrsis doctor and rrsis models."""

import rrsis_core
from rrsis_core.weights import store


def test_all_is_well_with_weights(rrsis, tiny_weights, monkeypatch):
    monkeypatch.setattr(store, "weight_files", lambda: {"tiny": tiny_weights})
    ran = rrsis("doctor", "--json")
    assert ran.code == 0, ran.out
    report = ran.json
    assert report["rrsis"] == rrsis_core.__version__
    assert "cpu" in report["devices"]
    assert report["gdal"] and report["packages"]["torch"]
    assert report["weights"] == {"tiny": str(tiny_weights)}
    assert report["problems"] == []
    assert "All is well." in rrsis("doctor").out


def test_missing_weights_are_a_problem_in_words(rrsis, monkeypatch):
    monkeypatch.setattr(store, "weight_files", dict)
    ran = rrsis("doctor", "--json")
    assert ran.code == 1
    assert any("no weights" in problem for problem in ran.json["problems"])


def test_damaged_weights_are_named(rrsis, monkeypatch, tmp_path):
    (tmp_path / "a.safetensors").write_text("x")
    monkeypatch.setattr(store, "weight_files", lambda: {"a": tmp_path / "a.safetensors"})
    ran = rrsis("doctor")
    assert ran.code == 1
    assert "a.safetensors" in ran.out


def test_models_lists_presets_and_cards(rrsis, tiny_weights, monkeypatch):
    monkeypatch.setattr(store, "weight_files", lambda: {"tiny": tiny_weights})
    listed = rrsis("models", "--json").json
    assert "crobim_swin_base_480" in listed["presets"]
    assert listed["weights"]["tiny"]["gsd"] == 0.5
    assert "0.5 m a pixel" in rrsis("models").out


def test_version_and_help(rrsis):
    assert rrsis_core.__version__ in rrsis("--version").out
    assert "segment" in rrsis("--help").out
