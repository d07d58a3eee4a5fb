"""rrsis explain: a picture of what a model attends to while it answers a phrase."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import click


@click.command(short_help="Draw what a model attends to while it answers a phrase.")
@click.argument("image")
@click.argument("phrase")
@click.option("-o", "--output", type=click.Path(path_type=Path), default=Path("explain.png"), show_default=True)
@click.option("--weights", metavar="NAME|FILE", help="Weights. Default: the packaged ones.")
@click.option("--vocabulary", metavar="FILE", help="Default: vocab.txt by the weights, or the packaged one.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def explain(
    image: str, phrase: str, output: Path, weights: str | None, vocabulary: str | None, device: str, as_json: bool
) -> None:
    """Answer PHRASE on IMAGE (whole, resized to the model's input) and draw the attention behind the answer.

    CroBIM: where CAPM's prompts look, LGFA's relevance at each scale, where each word looks in MID. BTDNet: BSC at each
    stage both ways, and where each word looks in MCI.

    \b
    rrsis explain chip.png "the blue roofs" --weights runs/mine/best.safetensors -o explain.png
    """
    engine = import_module("rrsis_core.engine.explain")
    load = import_module("rrsis_core.cli.evaluate").load
    model, _, tokenizer, _ = load(weights, vocabulary, device)
    explanation = engine.explain(model, tokenizer, _read(image), phrase)
    engine.draw_explanation(explanation, phrase, output)
    views = [view.title for view in explanation.views]
    share = float(explanation.mask.mean())
    if as_json:
        click.echo(json.dumps({"ok": True, "output": str(output), "views": views, "answer_share": share}))
    else:
        click.echo("\n".join([f"answer: {share:.1%} of the image", *views, str(output)]))


def _read(path: str) -> Any:
    """Return any raster, whole, as (H, W, 3) uint8 with the colours that `rrsis segment` gives the model."""
    np, raster_module = import_module("numpy"), import_module("rrsis_core.geo.raster")
    with raster_module.open_raster(path) as raster:
        window, bands = raster.info.window, raster.info.default_bands
        scaling = import_module("rrsis_core.geo.scaling").measure_scaling(raster, window, bands)
        chip, _ = raster.read_decimated(window, 2048 * 2048, bands, smooth=True)
    return np.moveaxis(np.rint(scaling.apply(chip) * 255).astype(np.uint8), 0, -1)
