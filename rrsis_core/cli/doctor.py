"""rrsis doctor: can this computer run the main job, and if not, what to do."""

import json
import platform
import sys
from importlib import import_module, metadata
from typing import Any

import click

import rrsis_core
from rrsis_core.contract import RrsisError

PACKAGES = """
    torch timm transformers tokenizers safetensors nltk numpy rasterio pyproj shapely geopandas pyogrio pyarrow
""".split()


@click.command(short_help="Tell versions, devices, weights and what is wrong.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def doctor(as_json: bool) -> int:
    """Tell versions, devices and weights, and what is wrong in words. Exit code 1 where something is."""
    report = examine()
    if as_json:
        click.echo(json.dumps(report))
    else:
        for key in ("rrsis", "python", "platform", "gdal", "devices", "weights"):
            click.echo(f"{key}: {_words(report[key])}")
        click.echo("packages: " + ", ".join(f"{name} {version}" for name, version in report["packages"].items()))
        problems = report["problems"]
        click.echo("\n".join(["Something is wrong:", *(f"- {p}" for p in problems)]) if problems else "All is well.")
    return 1 if report["problems"] else 0


def examine() -> dict[str, Any]:
    """Return what is there and what is wrong, as JSON-ready data."""
    problems: list[str] = []
    report: dict[str, Any] = {
        "rrsis": rrsis_core.__version__,
        "python": platform.python_version(),
        "executable": sys.executable,
        "platform": platform.platform(),
        "packages": {name: _version(name, problems) for name in PACKAGES},
        "gdal": "",
        "devices": [],
        "weights": {},
        "problems": problems,
    }
    for name, look in {"gdal": _gdal, "devices": _devices, "weights": _weights}.items():
        try:
            report[name] = look()
        except RrsisError as error:
            problems.append(f"{error.message} {error.hint}")
        except (ImportError, OSError, RuntimeError) as error:
            problems.append(
                f"{name}: {error}. Install the dependencies again: pip install --force-reinstall rrsis-core."
            )
    if not report["weights"]:
        problems.append("There are no weights. Install rrsis again, or give --weights.")
    return report


def _version(package: str, problems: list[str]) -> str:
    try:
        return metadata.version(package)
    except metadata.PackageNotFoundError:
        problems.append(f"The package {package} is missing: pip install {package}.")
        return "missing"


def _gdal() -> str:
    version: str = import_module("rasterio").__gdal_version__
    return version


def _devices() -> list[str]:
    devices: list[str] = import_module("rrsis_core.inference.devices").list_devices()
    return devices


def _weights() -> dict[str, str]:
    """Load every file on this computer as the main job would."""
    predictor = import_module("rrsis_core.inference.predictor")
    files = import_module("rrsis_core.weights.store").weight_files()
    for path in files.values():
        predictor.load_predictor(path, "cpu")
    return {name: str(path) for name, path in files.items()}


def _words(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(value) or "none"
    return ", ".join(value) if isinstance(value, list) else str(value)
