"""Train small CroBIM, BTDNet and LAVT on one budget: `training/compare.py DATA OUT START [SETTING ...]`.

START are weights of training/pretrain.py, of which all three take the encoders. Each model is trained by its recipe
comparison.toml, one after the other; a killed comparison goes on where it was. Then all are scored on the validation
set (see validate.py): real images that nothing was trained on or chosen by. Writes curves.png and comparison.json, and
prints the table. Settings after START change all three recipes: `epochs=2`.
"""

import argparse
import json
from pathlib import Path

from safetensors.torch import load_file, save_file
from validate import summarise

from rrsis_core.cli.progress import BarProgress
from rrsis_core.engine.config import read_recipe
from rrsis_core.engine.curves import draw_comparison
from rrsis_core.engine.trainer import fit
from rrsis_core.weights import vocabulary_path

RECIPES = Path(__file__).parent / "recipes"
ENCODERS = ("visual.stem", "visual.stages", "linguistic.")
MODELS = ("crobim", "btdnet", "lavt")


def main(data: Path, folder: Path, weights: Path, overrides: list[str], backbone: str) -> None:
    """Train what is not trained yet, score, and write."""
    folder.mkdir(parents=True, exist_ok=True)
    start = folder / "encoders.safetensors"
    save_file({name: x for name, x in load_file(weights).items() if name.startswith(ENCODERS)}, start)
    overrides = [f"initial_encoders={json.dumps(str(start))}", *overrides]
    table = {}
    for name in MODELS:
        recipe = read_recipe(RECIPES / f"{name}_{backbone}_256" / "comparison.toml", overrides)
        best = fit(recipe, folder / name, vocabulary_path(), BarProgress())
        print(name)
        table[name] = {key: value for key, value in summarise(data, str(best)).items() if not isinstance(value, dict)}
    draw_comparison({name: folder / name / "log.jsonl" for name in MODELS}, folder / "curves.png")
    (folder / "comparison.json").write_text(json.dumps(table, indent=1))
    for measure in table[MODELS[0]]:
        print(f"{measure:55s}" + "".join(f"{name:>8s} {scores[measure]:.3f}" for name, scores in table.items()))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("start", type=Path)
    parser.add_argument("settings", nargs="*")
    parser.add_argument("--backbone", default="convnext_pico", choices=("convnext_pico", "resnet18"))
    arguments = parser.parse_args()
    main(arguments.data, arguments.out, arguments.start, arguments.settings, arguments.backbone)
