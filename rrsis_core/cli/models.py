"""rrsis models: what can be built, and what has been learned."""

import json
from importlib import import_module

import click

from rrsis_core.cli.tables import table


@click.command(short_help="List presets and weights.")
@click.option("--details", is_flag=True, help="Count parameters and multiply-accumulate operations.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def models(details: bool, as_json: bool) -> None:
    """List the presets (what can be built) and the weights on this computer with their cards."""
    store = import_module("rrsis_core.weights.store")
    room = import_module("rrsis_core.models")
    cards = {name: room.read_card(path) for name, path in store.weight_files().items()}
    presets = room.list_presets()
    costs = {name: import_module("rrsis_core.models.cost").cost_of(name) for name in presets} if details else {}
    if as_json:
        plain = import_module("rrsis_core.contract.plain")
        weights = {name: plain.to_plain(card) for name, card in cards.items()}
        listed = {name: plain.to_plain(cost) for name, cost in costs.items()} if details else presets
        click.echo(json.dumps({"presets": listed, "weights": weights, "default": store.DEFAULT}))
        return
    if details:
        rows = [
            (name, cost.image_size, f"{cost.parameters / 1e6:.1f}", f"{cost.macs / 1e9:.1f}")
            for name, cost in costs.items()
        ]
        click.echo(table(("Presets", "pixels", "M parameters", "GMACs"), rows))
    else:
        click.echo("Presets\n" + "\n".join(f"  {name}" for name in presets))
    click.echo("\nWeights")
    for name, card in cards.items():
        mark = " (default)" if name == store.DEFAULT else ""
        click.echo(f"  {name}{mark}: {card.gsd:g} m a pixel, tiles of {card.tile}")
        for key, value in card.description.items():
            text = value if isinstance(value, str) else json.dumps(value)
            click.echo(f"    {key}: {text}")
