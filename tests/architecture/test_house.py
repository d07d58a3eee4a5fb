"""The house: what importing costs, what is public, how large files are."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

import rrsis_core

ROOT = Path(rrsis_core.__file__).parent
HEAVY = {"torch", "numpy", "rasterio", "shapely", "geopandas", "transformers", "timm", "nltk", "pyarrow", "tokenizers"}


def modules_after(code):
    script = f"import sys, json\n{code}\nprint(json.dumps(sorted({{n.split('.')[0] for n in sys.modules}})))"
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    return set(json.loads(run.stdout.splitlines()[-1]))


def test_importing_the_package_loads_nothing_heavy():
    assert not modules_after("import rrsis_core") & HEAVY


def test_help_loads_nothing_heavy():
    code = "import rrsis_core.cli as c\ntry: c.rrsis.main(['--help'], prog_name='rrsis')\nexcept SystemExit: pass"
    assert not modules_after(code) & HEAVY


def test_a_commands_help_loads_nothing_heavy():
    call = "c.rrsis.main(['segment', '--help'], prog_name='rrsis')"
    code = f"import rrsis_core.cli as c\ntry: {call}\nexcept SystemExit: pass"
    assert not modules_after(code) & HEAVY


def test_contract_is_plain_python():
    names = modules_after("import rrsis_core.contract, rrsis_core.contract.plain")
    assert names - set(sys.stdlib_module_names) <= {"rrsis_core", "__main__", "sitecustomize"} | {
        name for name in names if name.startswith(("_", "a1_", "distutils"))
    }


@pytest.mark.parametrize("name", rrsis_core.__all__)
def test_every_public_name_exists(name):
    assert getattr(rrsis_core, name) is not None


def test_public_names_are_sorted_and_others_are_refused():
    assert rrsis_core.__all__ == sorted(rrsis_core.__all__)
    with pytest.raises(AttributeError):
        _ = rrsis_core.segment_everything


def test_no_file_is_too_long():
    lengths = {path: len(path.read_text().splitlines()) for path in ROOT.rglob("*.py")}
    assert max(lengths.values()) <= 500, max(lengths, key=lengths.get)


def test_contract_parses_on_the_oldest_qgis_python():
    for path in (ROOT / "contract").glob("*.py"):
        ast.parse(path.read_text(), feature_version=(3, 9))


def test_both_licences_are_in_place():
    top = ROOT.parent
    if not (top / "pyproject.toml").exists():
        pytest.skip("not a checkout")
    assert (top / "LICENSE").read_text().startswith("MIT License")
    assert "GNU GENERAL PUBLIC LICENSE" in (top / "qgis_plugin/LICENSE").read_text()
