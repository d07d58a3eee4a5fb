"""What all tests share: where the shared imagery is."""

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
