"""Sets up a real engine from this checkout's wheel and the package index, as the plugin does, and tries to break it.

python benchmarks/engine_setup.py FOLDER [WHEELS [WEIGHTS]]: FOLDER is made new; WHEELS is a folder of further wheels,
such as torch for the CPU. Prints each step with its seconds.
"""

import os
import shutil
import subprocess
import sys
import threading
import time
import urllib.request
from pathlib import Path

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT))

from qgis_plugin import install  # noqa: E402 # the checkout is not installed
from rrsis_core.contract import OperationCanceled, RrsisError, clean_environment  # noqa: E402

BEGAN = time.monotonic()
last = ["", 0]


def say(text: str) -> None:
    """Print a step; of the bytes only the first of each 200 MB."""
    if text.startswith("bytes "):
        step = int(text[6:]) // 200_000_000
        if step <= last[1]:
            return
        last[1] = step
    print(f"{time.monotonic() - BEGAN:7.1f} s  {text}", flush=True)


def fetch(address: str) -> bytes:
    """Get an address."""
    with urllib.request.urlopen(address) as answer:
        return answer.read()


def main() -> None:
    """Cancel one, let one fail, make one, make another over it."""
    home = Path(sys.argv[1])
    wheels = home / "wheels"
    wheels.mkdir(parents=True)
    subprocess.run(
        [sys.executable, "-m", "build", "--wheel", "--outdir", wheels, ROOT], check=True, capture_output=True
    )
    for wheel in Path(sys.argv[2]).glob("*.whl") if sys.argv[2:] else ():
        os.symlink(wheel, wheels / wheel.name)
    weights = sys.argv[3] if sys.argv[3:] else None

    def setup(**more: object) -> install.Setup:
        values = {
            "home": home, "lock": ROOT / "qgis_plugin/engine.lock", "version": "0.1.0", "fetch": fetch, "say": say,
            "environment": clean_environment(os.environ), "wheels": str(wheels), "weights": weights,
        }  # fmt: skip
        return install.Setup(**{**values, **more})

    stop = threading.Event()
    threading.Timer(12, stop.set).start()
    try:
        install.set_up(setup(stopped=stop.is_set))
    except OperationCanceled:
        say(f"canceled; engines left: {len(list((home / 'engines').glob('*')))}")
    print(install.set_up(setup()), flush=True)
    say("set up")
    before = (home / "current.json").read_text()
    for what, change in (("offline, without packages", {"offline": True}), ("another version", {"version": "9.9.9"})):
        try:
            install.set_up(setup(**change))
        except RrsisError as error:
            say(f"{what}: {error.code}; the engine is the same: {(home / 'current.json').read_text() == before}")
    python = install.python_of(next((home / "engines").iterdir()))
    print(subprocess.run([python, "-m", "rrsis_core", "doctor"], capture_output=True, text=True).stdout[:300])
    install.uninstall(home)
    say(f"uninstalled; left: {sorted(path.name for path in home.iterdir())}")
    shutil.rmtree(home)


if __name__ == "__main__":
    main()
