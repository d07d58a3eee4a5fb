"""Packing: python qgis_plugin/package.py zip | link PROFILE | check. Runs in any Python; not part of the zip."""

from __future__ import annotations

import ast
import configparser
import json
import re
import shutil
import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PLUGIN = Path(__file__).parent
ROOT = PLUGIN.parent
NAME = "phrase_segmentation"
NOT_SHIPPED = {"package.py", "bundle.py", "qt6_smoke.py", "store.lock"}
REQUIRED = "name description version qgisMinimumVersion author email about tracker repository".split()
BINARY = {".pyc", ".so", ".dll", ".exe", ".dylib", ".bat", ".sh", ".ps1", ".cmd", ".qm"}
MOST_BYTES = 1_000_000


def contents() -> dict[str, Path]:
    """Return what a plugin folder holds: name inside it -> file here."""
    files = {
        str(path.relative_to(PLUGIN)): path
        for path in sorted(PLUGIN.rglob("*"))
        if path.is_file() and "__pycache__" not in path.parts and path.name not in NOT_SHIPPED
    }
    for path in sorted((ROOT / "rrsis_core" / "contract").glob("*.py")):
        files[f"contract/{path.name}"] = path
    return {**files, "metadata.txt": ROOT / "metadata.txt"}


def pack(target: Path) -> Path:
    """Write the zip, the same bytes for the same files."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in contents().items():
            entry = zipfile.ZipInfo(f"{NAME}/{name}", (2020, 1, 1, 0, 0, 0))
            entry.compress_type, entry.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            archive.writestr(entry, path.read_bytes())
    return target


def link(plugins: Path) -> Path:
    """Lay out the plugin in a profile's plugins folder with links to the files here, for development."""
    folder = plugins / NAME
    if folder.exists():
        shutil.rmtree(folder)
    for name, path in contents().items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).symlink_to(path.resolve())
    return folder


def faults(archive: Path) -> list[str]:
    """Return what the plugin store would refuse, of what can be told without the web."""
    found = []
    with zipfile.ZipFile(archive) as opened:
        names = opened.namelist()
        metadata = configparser.ConfigParser(interpolation=None)
        metadata.optionxform = str  # type: ignore[assignment]
        metadata.read_string(opened.read(f"{NAME}/metadata.txt").decode("utf-8"))
        sources = {name: opened.read(name).decode("utf-8") for name in names if name.endswith(".py")}
    general = dict(metadata["general"])
    found += [f"metadata.txt lacks {key}" for key in REQUIRED if not general.get(key)]
    if not re.fullmatch(r"\d+\.\d+\.\d+", general.get("version", "")):
        found.append("the version is not x.y.z")
    if "plugin" in general.get("name", "").lower():
        found.append("the name repeats the word plugin")
    for needed in ("__init__.py", "metadata.txt", "LICENSE", general.get("icon", "")):
        if f"{NAME}/{needed}" not in names:
            found.append(f"{needed} is missing")
    found += [f"{name} is a binary or a script" for name in names if Path(name).suffix in BINARY]
    found += [f"{name} is not in the one folder" for name in names if not name.startswith(f"{NAME}/") or ".." in name]
    if archive.stat().st_size > MOST_BYTES:
        found.append(f"the zip has {archive.stat().st_size} bytes")
    for name, text in sources.items():
        tree = ast.parse(text, feature_version=(3, 9))
        for node in ast.walk(tree):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("PyQt"):
                found.append(f"{name} imports {node.module}, not qgis.PyQt")
    return found


def scan(folder: Path) -> list[str]:
    """Run the scanners of the store over a folder, and import it with PyQt6; return what is critical."""
    found = []
    bandit = _run("bandit", "-q", "-r", str(folder), "-f", "json", "-s", ",".join(NOT_CRITICAL))
    found += [f"{x['filename']}:{x['line_number']} {x['test_id']} {x['issue_text']}" for x in bandit["results"]]
    secrets = _run("detect_secrets", "scan", "--all-files", str(folder), "--disable-plugin", "KeywordDetector")
    found += [f"{path}:{x['line_number']} {x['type']}" for path, hits in secrets["results"].items() for x in hits]
    flake = subprocess.run(
        [sys.executable, "-m", "flake8", "--select=E9,F82,F83", str(folder)], capture_output=True, text=True
    )
    smoke = subprocess.run([sys.executable, str(PLUGIN / "qt6_smoke.py"), str(folder)], capture_output=True, text=True)
    return found + flake.stdout.splitlines() + (smoke.stdout + smoke.stderr).splitlines() * bool(smoke.returncode)


# What the store shows as warnings, of what Bandit finds here: subprocess with a list, random, temporary folders.
NOT_CRITICAL = ("B101", "B108", "B110", "B112", "B113", "B310", "B311", "B324", "B403", "B404", "B603", "B606", "B607")


def _run(module: str, *arguments: str) -> dict:
    run = subprocess.run([sys.executable, "-m", module, *arguments], capture_output=True, text=True)
    if not run.stdout.strip():
        raise SystemExit(f"{module} does not run: {run.stderr.strip()[-500:]}")
    return json.loads(run.stdout)


def check() -> int:
    """Pack, look at the zip as the store does, say what was found."""
    with tempfile.TemporaryDirectory() as folder:
        archive = pack(Path(folder) / f"{NAME}.zip")
        found = faults(archive)
        with zipfile.ZipFile(archive) as opened:
            opened.extractall(folder)
        found += scan(Path(folder) / NAME)
        size = archive.stat().st_size
    say = sys.stdout.write
    say("".join(f"critical: {line}\n" for line in found))
    say(f"{len(found)} criticals, {size} bytes. Not run, for lack of the web: that the addresses answer.\n")
    return 1 if found else 0


def main(arguments: list[str]) -> int:
    """Do what the first argument says."""
    if arguments[:1] == ["zip"]:
        sys.stdout.write(f"{pack(ROOT / 'dist' / f'{NAME}.zip')}\n")
        return 0
    if arguments[:1] == ["link"] and len(arguments) == 2:
        sys.stdout.write(f"{link(Path(arguments[1]))}\n")
        return 0
    if arguments == ["check"]:
        return check()
    sys.stdout.write(f"{__doc__}\n")
    return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
