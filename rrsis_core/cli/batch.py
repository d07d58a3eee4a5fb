"""rrsis batch: phrases and any number of rasters in, a folder of results out; given again, it goes on."""

import dataclasses
import json
import signal
from importlib import import_module
from typing import Any

import click

from rrsis_core.cli.segment import segment
from rrsis_core.cli.tables import table
from rrsis_core.contract import SegmentOptions

FAILED = 7  # exit code: all was tried, and some of it failed
OWN = {"raster", "expressions", "output", "mask", "probability", "preview", "explain", "bbox", "overwrite"}


def _shard(ctx: click.Context, param: click.Parameter, value: str) -> tuple[int, int]:
    try:
        number, count = (int(part) for part in value.split("/"))
    except ValueError as error:
        raise click.BadParameter("give number/count, such as 3/64") from error
    return number, count


@click.command(short_help="Find phrases in many rasters; goes on where it was.")
@click.argument("inputs", nargs=-1, required=True)
@click.option("-p", "--phrase", "phrases", multiple=True, required=True, help="What to find; may be given again.")
@click.option(
    "-o", "--out-dir", metavar="FOLDER", required=True, help="Where all results go, and the state of the run."
)
@click.option(
    "--format",
    "suffix",
    type=click.Choice(["gpkg", "parquet", "geojson", "fgb", "shp"]),
    default="gpkg",
    show_default=True,
    help="Of the polygons.",
)
@click.option("--mask", is_flag=True, help="Also a GeoTIFF of masks a scene.")
@click.option("--probability", is_flag=True, help="Also a GeoTIFF of probabilities a scene.")
@click.option("--preview", is_flag=True, help="Also a picture a scene.")
@click.option("--asset", metavar="KEY", help="The raster among the assets of STAC items.")
@click.option("--shard", callback=_shard, default="1/1", metavar="I/N", help="Do the I-th of N shares, from 1.")
@click.option("--backend", type=click.Choice(["local", "ray"]), default="local", show_default=True)
@click.option("--workers", type=click.IntRange(1), help="Workers of ray. Default: one a GPU.")
@click.option("--gpus-a-worker", type=float, default=1.0, show_default=True, help="Of ray: 0.5 lets two share a GPU.")
@click.option("--cpus-a-worker", type=float, default=1.0, show_default=True, help="Of ray.")
@click.option("--address", metavar="RAY", help="Ray cluster: auto, ray://head:10001. Default: this computer.")
@click.option("--retries", type=click.IntRange(0), default=2, show_default=True, help="Where another try may help.")
@click.option("--retry-failed", is_flag=True, help="Do again what failed the last time.")
@click.option("--lease", "lease_seconds", type=float, default=60.0, show_default=True, metavar="SECONDS",
              help="After so long without a sign of life, a scene is anybody's.")  # fmt: skip
@click.option("--unit-tiles", type=click.IntRange(1), default=4096, show_default=True, metavar="TILES",
              help="Scenes of more tiles are done in parts of about so many.")  # fmt: skip
def batch(inputs: tuple[str, ...], phrases: tuple[str, ...], out_dir: str, suffix: str, **values: Any) -> None:
    """Find every phrase in all INPUTS: rasters, folders, 'patterns/*.tif', @lists of these, STAC documents.

    Killed or stopped, it goes on when the same line is given again; several processes may work in one folder.

    \b
    rrsis batch scenes/ -p "the blue roofs" -p "the river" -o found
    rrsis batch items.json --asset visual -p "the lake" -o lakes --shard 3/64
    """
    runs = import_module("rrsis_core.runs")
    as_json, quiet = values.pop("as_json"), values.pop("quiet")
    outputs = runs.Outputs(suffix, *(values.pop(name) for name in ("mask", "probability", "preview")))
    names = [field.name for field in dataclasses.fields(runs.RunOptions)]
    run = runs.RunOptions(**{name: values.pop(name) for name in names})
    options = SegmentOptions("-", phrases, **values)
    progress = import_module("rrsis_core.cli.progress").BatchProgress(quiet or as_json)
    # What schedulers send before they kill stops it as Ctrl-C does: the unit in hand is given back.
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        result = runs.run_batch(inputs, options, out_dir, outputs, run, progress)
    finally:
        signal.signal(signal.SIGTERM, before)
        progress.close()
    if as_json:
        click.echo(json.dumps({"ok": not result.failed, **dataclasses.asdict(result)}))
    elif not quiet:
        click.echo(summary(result))
    click.get_current_context().exit(FAILED if result.failed else 0)


batch.params += [param for param in segment.params if param.name not in OWN]


def summary(result: Any) -> str:
    """Return what became of a run as text."""
    rows = [(name, f"{count:,}", f"{result.area_m2[name]:,.1f}") for name, count in result.polygons.items()]
    lines = [table(("phrase", "polygons", "area m2"), rows)] if rows else []
    if result.failed:
        lines.append(table(("failed", "code", ""), [(f["scene"], f["code"], f["message"]) for f in result.failed]))
        lines.append(f"{result.folder}/failed.json tells more; --retry-failed tries again.")
    lines += [f"{name} has no CRS: it is not in {result.results}." for name in result.unplaced]
    if result.left_out:
        lines.append(f"{result.left_out} rasters lie outside the area and were left out.")
    lines.append(f"{result.done} of {result.scenes} scenes done in {result.seconds:.0f} s")
    lines.append(f"results: {result.results}" if result.results else "Others are still at work on the rest.")
    return "\n".join(lines)
