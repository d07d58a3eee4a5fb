"""What all tests share: where the shared imagery is, and who makes the miniatures of the public data sets."""

import importlib.util
import json
import os
import re
import shutil
import subprocess
from html import unescape
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("RRSIS_SHARED", Path(__file__).parents[2] / "shared")).resolve()


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real imagery that is used in tests and never committed."""
    if not (SHARED / "data").is_dir():
        pytest.skip(f"the shared imagery is not at {SHARED} (set RRSIS_SHARED)")
    return SHARED / "data"


@pytest.fixture(scope="session")
def make():
    """The module that makes miniature data sets; it is a script, too, and lies in no package."""
    spec = importlib.util.spec_from_file_location("make", Path(__file__).parent / "data/make.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def show(tmp_path_factory):
    """Show a page, without a network, and return what its scripts left in the title as JSON.

    A page that no browser has shown is not tested: where there is no Chromium the test fails.
    """
    found = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if found is None:
        pytest.fail("Pages are tested in Chromium. On Debian or Ubuntu: sudo apt-get install chromium")
    profile = tmp_path_factory.mktemp("browser")
    command = [found, "--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run"]
    command += [f"--user-data-dir={profile}", "--host-resolver-rules=MAP * ~NOTFOUND", "--dump-dom"]

    def show(page: Path, width: int = 1200):
        run = [*command, f"--window-size={width},900", page.as_uri()]
        shown = subprocess.run(run, capture_output=True, text=True, timeout=180, check=True)
        return json.loads(unescape(re.search("<title>(.*?)</title>", shown.stdout, re.DOTALL)[1]))

    return show
