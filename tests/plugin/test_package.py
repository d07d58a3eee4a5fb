"""The zip: what the store refuses is not in it, and every word has its translation."""

import ast
import json
import re
import shutil
import string
import zipfile
from pathlib import Path

import pytest

from qgis_plugin import install, package

SOURCES = sorted(package.PLUGIN.glob("*.py"))


@pytest.fixture(scope="module")
def zipped(tmp_path_factory):
    return package.pack(tmp_path_factory.mktemp("zip") / "plugin.zip")


def test_the_zip_is_complete_small_and_the_same_each_time(zipped, tmp_path):
    assert package.faults(zipped) == []
    assert zipped.read_bytes() == package.pack(tmp_path / "again.zip").read_bytes()
    names = zipfile.ZipFile(zipped).namelist()
    assert "phrase_segmentation/contract/client.py" in names
    assert not [name for name in names if "package.py" in name or "qt6_smoke" in name]


@pytest.mark.parametrize(
    ("name", "old", "new"),
    [
        ("metadata.txt", "version=0.1.0", "version=0.1"),
        ("metadata.txt", "tracker=", "tracer="),
        ("plugin.py", "from qgis.PyQt.QtGui", "from PyQt5.QtGui"),
    ],
)
def test_faults_are_found(zipped, tmp_path, name, old, new):
    with zipfile.ZipFile(zipped) as source, zipfile.ZipFile(tmp_path / "bad.zip", "w") as target:
        for item in source.namelist():
            text = source.read(item)
            target.writestr(item, text.replace(old.encode(), new.encode()) if item.endswith(f"/{name}") else text)
    assert len(package.faults(tmp_path / "bad.zip")) == 1


def test_links_for_developers(tmp_path):
    folder = package.link(tmp_path)
    assert (folder / "contract" / "client.py").resolve() == package.ROOT / "rrsis_core" / "contract" / "client.py"
    assert (folder / "metadata.txt").is_symlink()
    shutil.rmtree(folder)


def test_the_version_is_that_of_the_engine():
    project = (package.ROOT / "pyproject.toml").read_text()
    version = re.search('version = "(.*)"', project)[1]
    assert f"\nversion={version}\n" in (package.ROOT / "metadata.txt").read_text()


def test_the_engine_gets_the_versions_of_the_checkout_each_with_its_sums():
    lock = (package.PLUGIN / "engine.lock").read_text()
    pins = re.findall(r"^(\S+)==(\S+)((?: \\\n +--hash=sha256:[0-9a-f]{64})+)$", lock, re.MULTILINE)
    assert len(pins) == lock.count("==")
    wanted = [
        line.split("==") for line in (package.ROOT / "requirements.lock").read_text().splitlines() if "==" in line
    ]
    have = [*((name, version) for name, version, _ in pins), *(pin.split("==") for pin in install.TORCH)]
    plain = [
        sorted((re.sub("[-_.]+", "-", name).lower(), version) for name, version in each) for each in (wanted, have)
    ]
    assert plain[0] == plain[1], "make engine-lock"


def said():
    """Yield every text of the sources that goes through tr()."""
    for path in SOURCES:
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "tr":
                if isinstance(node.args[0], ast.Constant):
                    yield node.args[0].value
                else:
                    assert path.name == "algorithms.py", f"{path.name}:{node.lineno} hides its text from translators"


def labels():
    """Yield the labels of the numbers in algorithms.py, which tr() sees as variables."""
    tree = ast.parse((package.PLUGIN / "algorithms.py").read_text())
    (table,) = (n.value for n in tree.body if isinstance(n, ast.Assign) and ast.unparse(n.targets[0]) == "NUMBERS")
    for row in table.elts:
        yield row.elts[2].value


def fields(text):
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


@pytest.mark.parametrize("path", sorted((package.PLUGIN / "i18n").glob("*.json")), ids=lambda path: path.stem)
def test_every_text_is_translated(path):
    table = json.loads(Path(path).read_text(encoding="utf-8"))
    wanted = {*said(), *labels()}
    assert len(wanted) > 100
    assert sorted(wanted - set(table)) == [] and sorted(set(table) - wanted) == []
    for text, translation in table.items():
        assert fields(text) == fields(translation), text
