"""Train from a recipe: `python training/train.py RECIPE RUN_FOLDER [key=value ...]`. A killed run goes on."""

import sys
from pathlib import Path

from tqdm import tqdm

from rrsis_core.engine.config import read_recipe
from rrsis_core.engine.trainer import fit
from rrsis_core.weights import vocabulary_path


class Bar:
    """Progress as a tqdm bar."""

    def __init__(self) -> None:
        self.bar: tqdm | None = None

    def update(self, stage: str, done: int, total: int) -> None:
        """Move the bar."""
        if self.bar is None:
            self.bar = tqdm(total=total, initial=done, desc=stage, mininterval=5)
        self.bar.update(done - self.bar.n)

    def is_canceled(self) -> bool:
        """Never stop."""
        return False


if __name__ == "__main__":
    recipe = read_recipe(sys.argv[1], sys.argv[3:])
    print(fit(recipe, Path(sys.argv[2]), vocabulary_path(), Bar()))
