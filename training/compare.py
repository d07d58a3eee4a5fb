"""Train small CroBIM, BTDNet and LAVT on one budget: `python training/compare.py ../shared/data runs/comparison`.

Each is trained by its recipe comparison.toml, one after the other; a killed comparison goes on where it was. Then all
are scored on the validation set (see validate.py): real images that nothing was trained on or chosen by. Writes
curves.png and comparison.json, and prints the table. Settings after the folder change all three recipes: `epochs=2`.
"""

import json
import sys
from pathlib import Path

from validate import summarise

from rrsis_core.cli.progress import BarProgress
from rrsis_core.engine.config import read_recipe
from rrsis_core.engine.curves import draw_comparison
from rrsis_core.engine.trainer import fit
from rrsis_core.weights import vocabulary_path

RECIPES = Path(__file__).parent / "recipes"
MODELS = ("crobim", "btdnet", "lavt")


def main(data: Path, folder: Path, overrides: list[str]) -> None:
    """Train what is not trained yet, score, and write."""
    table = {}
    for name in MODELS:
        recipe = read_recipe(RECIPES / f"{name}_convnext_pico_256" / "comparison.toml", overrides)
        best = fit(recipe, folder / name, vocabulary_path(), BarProgress())
        print(name)
        table[name] = {key: value for key, value in summarise(data, str(best)).items() if key != "oIoU"}
    draw_comparison({name: folder / name / "log.jsonl" for name in MODELS}, folder / "curves.png")
    (folder / "comparison.json").write_text(json.dumps(table, indent=1))
    for measure in table[MODELS[0]]:
        print(f"{measure:55s}" + "".join(f"{name:>8s} {scores[measure]:.3f}" for name, scores in table.items()))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3:])
