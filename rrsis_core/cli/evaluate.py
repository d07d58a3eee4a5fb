"""rrsis evaluate: weights and a data set in, the papers' table and a report out."""

import json
from importlib import import_module
from pathlib import Path
from typing import Any

import click

from rrsis_core.cli.tables import table


@click.command(short_help="Score weights on a data set: the papers' table and a report with pictures.")
@click.option("--weights", required=True, metavar="NAME|FILE", help="Weights to score.")
@click.option("--data", "root", required=True, metavar="FOLDER", help="The data set.")
@click.option("--split", default="test", show_default=True, help="train, val, test, or another one of the set.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder. Default: evaluation_NAME_SPLIT by the weights.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:N or mps.")
@click.option("--batch-size", type=click.IntRange(1), default=8, show_default=True, help="Samples a forward pass.")
@click.option("--workers", type=click.IntRange(0), default=2, show_default=True, help="Processes that read pictures.")
@click.option("--limit", type=click.IntRange(0), default=0, help="Use the first N records only, to try things out.")
@click.option("--skip-missing", is_flag=True, help="Leave out records whose files are missing.")
@click.option("--vocabulary", metavar="FILE", help="Default: vocab.txt by the weights, or the packaged one.")
@click.option("--json", "as_json", is_flag=True, help="Print all scores as one JSON object.")
@click.option("-q", "--quiet", is_flag=True, help="No bar.")
def evaluate(weights: str, root: str, split: str, as_json: bool, quiet: bool, **options: Any) -> None:
    """Score weights as the field does (@ the input's size) and at the original size, beside the published rows.

    Writes scores.json, samples.csv and report.html, a page with per-category bars and the best, median and worst
    samples.

    \b
    rrsis evaluate --weights runs/btdnet_swin_base_512.rrsisd/best.safetensors --data RRSIS-D --split test
    """
    datasets = import_module("rrsis_core.data.datasets")
    evaluation = import_module("rrsis_core.engine.evaluate")
    report = import_module("rrsis_core.engine.report")
    dataset = import_module("rrsis_core.data.opening").open_dataset(root)
    records = datasets.usable(dataset, split, options["skip_missing"])[: options["limit"] or None]
    model, card, tokenizer, path = load(weights, options["vocabulary"], options["device"])
    progress = import_module("rrsis_core.cli.progress").BarProgress(quiet or as_json)
    try:
        result = evaluation.evaluate_records(
            model, records, tokenizer, options["batch_size"], options["workers"], progress
        )
    finally:
        progress.close()
    subject = report.Subject(
        weights=card.name or path.stem,
        dataset=dataset.name,
        split=split,
        root=str(dataset.root),
        details={"file": str(path), "limit": options["limit"], "iterations": card.description.get("iterations")},
    )
    out = options["out"] or path.parent / f"evaluation_{dataset.name}_{split}"
    paths = report.write_report(result, subject, model, tokenizer, out)
    if as_json:
        click.echo(json.dumps({"ok": True, **report.as_plain(result, subject), "files": [str(p) for p in paths]}))
        return
    rows = report.paper_table(result, subject)
    header = ("method", *import_module("rrsis_core.engine.published").COLUMNS)
    click.echo(table(header, [(row.method, *(value or "-" for value in row.values)) for row in rows]))
    empty = result.scores()["lavt"].get("N-acc")
    if empty is not None:
        click.echo(f"no-target accuracy {100 * empty:.2f}")
    click.echo("\n".join(str(p) for p in paths))


def load(weights: str, vocabulary: str | None, device: str) -> tuple[Any, Any, Any, Path]:
    """Return model on its device, card, tokenizer and file of weights given by name or path."""
    store = import_module("rrsis_core.weights.store")
    path = store.find_weights(weights)
    chosen = import_module("rrsis_core.inference.devices").choose_device(device)
    model, card = import_module("rrsis_core.models").load_model(path)
    words = vocabulary or store.find_vocabulary(path, card.vocabulary_sha256)
    tokenizer = import_module("rrsis_core.text.tokenizer").ExpressionTokenizer(words)
    return model.to(chosen), card, tokenizer, path
