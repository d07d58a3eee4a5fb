"""rrsis merge: results of several scenes as one, or scenes of one grid as one raster."""

import dataclasses
import json
from importlib import import_module
from typing import Any

import click


@click.command(short_help="Put results of several scenes together, or the scenes.")
@click.argument("inputs", metavar="INPUT...", nargs=-1, required=True)
@click.option("-o", "--output", required=True, metavar="FILE", help="Polygons, or a .vrt where INPUTs are rasters.")
@click.option("--scene", "rasters", multiple=True, metavar="RASTER", help="Scene of each result, in their order.")
@click.option(
    "--keep",
    type=click.Choice(["score", "last"]),
    default="score",
    show_default=True,
    help="Of two views of one object: the surer, or that of the scene given last.",
)
@click.option("--overwrite", is_flag=True, help="Replace an output that exists.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="Print errors only.")
def merge(
    inputs: tuple[str, ...],
    output: str,
    rasters: tuple[str, ...],
    keep: str,
    overwrite: bool,
    as_json: bool,
    quiet: bool,
) -> None:
    """Put scenes or their results together.

    Rasters whose pixels lie on one grid become one, a VRT: search that, and the answer is exact. Results of other
    scenes become one result in which every object is once; each needs its scene, which tells where objects were cut.

    \b
    rrsis merge a.tif b.tif -o both.vrt
    rrsis merge a.gpkg b.gpkg --scene a.tif --scene b.tif -o both.gpkg
    """
    sinks = import_module("rrsis_core.geo.sinks")
    mosaic = import_module("rrsis_core.geo.mosaic")
    suffixes = (*sinks.VECTOR_SUFFIXES, *mosaic.MOSAIC_SUFFIXES)
    target = sinks.check_output(output, suffixes, overwrite, [*inputs, *rasters])
    if target.suffix.lower() in mosaic.MOSAIC_SUFFIXES:
        width, height = mosaic.write_mosaic(inputs, target)
        answer: dict[str, Any] = {"output": output, "width": width, "height": height}
        told = f"{width:,} x {height:,} pixels of {len(inputs)} rasters"
    else:
        if len(rasters) != len(inputs):
            raise click.UsageError(f"{len(inputs)} results need a --scene each, but {len(rasters)} are given.")
        answer = _merged(inputs, rasters, output, keep, quiet or as_json)
        told = "{polygons:,} polygons of {read:,}: {united:,} put together of parts, {replaced:,} left out".format(
            **answer
        )
    if as_json:
        click.echo(json.dumps({"ok": True, **answer}))
    elif not quiet:
        click.echo(f"{told}\n{output}")


def _merged(inputs: tuple[str, ...], rasters: tuple[str, ...], output: str, keep: str, quiet: bool) -> dict[str, Any]:
    module = import_module("rrsis_core.geo.merging")
    scenes = [module.SceneResult(*pair) for pair in zip(inputs, rasters, strict=True)]
    progress = import_module("rrsis_core.cli.progress").BarProgress(quiet)
    try:
        return dataclasses.asdict(module.merge_results(scenes, output, keep, progress))
    finally:
        progress.close()
