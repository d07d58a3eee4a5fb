"""rrsis data: look at a data set before training on it, or make one of a raster and outlines."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from rrsis_core.cli.tables import table

SHOWN = 20  # names of a kind that are printed; --json has all of them


@click.group(short_help="Check a data set, or make one of a raster and outlines.")
def data() -> None:
    """Check a data set, or make one of your own raster and outlines."""


@data.command(short_help="Tell whether a data set can be trained on, and what is odd about it.")
@click.argument("root")
@click.option("--size", type=int, default=480, show_default=True, metavar="PIXELS", help="Side of the model's input.")
@click.option("--max-tokens", type=int, help="Tokens an expression is cut at. Default: the field's for this set.")
@click.option("--vocabulary", metavar="FILE", help="vocab.txt or BERT folder to count tokens with.")
@click.option("--sheet", metavar="PNG", help="Contact sheet. Default: NAME_samples.png here.")
@click.option("--samples", type=int, default=24, show_default=True, help="Pictures on the contact sheet.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which pictures.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object, with every name.")
@click.option("-q", "--quiet", is_flag=True, help="No bar.")
def check(root: str, sheet: str | None, as_json: bool, quiet: bool, **options: Any) -> int:
    """Read every file below ROOT: RRSIS-D, RefSegRS, RISBench, another set in the REFER layout, or JSON lines.

    \b
    Exit code 0: it can be trained on. 1: it cannot, and the faults say why.
    """
    dataset = import_module("rrsis_core.data.opening").open_dataset(root)
    doctor = import_module("rrsis_core.data.doctor")
    tokenizer = _tokenizer(options["vocabulary"])
    progress = import_module("rrsis_core.cli.progress").BarProgress(quiet or as_json)
    try:
        report = doctor.check_dataset(
            dataset,
            lambda expression: len(tokenizer.tokens(expression)) + 2,
            options["max_tokens"] or dataset.max_tokens,
            options["size"],
            progress,
        )
    finally:
        progress.close()
    target = Path(sheet or f"{dataset.name}_samples.png")
    drawing = import_module("rrsis_core.data.drawing")
    drawing.contact_sheet(doctor.sample_cells(dataset, options["samples"], options["seed"])).save(target)
    if as_json:
        plain = import_module("rrsis_core.contract.plain").to_plain(report)
        click.echo(json.dumps({"ok": report.trainable, **plain, "sheet": str(target)}))
    else:
        click.echo(told(report) + f"\nSamples: {target}")
    return 0 if report.trainable else 1


@data.command(short_help="Make a data set of a raster and outlines with phrases.")
@click.argument("raster")
@click.argument("vector")
@click.option("-o", "--out", type=click.Path(path_type=Path), required=True, help="Folder of the data set.")
@click.option("--phrase-column", "column", default="phrase", show_default=True, help="Attribute that holds the phrase.")
@click.option("--layer", help="Layer of VECTOR. Default: its first one.")
@click.option("--tile", type=int, default=512, show_default=True, metavar="PIXELS", help="Side of the samples.")
@click.option("--gsd", type=float, metavar="METRES", help="Ground resolution of the samples. Default: the raster's.")
@click.option("--val", type=float, default=0.15, show_default=True, help="Share of the records for validation.")
@click.option("--test", type=float, default=0.15, show_default=True, help="Share of the records for testing.")
@click.option("--empty", type=float, default=0.1, show_default=True, help="Chance of an absent phrase a tile.")
@click.option("--seed", type=int, default=0, show_default=True, help="Which blocks go to which split.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def make(out: Path, as_json: bool, **options: Any) -> None:
    """Cut RASTER into tiles; the outlines of VECTOR in a tile that carry one phrase are the mask of a record.

    Outline every instance of what you want to find: what is not outlined counts as not meant. Blocks of tiles go to
    one split, so that no pixel is in two. Run it again with another raster and the same folder to add to it.

    \b
    rrsis data make town.tif roofs.gpkg --phrase-column what --gsd 0.3 -o my_data
    rrsis data check my_data
    """
    folder = import_module("rrsis_core.data.folder")
    progress = import_module("rrsis_core.cli.progress").BarProgress(as_json)
    try:
        counts = folder.make_folder(folder.FolderOptions(**options), out, progress)
    finally:
        progress.close()
    if as_json:
        click.echo(json.dumps({"ok": True, "folder": str(out), "records": counts}))
    else:
        click.echo(table(("split", "records"), list(counts.items())) + f"\n{out}")


def told(report: Any) -> str:
    """Return a report as text."""
    rows = [
        (split, f"{part.records:,}", "-" if part.published is None else f"{part.published:,}", len(part.missing),
         len(part.damaged), len(part.empty), part.longest, part.cut)
        for split, part in report.splits.items()
    ]  # fmt: skip
    header = ("split", "records", "published", "missing", "damaged", "empty", "longest", "cut")
    lines = [f"{report.name} in {report.root}", table(header, rows)]
    lines += ["Remarks:", *(f"- {remark}" for remark in report.remarks)] if report.remarks else []
    for split, part in report.splits.items():
        lines += _named(f"Missing in {split}", part.missing) + _named(f"Damaged in {split}", part.damaged)
    lines += _named("No records", report.problems)
    if report.trainable:
        return "\n".join([*lines, "It can be trained on."])
    return "\n".join([*lines, "It cannot be trained on as it is:", *(f"- {fault}" for fault in report.faults)])


def _named(title: str, names: list[str]) -> list[str]:
    more = [f"  ... and {len(names) - SHOWN} more (--json names all)"] if len(names) > SHOWN else []
    return [f"{title}:", *(f"  {name}" for name in names[:SHOWN]), *more] if names else []


def _tokenizer(vocabulary: str | None) -> Any:
    path = vocabulary or import_module("rrsis_core.weights").vocabulary_path()
    return import_module("rrsis_core.text.tokenizer").ExpressionTokenizer(path)
