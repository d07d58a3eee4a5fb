"""Takes the pictures that README.md and plugin.md show: of the demo, and of the tested journey through QGIS on it."""

import os
import subprocess
import sys
import tempfile
from pathlib import Path

from PIL import Image

ROOT = Path(__file__).parents[1]
WANTED = {"1_typed": "qgis-typed", "3_finding": "qgis-finding", "5_slider": "qgis-review", "6_kept": "qgis-kept"}


def main() -> None:
    """Run the journey; keep four of its pictures and the demo's, with as few colours as look the same."""
    with tempfile.TemporaryDirectory() as shots:
        environment = {**os.environ, "RRSIS_SHOTS": shots, "RRSIS_SCENE": str(ROOT / "demo" / "scene.tif")}
        environment |= {"RRSIS_PHRASES": "the river\nthe trees", "RRSIS_WIDTH": "360"}
        command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/qgis/test_desktop.py"]
        subprocess.run(command, check=True, cwd=ROOT, env=environment)
        taken = {Path(shots, f"{name}.png"): kept for name, kept in WANTED.items()}
        for path, kept in {**taken, ROOT / "demo" / "preview.png": "preview"}.items():
            with Image.open(path) as picture:
                few = picture.convert("RGB").quantize(256, Image.Quantize.FASTOCTREE, dither=Image.Dither.NONE)
                few.save(ROOT / "docs" / f"{kept}.png", optimize=True)


if __name__ == "__main__":
    main()
