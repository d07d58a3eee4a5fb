"""The real desktop under Xvfb: the whole journey. Pictures go to RRSIS_SHOTS, if that names a folder.

RRSIS_SCENE, RRSIS_PHRASES (a line each), RRSIS_WIDTH and RRSIS_THEME change what is on them.
"""

import json
import os
from pathlib import Path


def test_the_journey(profile, scene, tmp_path):
    out = Path(os.environ.get("RRSIS_SHOTS") or tmp_path / "shots")
    out.mkdir(parents=True, exist_ok=True)
    (out / "result.json").unlink(missing_ok=True)
    (out / "saved.gpkg").unlink(missing_ok=True)
    log = profile.desktop(
        "desktop_journey.py",
        theme=os.environ.get("RRSIS_THEME", ""),
        JOURNEY_SCENE=os.environ.get("RRSIS_SCENE", str(scene)),
        JOURNEY_PHRASES=os.environ.get("RRSIS_PHRASES", "the buildings"),
        JOURNEY_OUT=str(out),
        JOURNEY_WIDTH=os.environ.get("RRSIS_WIDTH", "300"),
    )
    assert (out / "result.json").exists(), log[-4000:]
    told = json.loads((out / "result.json").read_text())
    assert "error" not in told, told["error"]
    assert told["found"] > told["above"] > 0
    assert told["kept"] == told["above"]
    assert told["saved"] == told["found"]
    assert told["at_ease"] <= 300, "the dock needs more than 300 pixels"
    assert len(list(out.glob("*.png"))) == 7
