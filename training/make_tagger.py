"""Train the packaged part-of-speech tagger on our own tagged expressions: `python training/make_tagger.py OUT.json`.

A tagged expression is a list of (word, Penn tag), made here from the lexicon and from invented words: what stands
where a noun stands is a noun, whatever it is called. The same command writes the same file, byte for byte.
"""

import json
import random
import sys
from collections.abc import Iterable, Sequence
from itertools import chain
from pathlib import Path

from nltk.tag.perceptron import PerceptronTagger

from rrsis_core.text.lexicon import COLORS, MASS_NOUNS, MATERIALS, NOUNS, SHADES, SHAPES, SIZES, plural

SEED, EXPRESSIONS, ROUNDS = 1, 40_000, 5
SMALLEST_WEIGHT = 1.5  # smaller ones decide next to nothing and are four fifths of the file

Tagged = list[tuple[str, str]]


def _tagged(text: str) -> Tagged:
    """Read "the/DT left/NN" as tagged words."""
    return [(word, tag) for word, tag in (item.rsplit("/", 1) for item in text.split())]


def _table(text: str) -> list[Tagged]:
    return [_tagged(line) for line in text.split("|")]


OPENINGS = _table(
    "find/VB|search/VB|show/VB me/PRP|locate/VB|segment/VB|select/VB|where/WRB is/VBZ|where/WRB are/VBP|look/VB for/IN|"
    "please/UH find/VB|give/VB me/PRP|i/PRP want/VBP|get/VB|highlight/VB|mark/VB|outline/VB|map/VB|pick/VB"
)
DETERMINERS = _table("the/DT|the/DT|the/DT|the/DT|a/DT|a/DT|an/DT|another/DT|each/DT|every/DT|this/DT|that/DT|no/DT")
PLURAL_DETERMINERS = _table(
    "the/DT|the/DT|the/DT|all/DT|all/PDT the/DT|some/DT|several/JJ|many/JJ|few/JJ|two/CD|three/CD|four/CD|five/CD|"
    "six/CD|both/DT|the/DT two/CD|the/DT three/CD|12/CD|these/DT|those/DT|other/JJ|the/DT other/JJ|any/DT"
)
SUPERLATIVES = """largest biggest greatest smallest tiniest longest shortest widest narrowest tallest brightest darkest
    northernmost southernmost westernmost easternmost leftmost rightmost topmost bottommost uppermost closest nearest
    farthest furthest thinnest broadest highest lowest""".split()
COMPARATIVES = "larger bigger smaller longer shorter wider narrower taller brighter darker closer farther".split()
DEGREES = [[], *_table("much/RB|a/DT little/RB|slightly/RB|a/DT bit/RB")]
ORDINALS = "first second third fourth fifth sixth seventh eighth ninth tenth last 2nd 3rd".split()
PLACE_ADJECTIVES = _table(
    "left/JJ|right/JJ|top/JJ|bottom/JJ|upper/JJ|lower/JJ|upper/JJ left/JJ|upper/JJ right/JJ|lower/JJ left/JJ|"
    "lower/JJ right/JJ|top/JJ left/JJ|middle/JJ|central/JJ|northern/JJ|southern/JJ|eastern/JJ|western/JJ|"
    "far/JJ left/JJ|northwestern/JJ|southeast/JJ|north/JJ|south/JJ|east/JJ|west/JJ"
)
PLACES = _table(
    "left/NN|right/NN|top/NN|bottom/NN|upper/JJ left/NN|upper/JJ right/NN|lower/JJ left/NN|lower/JJ right/NN|middle/NN|"
    "center/NN|centre/NN|north/NN|south/NN|east/NN|west/NN|northwest/NN|southeast/NN|far/JJ left/NN|far/JJ right/NN|"
    "upper/JJ left/JJ corner/NN|left/JJ side/NN|right/JJ half/NN|middle/JJ part/NN|northern/JJ edge/NN|"
    "north/JJ half/NN|far/JJ top/NN|far/JJ bottom/NN|center/NN of/IN the/DT left/NN|left/NN of/IN the/DT bottom/NN"
)
IMAGES = _table("of/IN the/DT image/NN|in/IN the/DT picture/NN|of/IN the/DT scene/NN|of/IN the/DT map/NN")
RELATIONS = _table(
    "near/IN|next/JJ to/TO|beside/IN|by/IN|close/JJ to/TO|adjacent/JJ to/TO|touching/VBG|along/IN|inside/IN|in/IN|"
    "within/IN|on/IN|on/IN top/NN of/IN|above/IN|below/IN|under/IN|over/IN|left/RB of/IN|right/RB of/IN|to/TO the/DT "
    "left/NN of/IN|to/TO the/DT right/NN of/IN|on/IN the/DT left/NN of/IN|on/IN the/DT lower/JJ right/NN of/IN|on/IN "
    "the/DT top/NN of/IN|at/IN the/DT bottom/NN of/IN|at/IN the/DT upper/JJ left/NN of/IN|north/RB of/IN|south/RB "
    "of/IN|east/RB of/IN|west/RB of/IN|within/IN 50/CD m/NNS of/IN|within/IN 20/CD metres/NNS of/IN|less/JJR than/IN "
    "100/CD meters/NNS from/IN|more/JJR than/IN 30/CD m/NNS from/IN|between/IN|surrounded/VBN by/IN|behind/IN|"
    "across/IN|opposite/IN|outside/IN|beyond/IN|around/IN|far/RB from/IN|away/RB from/IN|parked/VBN on/IN|"
    "parked/VBN in/IN|crossing/VBG|connected/VBN to/TO|closest/JJS to/TO|nearest/JJS to/TO|farthest/JJS from/IN|"
    "without/IN|with/IN|running/VBG through/IN|docked/VBN at/IN|facing/VBG|covered/VBN by/IN|lined/VBN with/IN"
)
PREDICATES = _table(
    "is/VBZ near/IN|is/VBZ on/IN|is/VBZ in/IN|is/VBZ below/IN|is/VBZ above/IN|is/VBZ on/IN the/DT left/NN of/IN|is/VBZ "
    "on/IN the/DT upper/JJ right/NN of/IN|is/VBZ parked/VBN in/IN|is/VBZ driving/VBG on/IN|is/VBZ lying/VBG in/IN|"
    "is/VBZ going/VBG through/IN|is/VBZ anchored/VBN with/IN|has/VBZ|is/VBZ similar/JJ in/IN size/NN to/TO|is/VBZ "
    "located/VBN at/IN the/DT top/NN of/IN|stands/VBZ beside/IN|lies/VBZ north/RB of/IN|leads/VBZ to/TO|have/VBP|"
    "are/VBP near/IN|is/VBZ not/RB near/IN|is/VBZ surrounded/VBN by/IN|crosses/VBZ|connects/VBZ to/TO|joins/VBZ"
)
STATES = _tagged(
    "parked/VBN moving/VBG empty/JJ full/JJ dry/JJ bare/JJ open/JJ closed/VBN flooded/VBN abandoned/VBN residential/JJ "
    "industrial/JJ commercial/JJ main/JJ minor/JJ old/JJ new/JJ single/JJ double/JJ striped/JJ painted/VBN isolated/JJ "
    "adjacent/JJ curved/JJ connected/VBN unpaved/JJ paved/JJ wooden/JJ tiled/JJ grassy/JJ sandy/JJ covered/VBN "
    "l-shaped/JJ red-roofed/JJ two-lane/JJ anchored/VBN detached/VBN whole/JJ visible/JJ similar/JJ winding/VBG"
)
# Words of the lexicon's noun phrases that are no nouns.
TAGS_IN_NOUNS = {
    "of": "IN",
    "bare": "JJ",
    "green": "JJ",
    "paved": "JJ",
    "photovoltaic": "JJ",
    "solar": "JJ",
    "wind": "NN",
    "'s": "POS",
}
NOUN_MATERIALS = [word for word in MATERIALS if not word.endswith(("ed", "en", "y"))]
ADJECTIVE_MATERIALS = [word for word in MATERIALS if word not in NOUN_MATERIALS]
ONSETS = "b br c ch cl d dr f fl g gl gr h j k kl l m n p pl pr qu r s sh sk sl sp st str t th tr v w z".split()
MIDDLES = "a e i o u ai ea ee oa oo ou".split()
NOUN_ENDS = """er or ing age ion ment ity ness ard arn el en ill ip it ock oll ond ot ow ump und ust ace ade ane ate
    ell ern ile ine ome one ore une ure ast eck ig in ob og ub um un ut ed le ry ey ony by n nd l m nk p st t k rn sh
    th ng oon een ess works way""".split()
ADJECTIVE_ENDS = "y al ous ish ed ic less ful ary".split()


class Writer:
    """Makes tagged expressions with its own random numbers."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)
        self._nouns = [noun for nouns in NOUNS.values() for noun in nouns]
        adjectives = chain(*COLORS.values(), *SIZES.values(), SHADES, SHAPES, ADJECTIVE_MATERIALS)
        self._adjectives = [(word, "JJ") for word in adjectives] + STATES

    def expressions(self, count: int) -> Iterable[Tagged]:
        """Yield expressions: a phrase, a phrase with what follows it, or a whole sentence."""
        for _ in range(count):
            opening = self._pick(OPENINGS) if self._chance(0.15) else []
            yield opening + (self._sentence() if self._chance(0.3) else self._phrase(2))

    def _chance(self, share: float) -> bool:
        return self._random.random() < share

    def _pick(self, options: Sequence[Tagged]) -> Tagged:
        return self._random.choice(options)

    def _sentence(self) -> Tagged:
        if self._chance(0.2):
            more = [*self._pick(DEGREES), (self._random.choice(COMPARATIVES), "JJR"), ("than", "IN")]
            return [*self._noun_phrase(), ("is", "VBZ"), *more, *self._phrase(0)]
        return self._noun_phrase() + self._pick(PREDICATES) + self._phrase(1)

    def _phrase(self, depth: int) -> Tagged:
        words = self._noun_phrase()
        for _ in range(self._random.choice((0, 0, 1, 1, 2)) if depth else 0):
            words += self._modifier(depth - 1)
        return words

    def _modifier(self, depth: int) -> Tagged:
        kind = self._random.random()
        if kind < 0.3:
            preposition = [(self._random.choice(("on", "in", "at")), "IN"), ("the", "DT")]
            return preposition + self._pick(PLACES) + (self._pick(IMAGES) if self._chance(0.2) else [])
        if kind < 0.38:
            return [("from", "IN"), ("the", "DT"), *self._pick(PLACES)]
        if kind < 0.44:
            clause = _tagged(self._random.choice(("that/WDT are/VBP", "which/WDT is/VBZ", "that/WDT is/VBZ not/RB")))
            return clause + ([self._adjective()] if self._chance(0.5) else self._pick(RELATIONS) + self._noun_phrase())
        if kind < 0.5:
            return _tagged("and/CC it/PRP is/VBZ") + self._pick(RELATIONS) + self._phrase(depth)
        if kind < 0.55:
            return [("between", "IN"), *self._noun_phrase(), ("and", "CC"), *self._noun_phrase()]
        if kind < 0.6:
            return [("and", "CC"), *self._noun_phrase()]
        return self._pick(RELATIONS) + self._phrase(depth)

    def _noun_phrase(self) -> Tagged:
        many = self._chance(0.35)
        words = list(self._pick(PLURAL_DETERMINERS if many else DETERMINERS)) if self._chance(0.9) else []
        if self._chance(0.06):
            words.append((self._random.choice(ORDINALS), "JJ"))
        if self._chance(0.12):
            words.append((self._random.choice(SUPERLATIVES), "JJS"))
        if self._chance(0.12):
            words += self._pick(PLACE_ADJECTIVES)
        for index in range(self._random.choice((0, 0, 0, 1, 1, 2, 3))):
            if index and self._chance(0.15):
                words.append(("and", "CC"))
            words.append(self._adjective())
        return words + self._noun(many)

    def _adjective(self) -> tuple[str, str]:
        if self._chance(0.06):
            return self._invented(ADJECTIVE_ENDS), "JJ"
        return self._random.choice(self._adjectives)

    def _noun(self, many: bool) -> Tagged:
        """Return one to three nouns: of the lexicon, invented, or a material before either."""
        kind = self._random.random()
        if kind < 0.5:
            noun = self._random.choice(self._nouns)
            many = many and noun not in MASS_NOUNS
            words = (plural(noun) if many else noun).replace("'s", " 's").split()
            heads = [index for index, word in enumerate(words) if word in ("of", "'s")]
            last = heads[0] - 1 if heads and words[heads[0]] == "of" else len(words) - 1
            tags = [TAGS_IN_NOUNS.get(word, "NNS" if many and i == last else "NN") for i, word in enumerate(words)]
            tagged = list(zip(words, tags, strict=True))
            return [(self._random.choice(NOUN_MATERIALS), "NN"), *tagged] if self._chance(0.08) else tagged
        count = self._random.choice((1, 1, 2, 2, 3))
        words = [self._noun_word() for _ in range(count)]
        if many:
            words[-1] = plural(words[-1])
        return [(word, "NNS" if many and i == count - 1 else "NN") for i, word in enumerate(words)]

    def _noun_word(self) -> str:
        kind = self._random.random()
        if kind < 0.15:
            return self._random.choice(NOUN_MATERIALS)
        if kind < 0.35:
            return self._random.choice(self._nouns).split()[-1]
        return self._invented(NOUN_ENDS)

    def _invented(self, ends: Sequence[str]) -> str:
        end = self._random.choice(ends)
        start = self._random.choice(ONSETS) + self._random.choice(MIDDLES)
        return start + (self._random.choice(ONSETS) if end[0] in "aeiouy" else "") + end


def main(out: Path) -> None:
    """Train, thin the weights out, and write the file."""
    random.seed(SEED)  # nltk shuffles with the global generator
    tagger = PerceptronTagger(load=False)
    tagger.train(list(Writer(SEED).expressions(EXPRESSIONS)), nr_iter=ROUNDS)
    weights, tagdict, classes = tagger.encode_json_obj()
    thinned = {}
    for feature, by_tag in sorted(weights.items()):
        kept = {tag: round(value, 1) for tag, value in sorted(by_tag.items()) if abs(value) >= SMALLEST_WEIGHT}
        if kept:
            thinned[feature] = kept
    data = json.dumps([thinned, dict(sorted(tagdict.items())), sorted(classes)], separators=(",", ":"))
    out.write_text(data + "\n", encoding="utf-8")
    print(f"{out}: {len(thinned)} features, {len(tagdict)} words of one tag, {len(data)} bytes")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
