"""rrsis bench: measurements of this computer, as ratios to a floor of the same run."""

import dataclasses
import json
from importlib import import_module

import click

from rrsis_core.cli.tables import table

FULL_SIZE = (
    "crobim_swin_base_480",
    "crobim_convnext_base_480",
    "btdnet_swin_base_512",
    "lavt_swin_base_480",
)
HEADER = ("preset", "M params", "GMACs", "floor ms", "1 phrase ms", "to floor", "8 phrases ms", "8 to 1", "peak MB")


@click.group(short_help="Measure speed and memory on this computer.")
def bench() -> None:
    """Measure speed and memory on this computer."""


@bench.command(short_help="Models beside their floor: backbone plus one BERT pass.")
@click.argument("presets", nargs=-1)
@click.option("--device", default="cpu", show_default=True, help="cpu, cuda, cuda:N.")
@click.option("--rounds", type=click.IntRange(1), default=5, show_default=True, help="Times each is measured.")
@click.option("--bf16", is_flag=True, help="Half precision by autocast.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def models(presets: tuple[str, ...], device: str, rounds: int, bf16: bool, as_json: bool) -> None:
    """Time PRESETS (default: the full-size ones) with random weights on one image of their size."""
    speed = import_module("rrsis_core.engine.speed")
    chosen = str(import_module("rrsis_core.inference.devices").choose_device(device))
    lines = []
    for preset in presets or FULL_SIZE:
        lines.append(speed.measure_speed(preset, chosen, rounds, bf16))
        if not as_json:
            click.echo(f"{preset} measured", err=True)
    if as_json:
        click.echo(json.dumps({"ok": True, "device": chosen, "models": [dataclasses.asdict(line) for line in lines]}))
        return
    rows = [
        (
            line.preset,
            f"{line.cost.parameters / 1e6:.1f}",
            f"{line.cost.macs / 1e9:.0f}",
            f"{line.floor_ms:.0f}",
            f"{line.one_ms:.0f}",
            f"{line.to_floor:.2f}",
            f"{line.many_ms:.0f}",
            f"{line.many_to_one:.2f}",
            f"{line.memory_mb:.0f}",
        )
        for line in lines
    ]
    click.echo(table(HEADER, rows))


WAYS = ("vectoriser", "CPU s", "to ours", "peak MB", "polygons", "exact", "invalid", "lost")


@bench.command(short_help="Our vectoriser beside those of rasterio, GDAL and OpenCV.")
@click.option("--size", type=click.IntRange(256), default=20_000, show_default=True, help="Side of the mask, pixels.")
@click.option("--rounds", type=click.IntRange(1), default=3, show_default=True, help="Times each is measured.")
@click.option("--polygons", type=click.IntRange(1), default=100_000, show_default=True, help="Polygons to write.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def geo(size: int, rounds: int, polygons: int, as_json: bool) -> None:
    """Vectorise one made-up mask by every way there is on this computer, and write polygons as a GeoPackage."""
    speed = import_module("rrsis_core.geo.speed")
    ways, missing = speed.measure_ways(size, rounds)
    writing = speed.measure_writing(polygons, rounds)
    if as_json:
        plain = {"ways": [dataclasses.asdict(way) for way in ways], "missing": missing}
        click.echo(json.dumps({"ok": True, "size": size, **plain, "writing": dataclasses.asdict(writing)}))
        return
    rows = [
        (
            way.name,
            f"{way.seconds:.1f}",
            f"{way.to_ours:.2f}",
            f"{way.memory_mb:.0f}",
            f"{way.polygons:,}",
            f"{way.exact:,}",
            f"{way.invalid:,}",
            f"{way.lost:,}",
        )
        for way in ways
    ]
    click.echo(table(WAYS, rows))
    for name, remedy in missing.items():
        click.echo(f"{name}: {remedy}")
    click.echo(
        f"\nGeoPackage of {writing.polygons:,} polygons: {writing.ours_seconds:.2f} s, "
        f"{writing.to_bare:.2f} times a table and one bare pyogrio.write_arrow, {writing.to_call:.2f} times that call"
    )
