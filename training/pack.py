"""Package weights: `python training/pack.py runs/default/best.safetensors ../shared/data [RECIPE]`.

Scores the weights on the validation set, stores them in half precision with their card under rrsis_core/weights/files,
and writes the card for people to docs/model-card.md.
"""

import dataclasses
import subprocess
import sys
import tempfile
from pathlib import Path

from validate import summarise

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


def main(source: Path, data: Path, recipe: str) -> None:
    """Write the packaged file and the card."""
    model, card = load_model(source)
    commit = subprocess.run(["git", "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True)
    target = FILES / f"{card.name}.safetensors"
    with tempfile.TemporaryDirectory() as folder:
        half = Path(folder, target.name)
        save_weights(model, half, card, half=True)
        scores = summarise(data, str(half))
    description = {
        "licence": "MIT; attributions below",
        "data": DATA,
        "recipe": recipe,
        "commit": commit.stdout.strip(),
        "iterations": card.description.get("iterations"),
        "parameters": sum(parameter.numel() for parameter in model.parameters()),
        "validation": scores,
    }
    card = dataclasses.replace(card, description=description)
    save_weights(model, target, card, half=True)
    Path("docs/model-card.md").write_text(page(card, target.stat().st_size))
    print(f"{target}: {target.stat().st_size / 1e6:.1f} MB")


def page(card: Card, size: int) -> str:
    """Return the card as a page."""
    about = card.description
    lines = [
        f"# {card.name}",
        "",
        "The packaged default weights, first version. Written by `training/pack.py`; do not edit.",
        "",
        f"- {about['parameters'] / 1e6:.1f} M parameters, {size / 1e6:.1f} MB in half precision",
        f"- made for {card.gsd:g} m a pixel; tiles of {card.tile} pixels",
        f"- recipe `{about['recipe']}`, {about['iterations']} iterations, commit {about['commit']}",
        f"- vocabulary sha256 `{card.vocabulary_sha256}`",
        "",
        "## Scores on the validation set",
        "",
        "Images kept out of all training and every choice. `python training/validate.py ../shared/data` prints them.",
        "",
        "| | |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in about["validation"].items() if name != "oIoU"),
        "",
        "Summed intersection over summed union, per phrase:",
        "",
        "| phrase | IoU |",
        "| --- | --- |",
        *(f"| {name} | {value} |" for name, value in about["validation"]["oIoU"].items()),
        "",
        "## Data, licences and attributions",
        "",
        *(f"- {item}" for item in about["data"]),
    ]
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    chosen = sys.argv[3] if len(sys.argv) > 3 else "training/recipes/crobim_convnext_pico_256/default.toml"
    main(Path(sys.argv[1]), Path(sys.argv[2]), chosen)
