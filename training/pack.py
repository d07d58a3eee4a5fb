"""Package weights: `python training/pack.py CALIBRATED SCORES.json RECIPE [NAME=SCORES.json ...]`.

CALIBRATED comes from calibrate.py, SCORES.json from validate.py of it; the named ones are of what to compare with. The
weights with their card go under rrsis_core/weights/files, the card for people to docs/model-card.md.
"""

import dataclasses
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from rrsis_core.models import load_model, save_weights
from rrsis_core.models.loading import Card

FILES = Path("rrsis_core/weights/files")
DATA = [
    "rendered scenes: our own generator (rrsis_core.data.rendered)",
    "Dubai aerial imagery, Humans in the Loop / MBRSC, CC0",
    "OpenAerialMap tiles of Banepa, (c) OpenAerialMap contributors, CC BY 4.0; footprints (c) OpenStreetMap "
    "contributors, ODbL",
    "UAV imagery after Hurricane Harvey, figshare collection 6026765, CC BY 4.0",
    "KIT AIS data set, CC BY 3.0 KIT; boxes by Yauhen Kharuzhy",
    "UC Merced land use chips, USGS National Map Urban Area Imagery, public domain (Yang and Newsam 2010); outlines "
    "and expressions drawn for this project",
]


def main(source: Path, scores: dict[str, Any], recipe: str, others: dict[str, dict[str, Any]]) -> None:
    """Write the packaged file and the card."""
    model, card = load_model(source)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    target = FILES / f"{card.name}.safetensors"
    description = {
        "licence": "MIT; attributions below",
        "data": DATA,
        "recipe": recipe,
        "commit": commit.stdout.strip(),
        "iterations": card.description.get("iterations"),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "calibration": card.description["calibration"],
        "validation": {name: value for name, value in scores.items() if not isinstance(value, dict)},
    }
    card = dataclasses.replace(card, description=description)
    save_weights(model, target, card, half=True)
    Path("docs/model-card.md").write_text(page(card, target.stat().st_size, scores, others))
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def page(card: Card, size: int, scores: dict[str, Any], others: dict[str, dict[str, Any]]) -> str:
    """Return the card as a page."""
    about, columns = card.description, [scores, *others.values()]

    def table(rows: list[str], of: list[dict[str, Any]]) -> list[str]:
        return [
            "| | " + " | ".join(["these weights", *others]) + " |",
            "| --- |" + " ---: |" * len(columns),
            *(f"| {row} | " + " | ".join(f"{one[row]:.3f}" if row in one else "" for one in of) + " |" for row in rows),
        ]

    lines = [
        f"# {card.name}",
        "",
        "The packaged default weights. Written by `training/pack.py` around docs/model-notes.md; do not edit.",
        "",
        f"- {about['parameters'] / 1e6:.1f} M parameters, {size / 1e6:.1f} MB in half precision",
        f"- made for {card.gsd:g} m a pixel; tiles of {card.tile} pixels",
        f"- recipe `{about['recipe']}`, {about['iterations']} iterations, commit {about['commit']}",
        f"- vocabulary sha256 `{card.vocabulary_sha256}`",
        f"- temperature {card.temperature:g}; pixels count from a score of {card.threshold:g}; a tile without",
        f"  a pixel of {card.least_peak:g} shows nothing of what is asked",
        "",
        Path("docs/model-notes.md").read_text().strip(),
        "",
        "## Scores on the validation set",
        "",
        "Images kept out of all training and every choice. `python training/validate.py ../shared/data` prints them.",
        "",
        *table(list(about["validation"]), columns),
        "",
        "Summed intersection over summed union of phrases on dubai, banepa and harvey:",
        "",
        *table(list(scores["oIoU"]), [one["oIoU"] for one in columns]),
        "",
        "Mean IoU of the chips' expressions by what is hardest in them (absent: share of empty answers):",
        "",
        *table(list(scores["mIoU"]), [one["mIoU"] for one in columns]),
        "",
        "## Calibration",
        "",
        "On images of their own, of which these numbers were chosen (`training/calibrate.py`):",
        "",
        *(f"- {name}: {value}" for name, value in about["calibration"].items()),
        "",
        "![How many pixels belong to the answer, by score](reliability.png)",
        "",
        "## Data, licences and attributions",
        "",
        *(f"- {item}" for item in about["data"]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    beside = {name: json.loads(Path(file).read_text()) for name, file in (word.split("=") for word in sys.argv[4:])}
    main(Path(sys.argv[1]), json.loads(Path(sys.argv[2]).read_text()), sys.argv[3], beside)
