"""rrsis train: a recipe in, a run's folder out."""

import json
import logging
import os
import signal
from importlib import import_module
from pathlib import Path
from types import FrameType
from typing import Any

import click

from rrsis_core.cli.progress import BarProgress
from rrsis_core.contract import ConfigError


class StoppableProgress(BarProgress):
    """A bar that turns Ctrl-C, and a scheduler's SIGTERM, into a stop after the iteration: the run's state is saved.

    A second Ctrl-C stops at once. Processes that make samples inherit this, so that no signal stops them half-way.
    """

    def __init__(self, quiet: bool = False) -> None:
        super().__init__(quiet)
        self._stopped = False
        self._before = {number: signal.signal(number, self._stop) for number in (signal.SIGINT, signal.SIGTERM)}

    def _stop(self, number: int, frame: FrameType | None) -> None:
        self._stopped = True
        signal.signal(number, signal.default_int_handler)

    def is_canceled(self) -> bool:
        """True once a signal came."""
        return self._stopped

    def release(self) -> None:
        """Let signals do again what they did."""
        for number, handler in self._before.items():
            signal.signal(number, handler)


@click.command(short_help="Train a model from a recipe, or go on with a run.")
@click.argument("recipe")
@click.option("--out", "folder", type=click.Path(path_type=Path), help="Folder of the run. Default: runs/PRESET.TAG.")
@click.option("--data", "root", metavar="FOLDER", help="The data set; sets data.root of the recipe.")
@click.option("--set", "overrides", multiple=True, metavar="KEY=VALUE", help="Change a setting: --set optim.lr=3e-5.")
@click.option("--json", "as_json", is_flag=True, help="Print the result, or the error, as one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="No bar and no lines.")
def train(
    recipe: str, folder: Path | None, root: str | None, overrides: tuple[str, ...], as_json: bool, quiet: bool
) -> None:
    """Train what RECIPE says. A run that was stopped or killed goes on when the same command is given again.

    \b
    rrsis train training/recipes/btdnet_swin_base_512/rrsisd.toml --data RRSIS-D
    torchrun --nproc_per_node 4 -m rrsis_core train RECIPE --data RRSIS-D      (several GPUs)
    """
    changes = [*overrides, *([f"data.root={json.dumps(root)}"] if root else [])]
    config = import_module("rrsis_core.engine.config").read_recipe(recipe, changes)
    folder = folder or Path("runs", f"{config.preset}.{config.tag}")
    vocabulary = Path(config.vocabulary or import_module("rrsis_core.weights").vocabulary_path())
    is_main = os.environ.get("RANK", "0") == "0"
    if is_main and not (quiet or as_json):
        logging.basicConfig(format="%(message)s")
        logging.getLogger("rrsis_core").setLevel(logging.INFO)
    progress = StoppableProgress(quiet or as_json or not is_main)
    try:
        best: Path = _trainer().fit(config, folder, vocabulary, progress)
    finally:
        progress.close()
        progress.release()
    if not is_main:
        return
    record = json.loads((folder / "state/record.json").read_text())
    if as_json:
        click.echo(json.dumps({"ok": True, "best": str(best), "score": record["best"], "select": config.select}))
    else:
        click.echo(f"best {config.select} {record['best']:.4f}: {best}\ncurves: {folder / 'curves.png'}")


def _trainer() -> Any:
    try:
        return import_module("rrsis_core.engine.trainer")
    except ModuleNotFoundError as error:
        if error.name != "accelerate":
            raise
        raise ConfigError(
            "Training needs the package accelerate.", code="config.extra", hint='pip install "rrsis-core[train]"'
        ) from error
