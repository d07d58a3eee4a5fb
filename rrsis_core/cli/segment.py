"""rrsis segment: phrases and a raster in, polygons out."""

import dataclasses
import json
from importlib import import_module
from typing import Any

import click

import rrsis_core
from rrsis_core.cli.tables import table
from rrsis_core.contract import SegmentOptions


def band_numbers(ctx: click.Context, param: click.Parameter, value: str | None) -> tuple[int, ...] | None:
    """Read band numbers, for options of click."""
    if value is None:
        return None
    try:
        return tuple(int(band) for band in value.split(","))
    except ValueError as error:
        raise click.BadParameter("give band numbers with commas, such as 4,3,2") from error


@click.command(short_help="Find phrases in a raster, write polygons.")
@click.argument("raster")
@click.argument("expressions", metavar="PHRASE...", nargs=-1, required=True)
@click.option("-o", "--output", metavar="FILE", help="Polygons: .gpkg .shp .geojson .fgb or .parquet.")
@click.option("--mask", metavar="TIF", help="Masks: uint8, one band a phrase, in their order.")
@click.option("--probability", metavar="TIF", help="Probabilities: uint16 with scale 1/65535, one band a phrase.")
@click.option("--preview", metavar="PNG", help="Picture of the scene with the polygons drawn over it.")
@click.option("--explain", metavar="FILE", help="Candidates of phrases asked of the scene: kept or not, and why.")
@click.option(
    "--reference",
    type=click.Choice(["auto", "tile", "scene"]),
    default="auto",
    show_default=True,
    help="What left, largest and near refer to.",
)
@click.option("--bbox", nargs=4, type=float, metavar="LEFT BOTTOM RIGHT TOP", help="Search here, in the raster's CRS.")
@click.option("--aoi", metavar="FILE", help="Search inside the polygons of this vector file.")
@click.option("--bands", callback=band_numbers, metavar="R,G,B", help="Bands to use as red, green, blue, or one band.")
@click.option("--alpha-band", type=int, metavar="BAND", help="Band that is 0 where nothing is, if it does not say so.")
@click.option("--scaling", type=click.Choice(["auto", "none", "percentile"]), default="auto", show_default=True)
@click.option("--gsd", type=float, metavar="METRES", help="Ground resolution to run at. Default: that of the weights.")
@click.option("--tile", type=int, metavar="PIXELS", help="Tile side. Default: that of the weights.")
@click.option(
    "--looks",
    type=click.IntRange(1, 2),
    help="2: also at twice the size. Default: 2 where the ground resolution is unknown or fine.",
)
@click.option("--overlap", type=float, default=0.25, show_default=True, help="Share of a tile its neighbour sees too.")
@click.option("--threshold", type=float, help="Probability that counts as found. Default: that of the weights.")
@click.option("--min-area", "min_area_m2", type=float, default=0.0, metavar="M2", help="Drop smaller polygons.")
@click.option("--fill-holes", "fill_holes_m2", type=float, default=0.0, metavar="M2", help="Fill smaller holes.")
@click.option("--simplify", type=float, default=0.0, metavar="PIXELS", help="Tolerance of outline simplification.")
@click.option("--right-angles", is_flag=True, help="Give outlines right angles where they nearly have them.")
@click.option("--min-score", type=float, default=0.0, help="Drop polygons whose mean probability is lower.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--batch-size", type=int, help="Tiles a forward pass.")
@click.option("--threads", type=int, help="CPU threads of the model. Default: one a core.")
@click.option("--weights", metavar="NAME|FILE", help="Weights. Default: the packaged ones.")
@click.option("--overwrite", is_flag=True, help="Replace outputs that exist.")
@click.option("--json", "as_json", is_flag=True, help="Print the result, or the error, as one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def segment(as_json: bool, quiet: bool, **values: Any) -> None:
    """Find each PHRASE in RASTER and write polygons in the raster's CRS.

    \b
    rrsis segment scene.tif "the blue roofs" "the river" -o found.gpkg --preview found.png
    """
    if not any(values[name] for name in ("output", "mask", "probability", "preview", "explain")):
        raise click.UsageError("Nothing to write: give -o, --mask, --probability, --preview or --explain.")
    options = SegmentOptions(**values)
    progress_module = import_module("rrsis_core.cli.progress")
    progress = progress_module.BarProgress(quiet or as_json)
    with progress_module.shown_warnings(quiet or as_json) as notes:
        try:
            result = rrsis_core.segment_raster(options, progress=progress)
        finally:
            progress.close()
    if as_json:
        click.echo(json.dumps({"ok": True, **dataclasses.asdict(result), "notes": notes}))
    elif not quiet:
        click.echo(report(result))


def report(result: Any) -> str:
    """Return a result as text: what was found a phrase, then the files."""
    pairs = list(zip(result.found, result.readings, strict=True))
    rows = [
        (item.phrase, item.polygons, "-" if item.area_m2 is None else f"{item.area_m2:,.1f}", _remark(item, reading))
        for item, reading in pairs
    ]
    lines = [table(("phrase", "polygons", "area m2", ""), rows)]
    lines += [f"{item.phrase}: {note}" for item, reading in pairs for note in reading.notes]
    asked = {text for reading in result.readings for text in reading.local}
    lines += [f"{name}: {path}" for name, path in result.outputs.items()]
    gsd = "" if result.gsd is None else f" at {result.gsd:.3g} m"
    count = f"{len(asked)} expression{'s' * (len(asked) != 1)}, {result.tiles} tile{'s' * (result.tiles != 1)}"
    looks = ", looked at twice (--looks 1 is faster)," if result.looks == 2 else ""
    return "\n".join([*lines, f"{count}{gsd}{looks} in {result.seconds:.1f} s"])


def _remark(item: Any, reading: Any) -> str:
    if item.polygons or reading.notes:
        return ""
    return f"nothing found (highest score {item.best:.2f})"
