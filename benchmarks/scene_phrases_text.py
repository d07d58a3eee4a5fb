"""Measure how phrases are read: `python benchmarks/scene_phrases_text.py ../shared/data`.

Prints, with our tagger and with NLTK's official one: how often the target is the annotated category of RRSIS-D, as it
is and with each category replaced by an invented compound; how well the slots of 300 labelled expressions of RSVG-HR
are found; how often the words that BTDNet hides are the same and are the category. `--misses` lists what went wrong.
"""

import argparse
import csv
import json
import random
import time
import zipfile
from collections import Counter
from collections.abc import Iterable
from pathlib import Path

from nltk.tag.perceptron import PerceptronTagger

from rrsis_core.text.parse import parse
from rrsis_core.text.phrases import target_words
from rrsis_core.text.query import Query, Relation
from rrsis_core.text.tagger import load_tagger

LABELS = Path(__file__).parents[1] / "tests/data/rsvg_hr/labels.tsv"  # its README says which expressions they are of
SLOTS = ("target", "attributes", "ordinal", "superlative", "position", "relations")
# In the order of the sorted categories of RRSIS-D; nobody has seen such things from above.
INVENTED = """glass kiln yard|salt mill|copper tower|velvet gorge crossing|moon ferry depot|paper lantern hall|
    brine pump|honey press station|wool drying range|tin whistle mill|gravel organ|cloud harvester|amber loading ramp|
    ink well|ghost railing|thunder shed|plum mortar tower|zorple|flindrick brabbin|kestrel roost platform"""


def official_tagger(shared: Path) -> PerceptronTagger:
    """Read the official tagger from its archive, without NLTK's data folders."""
    with zipfile.ZipFile(shared / "nltk_tagger/averaged_perceptron_tagger_eng.zip") as archive:
        by_part = {name.split(".")[-2]: json.loads(archive.read(name)) for name in archive.namelist() if "json" in name}
    return PerceptronTagger.decode_json_obj(tuple(by_part[part] for part in ("weights", "tagdict", "classes")))


def rrsisd(shared: Path) -> list[tuple[str, str]]:
    """Return category and expression of all of RRSIS-D."""
    with open(shared / "text/rrsisd/rrsisd_expressions.tsv", encoding="utf-8") as file:
        return [(row["category"], row["expression"]) for row in csv.DictReader(file, delimiter="\t")]


def rsvg_hr(shared: Path) -> list[str]:
    """Return all expressions of RSVG-HR."""
    files = [shared / f"text/rsvg_hr/rsvg_hr_{name}.txt" for name in ("train", "test")]
    lines = [line for file in files for line in file.read_text(encoding="utf-8").splitlines()]
    return [line.split(",", 5)[-1] for line in lines if line.strip()]


def labelled(shared: Path) -> list[tuple[str, dict[str, str]]]:
    """Return the expressions of RSVG-HR that are labelled, and their labels."""
    with open(LABELS, encoding="utf-8") as file:
        labels = list(csv.DictReader(file, delimiter="\t"))
    expressions = random.Random(6).sample(sorted(set(rsvg_hr(shared))), len(labels))
    return list(zip(expressions, labels, strict=True))


def replaced(rows: list[tuple[str, str]]) -> list[tuple[str, str]]:
    """Return category and expression with every category replaced by its invented compound."""
    invented = [name.strip() for name in INVENTED.split("|")]
    names = dict(zip(sorted({category for category, _ in rows}), invented, strict=True))
    result = []
    for category, expression in rows:
        text = expression.lower()
        for name in sorted(names, key=len, reverse=True):
            text = text.replace(name, names[name].upper())
        result.append((names[category], text.lower()))
    return result


def targets(rows: list[tuple[str, str]], tagger: PerceptronTagger, misses: bool) -> float:
    """Return the share of rows whose target is the category."""
    wrong = Counter()
    for category, expression in rows:
        found = parse(expression, tagger).query.target
        if found != category:
            wrong[(expression, found)] += 1
    for (expression, found), count in wrong.most_common(40 if misses else 0):
        print(f"    {count:5d}  {expression!r}: {found!r}")
    return 1 - wrong.total() / len(rows)


def slots_of(query: Query) -> set[str]:
    """Return what a query says as strings, in the words of the labels."""
    slots = {f"target {query.target}", *(f"attributes {word}" for word in query.attributes)}
    if query.ordinal:
        side = f" from {query.ordinal.side}" if query.ordinal.side else ""
        slots.add(f"ordinal {query.ordinal.rank}{side}")
    slots |= {f"superlative {query.superlative}"} if query.superlative else set()
    slots |= {f"position {query.position}"} if query.position else set()
    return slots | {f"relations {_relation(item, landmark)}" for item in query.relations for landmark in item.landmarks}


def _relation(relation: Relation, landmark: Query) -> str:
    number = [str(landmark.number)] if isinstance(landmark.number, int) else []
    return f"{relation.kind} | {' '.join([*number, *landmark.attributes, landmark.target])}"


def labelled_slots(row: dict[str, str]) -> set[str]:
    """Return the slots of a labelled expression."""
    several = {"attributes": ", ", "relations": "; "}
    parts = {name: row[name].split(several[name]) if name in several else [row[name]] for name in SLOTS}
    return {f"{name} {value}" for name, values in parts.items() for value in values if value}


def slot_scores(rows: list[tuple[str, dict[str, str]]], tagger: PerceptronTagger, misses: bool) -> dict[str, float]:
    """Return F1 by slot, and of all of them together."""
    right, found, meant = Counter(), Counter(), Counter()
    for expression, row in rows:
        says, labels = slots_of(parse(expression, tagger).query), labelled_slots(row)
        for counter, values in ((right, says & labels), (found, says), (meant, labels)):
            counter.update(value.split()[0] for value in values)
        if misses and says != labels:
            print(f"    {expression!r}: too much {says - labels or '-'}, missing {labels - says or '-'}")
    for counter in (right, found, meant):
        counter["all"] = counter.total()
    return {name: 2 * right[name] / max(found[name] + meant[name], 1) for name in (*SLOTS, "all")}


def hidden(rows: list[tuple[str, str]], own: PerceptronTagger, official: PerceptronTagger) -> None:
    """Print how often both taggers hide the same words, and how often these are the category."""
    same = Counter()
    for category, expression in rows:
        masks = [[word for _, word in target_words(expression, tagger=tagger)] for tagger in (own, official)]
        same["both the same"] += masks[0] == masks[1]
        same["ours: the category"] += " ".join(masks[0]) == category
        same["official: the category"] += " ".join(masks[1]) == category
    for name, count in same.items():
        print(f"  hidden words, {name}: {count / len(rows):.2%}")


def raising(expressions: Iterable[str], tagger: PerceptronTagger) -> int:
    """Parse everything once; what raises ends the benchmark."""
    return sum(bool(parse(expression, tagger).unread) for expression in expressions)


def main() -> None:
    """Print all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("shared", type=Path)
    parser.add_argument("--misses", action="store_true")
    args = parser.parse_args()
    rows, others, slots = rrsisd(args.shared), rsvg_hr(args.shared), labelled(args.shared)
    taggers = {"ours": load_tagger("own"), "official": official_tagger(args.shared)}
    for name, tagger in taggers.items():
        start = time.perf_counter()
        print(f"{name} tagger")
        print(f"  RRSIS-D ({len(rows)}), target is the category: {targets(rows, tagger, args.misses):.2%}")
        print(f"  RRSIS-D, categories invented: {targets(replaced(rows), tagger, args.misses):.2%}")
        for slot, score in slot_scores(slots, tagger, args.misses).items():
            print(f"  RSVG-HR ({len(slots)} labelled), F1 of {slot}: {score:.2%}")
        print(f"  RSVG-HR ({len(others)}), with words that nothing was made of: {raising(others, tagger)}")
        print(f"  {1000 * (time.perf_counter() - start) / (2 * len(rows) + len(others) + len(slots)):.2f} ms a phrase")
    hidden(rows, *taggers.values())


if __name__ == "__main__":
    main()
