"""A wording is one of the ways to say a thing: patterns over cleaned words, with the canonical name of what they say.

Nothing here knows what objects there are: the name of a thing is whatever stands where a noun stands. Words are lower
case, in American spelling, with single spaces between them.
"""

import re
from collections.abc import Iterable, Mapping

from rrsis_core.text.lexicon import VERB_FORMS


def either(words: Iterable[str]) -> str:
    """Return a pattern for any of some wordings, the longest first."""
    return "(?:" + "|".join(sorted(words, key=len, reverse=True)) + ")"


def _by_word(table: Mapping[str, str], separator: str | None = None) -> dict[str, str]:
    """Turn {name: wordings} into {wording: name}."""
    return {word: name for name, words in table.items() for word in words.split(separator)}


# --- where: sides and parts of the extent ------------------------------------------------------------------------

_AXES = _by_word(
    {
        "top": "top upper north northern northerly northward northwards",
        "bottom": "bottom lower south southern southerly southward southwards",
        "left": "left west western westerly westward westwards",
        "right": "right east eastern easterly eastward eastwards",
        "middle": "middle center central",
    }
)
_CORNERS = {
    f"{north}{west}{suffix}": f"{along} {across}"
    for north, along in (("north", "upper"), ("south", "lower"))
    for west, across in (("west", "left"), ("east", "right"))
    for suffix in ("", "ern", "erly", "ward", "wards")
}
_PARTS = _by_word(
    {"half": "half", "third": "third", "quarter": "quarter quadrant", "corner": "corner", "edge": "edge border margin"}
)
PART = f"(?:side|part|area|section|portion|region|zone|end|{either(_PARTS)})"
_SIDE_WORD = either([*_AXES, *_CORNERS])
SIDE = f"{_SIDE_WORD}(?: {_SIDE_WORD})?"
THE = "(?:(?:the|a|an|this|its|very) )*"
_CENTER_OF = f"(?:(?:center|middle|central part) (?:of|on|in) {THE})?"
PLACE = f"{THE}{_CENTER_OF}(?:(?:far|extreme|utmost) )*{SIDE}(?: hand)?(?: most)?(?: {PART})?"
_PICTURES = "(?:image|picture|photo|photograph|scene|map|view|frame|raster|extent|aoi)"
PICTURE = f"{THE}(?:(?:whole|entire|current) )?{_PICTURES}"
EXTREME = r"(?:left|right|top|bottom|upper|upmost|lower|north|south|east|west)\w*most"


def side_of(text: str) -> str:
    """Return the side, one of query.SIDES, that the words of a text name; the middle gives way to the others."""
    named = {part for word in text.split() for part in _CORNERS.get(word, _AXES.get(word, "")).split()}
    across = next((side for side in ("left", "right") if side in named), None)
    along = "top" if named & {"top", "upper"} else "bottom" if named & {"bottom", "lower"} else None
    if across and along:
        return f"{'upper' if along == 'top' else 'lower'} {across}"
    return across or along or "middle"


def position_of(text: str) -> str:
    """Return the position that a place means, as `query.split_position` reads it: "center far left", "top half"."""
    words = text.split()
    side = side_of(text)
    centered = side in ("left", "right", "top", "bottom") and any(_AXES.get(word) == "middle" for word in words)
    far = side != "middle" and bool({"far", "extreme", "utmost"} & set(words))
    part = next((_PARTS[word] for word in words if word in _PARTS), "") if side != "middle" else ""
    return " ".join(word for word in ("center" * centered, "far" * far, side, part) if word)


# --- how it lies to something else -------------------------------------------------------------------------------

_RELATIONS = {
    "near": "near|near to|nearby|close to|close by|not far from|in the vicinity of|behind|in front of|opposite|"
    "opposite to|opposite of|facing|across from|on the other side of|on the opposite side of|past|toward|towards|"
    "leading to|leads to",
    "next to": "next to|beside|besides|by|by the side of|at the side of|on the side of|at|at the end of|"
    "at the corner of|on the corner of|in the corner of|around|surrounding|against",
    "touching": "touching|adjacent to|adjoining|bordering|attached to|connected to|connected with|connecting to|"
    "joined to|joined with|connects|connects to|connecting|joins|joining|abutting|on the edge of|at the edge of|"
    "on the border of|at the border of|touch|touches|cut off by|cut off at|cut by",
    "along": "along|alongside|alongside of|lining|along the side of|on both sides of|along both sides of|"
    "on either side of|on each side of|on all sides of",
    "far from": "far from|far away from|away from|distant from",
    "above": "above",
    "below": "below|beneath|underneath|under",
    "inside": "inside|inside of|in|within|into|contained in|enclosed by|enclosed in|amid|among|amongst|"
    "in the middle of|in the center of|at the center of|in the midst of",
    "on": "on|onto|upon|atop|on the surface of|on top of",
    "outside": "outside|outside of|out of|beyond",
    "surrounded by": "surrounded by|surrounded with|encircled by|ringed by|lined by|lined with|bordered by",
    "crossing": "crossing|over|across|through|spanning|crosses|spans|intersecting|intersects|bridging",
    "between": "between|in between|midway between|halfway between",
    "with": "with|has|have|having|containing|contains|including|covered by|covered with|full of",
    "closest to": "closest to|nearest to|closest from|closer to|nearer to",
    "farthest from": "farthest from|furthest from|farther from|further from|farthest away from|furthest away from|"
    "most distant from",
    "same size as": "similar in size to|of similar size to|the same size as|same size as|similar in size with|"
    "equal in size to|as large as|as big as|as small as|of the same size as",
}
_RELATION_KINDS = _by_word(_RELATIONS, "|")
RELATING = either(_RELATION_KINDS)
_ADVERBS = "(?:(?:directly|immediately|just|right|closely|straight|diagonally|also) )*"
_PLAIN_VERBS = set(VERB_FORMS) - {word.split()[0] for word in _RELATION_KINDS}
_LEAD = f"(?:{either(_PLAIN_VERBS)} )?{_ADVERBS}"
# "at the edge of the image" relates to a part of the extent.
_EDGES = f"{THE}(?:{SIDE} )?(?:corner|edge)s?"
_OF_EXTENT = f"(?P<place>at|on|in|within|along|near|by)(?= {_EDGES} (?:of|in) {PICTURE})"
RELATION = f"{_LEAD}(?:{_OF_EXTENT}|(?P<relation>{RELATING}))"
DIRECTION = f"{_LEAD}(?:(?:on|in|at|to|toward|towards) )?(?P<direction>{PLACE})"
_SIDE_KINDS = {"left": "left of", "right": "right of", "top": "above", "bottom": "below", "middle": "inside"}


def relation_kind(match: re.Match[str]) -> str:
    """Return the kind of relation that RELATION or DIRECTION matched."""
    groups = match.groupdict()
    if word := groups.get("relation") or groups.get("place"):
        return _RELATION_KINDS[word]
    side = side_of(groups["direction"])
    return _SIDE_KINDS.get(side, f"{side} of")


# --- which way it runs or points: no place, as it is everywhere along its way --------------------------------------

_GO = "run runn flow cross curve curv stretch extend go come com wind pass join bend".split()
_RUNS = f"(?:(?:that|which) )?{either(_GO)}(?:s|es|ing)?"
_HOW = r"(?: (?:\w+ly|straight|right|down|up|in|over))*"
_DOWN_THE_MIDDLE = f"(?:down|through|along|across) {THE}(?:middle|center)"
_RUN = f"{_RUNS}{_HOW}"
COURSE = (
    f"(?:{_RUN} )?(?:from )?(?P<start>{PLACE}) to {PLACE}(?!(?: {_SIDE_WORD})? of (?!{PICTURE}))|{_RUN} from {PLACE}"
    f"|(?:{_RUN} )?{_DOWN_THE_MIDDLE}|(?:{_RUN} )?across {PICTURE}|{_RUN} {PICTURE}"
)
_POINTS = "(?:pointing|pointed|facing|heading|headed|aimed|(?:whose|with its|with the) nose (?:points|pointing|to|is))"
_UP = "(?:up|down)(?:wards?)?|(?:left|right|north|south|east|west)wards?"
HEADING = f"{_POINTS}(?: (?:to|toward|towards|up|down|in))* (?:{PLACE}|{_UP})|{_RUNS} {_UP}"
# From above, what is under a bridge is what it crosses.
_BRIDGES = "(?:bridge|overpass|viaduct|flyover|footbridge)s?"
UNDER_BRIDGE = (
    f"(?:(?:that |which )?(?:{either(_GO)}|go|dive|lead)(?:s|es|ing)? )?{_ADVERBS}(?:under|beneath|underneath)"
    rf"(?= (?:(?:the|a|an|both|two) )?(?:(?!of|from|to|near|by|on|in|at|the)[a-z]+ ){{0,2}}{_BRIDGES}\b)"
)
SHARE = "(?:half|third|quarter|part|portion|section)"
ROW = "(?:row|column|line)"


def course_start(match: re.Match[str]) -> str | None:
    """Return the side where a course from one to another starts: "the third ship from left to right"."""
    return side_of(match["start"]) if match["start"] else None


# --- how it compares ---------------------------------------------------------------------------------------------

BIGGER = _by_word(
    {
        "larger than": "larger bigger greater",
        "smaller than": "smaller littler tinier",
        "longer than": "longer",
        "shorter than": "shorter",
        "wider than": "wider broader thicker",
        "narrower than": "narrower slimmer thinner",
        "brighter than": "brighter lighter whiter",
        "darker than": "darker blacker",
    }
)
_DEGREE = "(?:(?:much|far|a little|a bit|a lot|little|slightly|even|significantly) )*"
COMPARISON = f"{_DEGREE}(?P<bigger>{either(BIGGER)}) (?:in size |in area )?than"
BEST = _by_word(
    {
        "largest": "largest biggest greatest hugest",
        "smallest": "smallest tiniest littlest",
        "longest": "longest",
        "shortest": "shortest",
        "widest": "widest broadest thickest",
        "narrowest": "narrowest slimmest thinnest",
        "brightest": "brightest lightest whitest palest",
        "darkest": "darkest blackest",
        "topmost": "highest",
        "bottommost": "lowest",
        "closest": "closest nearest closer nearer",
        "farthest": "farthest furthest farther further",
    }
)
SUPERLATIVE = f"(?P<best>{either(BEST)})(?: in size| by area| in area)?"
_SIZE = "(?:size|area|extent|surface area|surface|length|width)"
OF_GREATEST = f"(?:of|with|having) {THE}(?P<most>{either(BEST)}) {_SIZE}"


def best_kind(match: re.Match[str]) -> str:
    """Return the superlative that SUPERLATIVE, OF_GREATEST or EXTREME matched."""
    groups = match.groupdict()
    word = groups.get("best") or groups.get("most")
    if word is None:
        side = side_of(re.sub(r"(ern|er)?most$", "", match.group()))
        return {"left": "leftmost", "right": "rightmost", "bottom": "bottommost"}.get(side, "topmost")
    kind = BEST[word]
    if match.group().endswith("length"):
        kind = {"largest": "longest", "smallest": "shortest"}.get(kind, kind)
    if match.group().endswith("width"):
        kind = {"largest": "widest", "smallest": "narrowest"}.get(kind, kind)
    return kind


# --- how many, how far, how large --------------------------------------------------------------------------------

CARDINALS = "zero one two three four five six seven eight nine ten eleven twelve".split()
RANKS = "zeroth first second third fourth fifth sixth seventh eighth ninth tenth".split()
_NUMBERS = {word: float(value) for value, word in enumerate(CARDINALS)} | {"a": 1.0, "half a": 0.5, "dozen": 12.0}
_NUMBERS |= {"fifteen": 15.0, "twenty": 20.0, "thirty": 30.0, "forty": 40.0, "fifty": 50.0, "hundred": 100.0}
_NUMBERS |= {"both": 2.0, "couple": 2.0, "pair": 2.0, "single": 1.0, "thousand": 1000.0}
NUMBER = rf"(?:\d+(?:\.\d+)?|{either(_NUMBERS)}(?: hundred| thousand)?)"
_METERS = {"m": 1.0, "meter": 1.0, "km": 1000.0, "kilometer": 1000.0, "cm": 0.01, "ft": 0.3048, "foot": 0.3048}
_METERS |= {"feet": 0.3048, "yd": 0.9144, "yard": 0.9144, "mile": 1609.344}
_SQUARES = {"m2": 1.0, "sqm": 1.0, "km2": 1e6, "ha": 1e4, "hectare": 1e4, "acre": 4046.8564224}
_SQUARES |= {f"{square} {unit}": factor**2 for square in ("square", "sq") for unit, factor in _METERS.items()}
_UNIT = f"(?P<unit>{either(_METERS)})s?"
LENGTH = f"(?P<length>{NUMBER}) {_UNIT}"
AREA = f"(?P<area>{NUMBER}) (?P<square>{either(_SQUARES)})s?"
_AT_MOST = "(?:within|less than|at most|no more than|not more than|up to|under|closer than|nearer than|below)"
_AT_LEAST = "(?:more than|at least|over|farther than|further than|beyond|no less than|not less than|above)"
DISTANCE = rf"(?:(?P<near>{_AT_MOST})|(?P<far>{_AT_LEAST})) {LENGTH}(?: away)?(?: radius)? (?:of|from|to)"
RANGE = rf"(?:between )?(?P<least>{NUMBER}) (?:and|to) (?P<most>{NUMBER}) {_UNIT}(?: away)? (?:of|from)"
PLAIN_DISTANCE = rf"(?:(?:about|around|approximately) )?{LENGTH}(?: away)? (?:of|from)"
_WIDE = "(?: (?P<dimension>long|wide|broad|in length|in width|in area|in size|large|big))?"
_LIMIT = f"(?:(?P<under>{_AT_MOST})|(?P<over>{_AT_LEAST}|{either(BIGGER)} than))"
MEASURE = rf"(?:(?:with|having) an? {_SIZE} (?:of )?)?{_LIMIT} (?:{AREA}|{LENGTH}){_WIDE}"


def number_of(text: str) -> float:
    """Return the number that NUMBER matched: digits, or words such as "two hundred"."""
    if text[0].isdigit():
        return float(text)
    if text in _NUMBERS:
        return _NUMBERS[text]
    first, _, times = text.rpartition(" ")
    return _NUMBERS[first] * _NUMBERS[times]


def distance_of(match: re.Match[str]) -> tuple[str, float]:
    """Return "within" or "beyond" and the meters that DISTANCE or PLAIN_DISTANCE matched."""
    groups = match.groupdict()
    meters = number_of(groups["length"]) * _METERS[groups["unit"]]
    return ("beyond" if groups.get("far") else "within"), meters


def range_of(match: re.Match[str]) -> tuple[float, float]:
    """Return the meters from and to that RANGE matched."""
    meters = _METERS[match["unit"]]
    return number_of(match["least"]) * meters, number_of(match["most"]) * meters


def measure_of(match: re.Match[str]) -> tuple[str, float]:
    """Return the kind of comparison and the amount, in meters or square meters, that MEASURE matched."""
    groups = match.groupdict()
    more = groups["over"] is not None and BIGGER.get(groups["over"].split()[0], "larger than") not in _LESSER
    if groups["area"]:
        return ("larger than" if more else "smaller than"), number_of(groups["area"]) * _SQUARES[groups["square"]]
    wide = (groups["dimension"] or "") in ("wide", "broad", "in width") or "wid" in (groups["over"] or "")
    kinds = ("wider than", "narrower than") if wide else ("longer than", "shorter than")
    return kinds[not more], number_of(groups["length"]) * _METERS[groups["unit"]]


_LESSER = {"smaller than", "shorter than", "narrower than", "darker than"}
