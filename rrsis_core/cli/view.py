"""rrsis view: a result as a map that any browser shows."""

import dataclasses
import json
from importlib import import_module
from pathlib import Path

import click

from rrsis_core.cli.segment import band_numbers


@click.command(short_help="Show a result on a map: one HTML file.")
@click.argument("result")
@click.option("--raster", metavar="SCENE", help="Raster to show below the polygons.")
@click.option("-o", "--output", metavar="HTML", help="Default: RESULT with the suffix .html.")
@click.option("--bands", callback=band_numbers, metavar="R,G,B", help="Bands to show as red, green, blue, or one band.")
@click.option("--overwrite", is_flag=True, help="Replace a map that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def view(
    result: str,
    raster: str | None,
    output: str | None,
    bands: tuple[int, ...] | None,
    overwrite: bool,
    as_json: bool,
) -> None:
    """Write the polygons of RESULT, a file that a run wrote, as a map in one HTML file.

    It needs no network and no server: open it in a browser, or send it to somebody. Polygons can be filtered by
    score, and tell phrase, score and area.

    \b
    rrsis view found.gpkg --raster scene.tif -o map.html
    """
    page = import_module("rrsis_core.geo.map_page")
    target = output or str(Path(result).with_suffix(".html"))
    inputs = [result, *([raster] if raster else [])]
    import_module("rrsis_core.geo.staging").check_output(target, page.MAP_SUFFIXES, overwrite, inputs)
    summary = page.write_map(result, target, raster, bands)
    if as_json:
        click.echo(json.dumps({"ok": True, **dataclasses.asdict(summary)}))
        return
    for note in summary.notes:
        click.echo(f"Note: {note}", err=True)
    click.echo(f"{summary.shown:,} polygon{'s' * (summary.shown != 1)}\n{target}")
