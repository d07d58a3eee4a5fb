"""rrsis demo: the main job on a rendered scene, whose truth is known."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from rrsis_core.cli.tables import table

# Phrase -> categories and colour of the objects that it means.
PHRASES: dict[str, tuple[tuple[str, ...], str | None]] = {
    "the blue roofs": (("building",), "blue"),
    "the river": (("river",), None),
    "the roads": (("road",), None),
    "the trees": (("tree", "forest"), None),
}


@click.command(short_help="Render a sample scene and find four phrases in it.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder.")
@click.option(
    "--seed", type=click.IntRange(0, 9999), default=7, show_default=True, help="Scene; training never saw it."
)
@click.option("--weights", metavar="NAME|FILE", help="Weights. Default: the packaged ones.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def demo(out: Path, seed: int, weights: str | None, as_json: bool) -> None:
    """Render a georeferenced scene, find four phrases in it, and compare with the truth."""
    out.mkdir(parents=True, exist_ok=True)
    rows = run(out, seed, weights)
    if as_json:
        click.echo(json.dumps({"ok": True, "seed": seed, "found": rows}))
        return
    cells = [
        (r["phrase"], r["polygons"], f"{r['area_m2']:,.0f}", f"{r['iou']:.2f}", f"{r['seconds']:.1f}") for r in rows
    ]
    click.echo(table(("phrase", "polygons", "area m2", "IoU with truth", "seconds"), cells))
    click.echo("\n".join(str(out / name) for name in ("scene.tif", "result.gpkg", "mask.tif", "preview.png")))


def run(out: Path, seed: int, weights: str | None = None) -> list[dict[str, Any]]:
    """Render, segment and score: one row a phrase, with its polygons, area, IoU and seconds."""
    inference, sinks = import_module("rrsis_core.inference"), import_module("rrsis_core.geo.sinks")
    progress_module, rasterio = import_module("rrsis_core.cli.progress"), import_module("rasterio")
    contract = import_module("rrsis_core.contract")
    scene = import_module("rrsis_core.data.rendered").demo_scene(seed)
    transform = rasterio.Affine(*scene.transform)
    sinks.write_geotiff(out / "scene.tif", scene.image.transpose(2, 0, 1), transform, f"EPSG:{scene.crs_epsg}")
    options = contract.SegmentOptions(
        raster=str(out / "scene.tif"),
        expressions=tuple(PHRASES),
        output=str(out / "result.gpkg"),
        mask=str(out / "mask.tif"),
        preview=str(out / "preview.png"),
        overwrite=True,
    )
    predictor = inference.load_predictor(weights)
    progress = progress_module.BarProgress()
    try:
        result = inference.segment_raster(options, predictor, progress)
    finally:
        progress.close()
    with rasterio.open(out / "mask.tif") as source:
        masks = source.read().astype(bool)
    return [
        {
            "phrase": item.phrase,
            "polygons": item.polygons,
            "area_m2": item.area_m2,
            "iou": iou_with_truth(masks[index], scene, *PHRASES[item.phrase]),
            "seconds": predictor.seconds[item.phrase],
        }
        for index, item in enumerate(result.found)
    ]


def meant(scene: Any, shape: tuple[int, int], categories: tuple[str, ...], color: str | None) -> tuple[Any, Any]:
    """Return masks of the objects that are meant, and of those whose colour nobody could name."""
    scenes = import_module("rrsis_core.data.scenes")
    objects = [o for o in scenes.scene_of_rendered(scene, "demo").objects if o.category in categories]
    truth = scenes.union_mask((o for o in objects if color in (None, o.color)), shape)
    unclear = scenes.union_mask((o for o in objects if color is not None and o.color is None), shape) & ~truth
    return truth, unclear


def iou_with_truth(mask: Any, scene: Any, categories: tuple[str, ...], color: str | None) -> float:
    """Compare a mask with the objects that are meant; those whose colour nobody could name do not count."""
    truth, unclear = meant(scene, mask.shape, categories, color)
    union = int(((mask | truth) & ~unclear).sum())
    return int((mask & truth).sum()) / union if union else 1.0
