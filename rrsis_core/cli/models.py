"""rrsis models: what can be built, and what has been learned."""

import json
from importlib import import_module

import click


@click.command(short_help="List presets and weights.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def models(as_json: bool) -> None:
    """List the presets (what can be built) and the weights on this computer with their cards."""
    store = import_module("rrsis_core.weights.store")
    room = import_module("rrsis_core.models")
    cards = {name: room.read_card(path) for name, path in store.weight_files().items()}
    if as_json:
        plain = import_module("rrsis_core.contract.plain")
        weights = {name: plain.to_plain(card) for name, card in cards.items()}
        click.echo(json.dumps({"presets": room.list_presets(), "weights": weights, "default": store.DEFAULT}))
        return
    click.echo("Presets\n" + "\n".join(f"  {name}" for name in room.list_presets()))
    click.echo("\nWeights")
    for name, card in cards.items():
        mark = " (default)" if name == store.DEFAULT else ""
        click.echo(f"  {name}{mark}: {card.gsd:g} m a pixel, tiles of {card.tile}")
        for key, value in card.description.items():
            text = value if isinstance(value, str) else json.dumps(value)
            click.echo(f"    {key}: {text}")
