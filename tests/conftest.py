"""What all tests share: where the shared imagery is, and who makes the miniatures of the public data sets."""

import importlib.util
import os
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
