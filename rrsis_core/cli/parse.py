"""rrsis parse: what a phrase is understood as, before anything is searched."""

import json
from importlib import import_module
from typing import Any

import click


@click.command(short_help="Show what a phrase is understood as.")
@click.argument("phrase")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
def parse(phrase: str, as_json: bool) -> None:
    """Print PHRASE as a tree: what is looked for, which of it, and where it lies to what else.

    \b
    rrsis parse "the second largest blue roof within 50 m of the river"
    """
    saying = import_module("rrsis_core.text.saying")
    expression, understood = import_module("rrsis_core.text.parse").read_phrase(phrase)
    query = understood.query
    local = saying.local_texts(query) if query.asked_of_scene else []
    unknown = [word for word in expression.unknown if not local or any(word in text for text in local)]
    if as_json:
        body = {
            "ok": True,
            "text": expression.text,
            **query.as_dict(),
            "needs_scene": query.needs_scene,
            "local": local,
            "chips": [{"slot": chip.slot, "text": chip.text} for chip in saying.chips(understood)],
            "corrected": understood.corrected,
            "unread": understood.unread,
            "unknown": unknown,
        }
        click.echo(json.dumps(body))
        return
    lines = [expression.text, *_tree(query.as_dict(), "  ")]
    lines += [f"{typed} was read as {meant}" for typed, meant in understood.corrected]
    lines += [f"nothing was made of: {', '.join(understood.unread)}"] if understood.unread else []
    lines += [f"not in the lexicon: {', '.join(unknown)}"] if unknown else []
    asked = ", ".join(f'"{text}"' for text in local) or "the phrase as it is"
    click.echo("\n".join([*lines, f"asked of the model: {asked}"]))


def _tree(query: dict[str, Any], indent: str) -> list[str]:
    lines = []
    for name in ("target", "attributes", "number", "position", "superlative"):
        if query[name]:
            value = query[name]
            lines.append(f"{indent}{name}: {', '.join(value) if isinstance(value, list) else value}")
    if ordinal := query["ordinal"]:
        lines.append(f"{indent}ordinal: {ordinal['rank']}" + (f" from {ordinal['side']}" if ordinal["side"] else ""))
    for relation in query["relations"]:
        words = ["not"] * relation["negated"] + [relation["kind"]]
        words += [f"{relation['amount']:g}"] if relation["amount"] is not None else []
        lines.append(f"{indent}relation: {' '.join(words)}")
        for landmark in relation["landmarks"]:
            lines += _tree(landmark, indent + "  ")
    for name, title in (("excluded", "except"), ("also", "also")):
        for other in query[name]:
            lines += [f"{indent}{title}:", *_tree(other, indent + "  ")]
    return lines
