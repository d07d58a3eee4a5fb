"""A bundle is a folder with all that sets the engine up without network. Not part of the zip.

python qgis_plugin/bundle.py FOLDER [PLATFORM PYTHON] fetches it for this computer, or for another one, such as
win_amd64 3.12. `python qgis_plugin/bundle.py lock` writes the sums of engine.lock anew; both ask the package index.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from qgis_plugin.install import TORCH, UV_VERSION  # noqa: E402 # the checkout is not installed
from qgis_plugin.package import NAME, PLUGIN, pack  # noqa: E402

LOCK = PLUGIN / "engine.lock"
HEAD = (
    "# Written by `make engine-lock`: the versions of requirements.lock beside torch, with the sums of their wheels.\n"
)


def bundle(folder: Path, target: list[str]) -> None:
    """Fetch the wheels of a platform and a Python (empty for those of this computer); add ours and the plugin."""
    folder.mkdir(parents=True, exist_ok=True)
    where = ["--platform", target[0], "--python-version", target[1]] if target else []
    fetch = ["pip", "download", "--quiet", "--only-binary", ":all:", "--dest", str(folder), *where]
    _python(*fetch, "--no-deps", "--require-hashes", "-r", str(LOCK))
    # Which dependencies hold, pip asks of this computer: for another one they are named.
    needed = ["--no-deps", "setuptools"] if target else ["-c", str(ROOT / "requirements.lock")]
    _python(*fetch, *needed, *TORCH)
    _python(*fetch, "--no-deps", f"uv=={UV_VERSION}")
    _python("build", "--wheel", "--outdir", str(folder), str(ROOT))
    pack(folder / f"{NAME}.zip")
    files = list(folder.iterdir())
    size = sum(file.stat().st_size for file in files) / 1e6
    sys.stdout.write(f"{folder}: {len(files)} files, {size:.0f} MB\n")


def lock() -> None:
    """Write the sums of what requirements.lock names, but for torch."""
    pins = [line for line in (ROOT / "requirements.lock").read_text().splitlines() if line not in TORCH]
    told = subprocess.run(
        [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "--no-deps", "--generate-hashes", "--universal",
         "--only-binary", ":all:", "--python-version", "3.11", "--no-annotate", "--no-header", "-"],
        input="\n".join(pins), capture_output=True, text=True, check=True,
    )  # fmt: skip
    LOCK.write_text(HEAD + told.stdout)


def _python(*words: str) -> None:
    subprocess.run([sys.executable, "-m", *words], check=True)


if __name__ == "__main__":
    if sys.argv[1:] == ["lock"]:
        lock()
    elif len(sys.argv) in (2, 4):
        bundle(Path(sys.argv[1]), sys.argv[2:])
    else:
        sys.exit(__doc__)
